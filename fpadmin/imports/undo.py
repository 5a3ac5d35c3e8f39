"""Takes back what a batch wrote, from its journal, while nothing depends on it.

Works on any kind's tables: new rows are deleted, changed rows get their old values, links that
followed are loosened, deleted rows return. All of it, or nothing where a dependent is found.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_

from django.apps import apps
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from fpadmin import bulk
from fpadmin.audit import log
from fpadmin.crypto import EncryptedCharField, encryptor
from fpadmin.imports.kinds import KINDS, Undo, changed_meanwhile
from fpadmin.imports.models import ImportBatch, ImportEffect

Action = ImportEffect.Action
EDITED = "导入之后修改过"
_RANGES = 200  # of keys in one statement
_CHUNK = 500  # rows looked up by key in one statement
_EVENTS = 5_000  # events of the trail made at a time


@dataclass(frozen=True)
class Dependent:
    """A row that something later rests on: why, and how many more there are if not all are given."""

    model: type[models.Model]
    pk: int
    reason: str


class Reversal:
    """A batch's journal, read for taking the batch back."""

    def __init__(self, batch: ImportBatch):
        self.batch = batch
        self.undo: Undo = KINDS[batch.kind].undo
        self.models = [apps.get_model(label) for label in self.undo.models]
        self._ranges: dict[str, list[tuple[int, int]]] = defaultdict(list)
        created = batch.effects.filter(action=Action.CREATED).order_by("object_id")
        for label, first, last in created.values_list("model", "object_id", "other_id"):
            self._ranges[label].append((first, last))

    def effects(self, model: type[models.Model], *actions: str) -> QuerySet[ImportEffect]:
        """What was done to rows of one table."""
        return self.batch.effects.filter(model=model._meta.label_lower, action__in=actions)

    def count_created(self, model: type[models.Model]) -> int:
        """How many rows the import made."""
        return sum(last - first + 1 for first, last in self._ranges[model._meta.label_lower])

    def created(self, model: type[models.Model], column: str = "pk") -> Iterator[Q]:
        """Conditions under which `column` holds the key of a new row of `model`, some at a time."""
        ranges = self._ranges[model._meta.label_lower]
        for some in _chunks(ranges, _RANGES):
            pairs = [{f"{column}__gte": first, f"{column}__lte": last} for first, last in some]
            yield reduce(or_, (Q(**pair) for pair in pairs))

    def is_new(self, model: type[models.Model], pk: int) -> bool:
        """Whether the import made the row."""
        return any(first <= pk <= last for first, last in self._ranges[model._meta.label_lower])


def _chunks(rows: Iterable, size: int) -> Iterator[list]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk


# What depends on it ------------------------------------------------------------------------------


def dependents(reversal: Reversal) -> Iterator[Dependent]:
    """Every row that keeps the batch from being taken back; a row may come more than once."""
    for model in reversal.models:
        yield from _edited(reversal, model)
        yield from _overwritten(reversal, model)
        yield from _referred_to(reversal, model)
    yield from reversal.undo.more(reversal)


def _has_version(model: type[models.Model]) -> bool:
    return any(field.column == "row_version" for field in model._meta.concrete_fields)


def _edited(reversal: Reversal, model: type[models.Model]) -> Iterator[Dependent]:
    """New rows that were edited or deleted, and changed ones that were edited again."""
    rows = model._base_manager.order_by()
    left = 0
    for condition in reversal.created(model):
        left += rows.filter(condition).count()
        if _has_version(model):
            edited = rows.filter(condition).exclude(row_version=0)
            for pk in edited.exclude(Exists(_quiet(reversal, model))).values_list("pk", flat=True):
                yield Dependent(model, pk, EDITED)
    if left < reversal.count_created(model):
        yield Dependent(model, 0, f"有{reversal.count_created(model) - left:,}条已被合并或删除")
    if _has_version(model):
        now = Subquery(rows.filter(pk=OuterRef("object_id")).values("row_version")[:1])
        touched = reversal.effects(model, Action.CHANGED).annotate(now=now)
        for pk in touched.exclude(now=F("version"), now__isnull=False).values_list(
            "object_id", flat=True
        ):
            yield Dependent(model, pk, EDITED)


def _quiet(reversal: Reversal, model: type[models.Model]) -> QuerySet[ImportEffect]:
    """Of a row: that it was changed and put back since, by undoing a later import."""
    return reversal.effects(model, Action.CHANGED).filter(object_id=OuterRef("pk"), columns="")


def _overwritten(reversal: Reversal, model: type[models.Model]) -> Iterator[Dependent]:
    """Changed rows of a table without versions that hold something else by now."""
    if _has_version(model):
        return
    changed = reversal.effects(model, Action.CHANGED).values_list("object_id", "kept")
    for some in _chunks(changed.iterator(chunk_size=2000), _CHUNK):
        wanted = {pk: json.loads(kept) for pk, kept in some}
        columns = sorted({column for values in wanted.values() for column in values})
        rows = model._base_manager.filter(pk__in=wanted).values_list("pk", *columns)
        found = {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows}
        for pk, values in wanted.items():
            now = found.get(pk)
            if now is None or any(_text(now[c]) != _text(new) for c, (_, new) in values.items()):
                yield Dependent(model, pk, EDITED)


def _text(value) -> str:
    return "" if value is None else str(value)


def _referred_to(reversal: Reversal, model: type[models.Model]) -> Iterator[Dependent]:
    """Rows outside the import that lead to new rows of `model`, by any foreign key there is."""
    for field in _foreign_keys_to(model):
        theirs = field.model
        rows = theirs._base_manager.order_by()
        if field.name in reversal.undo.swept.get(theirs._meta.label_lower, ()):
            continue
        ours = ImportEffect.objects.filter(
            batch=reversal.batch, model=theirs._meta.label_lower, object_id=OuterRef("pk"),
            action__in=(Action.CHANGED, Action.LINKED), columns__contains=f",{field.column},",
        )  # fmt: skip
        for condition in reversal.created(model, field.attname):
            others = rows.filter(condition)
            for own in reversal.created(theirs):
                others = others.exclude(own)
            if theirs in reversal.models:
                others = others.exclude(Exists(ours))
            reason = f"后来登记的{theirs._meta.verbose_name}用到"
            for pk, target in others.values_list("pk", field.attname):
                if hasattr(theirs, "get_absolute_url"):
                    yield Dependent(theirs, pk, f"{reason}本次导入的{model._meta.verbose_name}")
                else:
                    yield Dependent(model, target, reason)


def _foreign_keys_to(model: type[models.Model]) -> Iterator[models.ForeignKey]:
    """Every foreign key of every app that leads to `model`, hidden ones too."""
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and not relation.many_to_many:
            yield relation.field


# Taking back -------------------------------------------------------------------------------------


def take_back(reversal: Reversal, *, by) -> None:
    """Restore every table in the caller's transaction, and tell the trail of each person.

    Raises Unreadable where somebody saved one of the rows at this very moment.
    """
    entries = list(_entries(reversal))
    for model in reversal.models:
        if _has_version(model):
            changed = reversal.effects(model, Action.CHANGED)
            if not bulk.claim(model, dict(changed.values_list("object_id", "version"))):
                raise changed_meanwhile()
    for model in reversed(reversal.models):
        _delete_new(reversal, model)
    reversal.undo.settle(reversal)
    for model in reversal.models:
        _restore(reversal, model)
        _loosen(reversal, model)
        _put_back(reversal, model)
        # At the end, for the chain of the trail is locked from the first event on.
        if _has_version(model):
            _tell_earlier(reversal, model)
    for some in _chunks(entries, _EVENTS):
        log.record_many(some, by=by)


def _entries(reversal: Reversal) -> Iterator[log.Entry]:
    for label, ways in reversal.undo.subjects.items():
        model = apps.get_model(label)
        rows = model._base_manager.order_by()
        for condition in reversal.created(model):
            for pk, *paths in rows.filter(condition).values_list("pk", *ways):
                yield _entry(reversal, label, pk, paths, ["新增", ""])
        effects = reversal.effects(model, Action.CHANGED).exclude(columns="")
        changed = list(effects.values_list("object_id", flat=True))
        for some in _chunks(changed, _CHUNK):
            for pk, *paths in rows.filter(pk__in=some).values_list("pk", *ways):
                yield _entry(reversal, label, pk, paths, ["修改", "原值"])


def _entry(reversal: Reversal, label: str, pk: int, paths: list, undone: list[str]) -> log.Entry:
    path = next(filter(None, paths), reversal.batch.office.path)
    return log.Entry(
        reversal.undo.event, label, str(pk), path,
        {"import_batch": reversal.batch.pk, "undone": undone},
    )  # fmt: skip


def _delete_new(reversal: Reversal, model: type[models.Model]) -> None:
    expected = reversal.count_created(model)
    if not expected:
        return
    for field in _foreign_keys_to(model):
        if field.name in reversal.undo.swept.get(field.model._meta.label_lower, ()):
            for condition in reversal.created(model, field.attname):
                field.model._base_manager.filter(condition).delete()
    rows = model._base_manager.order_by()
    if _has_version(model):
        rows = rows.filter(Q(row_version=0) | Exists(_quiet(reversal, model)))
    gone = sum(bulk.delete(rows.filter(condition)) for condition in reversal.created(model))
    if gone != expected:
        raise changed_meanwhile()


def _restore(reversal: Reversal, model: type[models.Model]) -> None:
    """The old values, rows with the same columns together."""
    prepare = _Preparation(model)
    groups: dict[tuple, list] = defaultdict(list)
    changed = reversal.effects(model, Action.CHANGED).exclude(columns="").order_by("pk")
    for pk, kept in changed.values_list("object_id", "kept").iterator(chunk_size=2000):
        old = {column: values[0] for column, values in json.loads(kept).items()}
        if old:
            groups[tuple(old)].append((pk, *prepare(old)))
    for columns, rows in groups.items():
        bulk.update(model, [*columns, *prepare.also], rows)


class _Preparation:
    """Turns old values into what the columns of a table hold, with the time of the change."""

    def __init__(self, model: type[models.Model]):
        table = model._meta.db_table
        columns = {field.column: field for field in model._meta.concrete_fields}
        self._seals = {
            name: encryptor(f"{table}.{name}")
            for name, field in columns.items()
            if isinstance(field, EncryptedCharField)
        }
        self.also = ["updated_at"] if "updated_at" in columns else []
        self._now = [timezone.now()] if self.also else []

    def __call__(self, values: dict) -> Iterable:
        for name, value in values.items():
            seal = self._seals.get(name)
            yield seal(value) if seal else value
        yield from self._now


def _loosen(reversal: Reversal, model: type[models.Model]) -> None:
    """Links that followed a number wait again, unless they lead elsewhere by now."""
    links = reversal.effects(model, Action.LINKED)
    for column in set(links.values_list("columns", flat=True).distinct()):
        name = column.strip(",")
        same = links.filter(columns=column)
        rows = model._base_manager.filter(pk__in=same.values("object_id"))
        still = same.filter(object_id=OuterRef("pk"), other_id=OuterRef(name))
        rows.filter(Exists(still)).update(**{name: None})


def _put_back(reversal: Reversal, model: type[models.Model]) -> None:
    prepare = _Preparation(model)
    removed = reversal.effects(model, Action.REMOVED).values_list("object_id", "kept")
    groups: dict[tuple, list] = defaultdict(list)
    for pk, kept in removed:
        values = json.loads(kept)
        groups[tuple(values)].append((pk, *prepare(values)))
    for columns, rows in groups.items():
        bulk.insert(model, ["id", *columns], rows)


def _tell_earlier(reversal: Reversal, model: type[models.Model]) -> None:
    """Let the journals of earlier imports know the versions that undoing has raised.

    The rows are as those imports left them, so that these can be undone in their turn.
    """
    ours = reversal.effects(model, Action.CHANGED)
    earlier = ImportEffect.objects.filter(
        model=model._meta.label_lower, action=Action.CHANGED, batch__lt=reversal.batch.pk
    )
    after = ours.filter(object_id=OuterRef("object_id"), version=OuterRef("version") + 1)
    earlier.filter(Exists(after)).update(version=F("version") + 2)
    makers = sorted(
        ImportEffect.objects.filter(
            model=model._meta.label_lower, action=Action.CREATED, batch__lt=reversal.batch.pk
        ).values_list("object_id", "other_id", "batch")
    )
    first = ours.filter(version=1).values_list("object_id", flat=True)
    ImportEffect.objects.bulk_create(
        (
            ImportEffect(
                batch_id=maker, action=Action.CHANGED, model=model._meta.label_lower,
                object_id=pk, version=2,
            )
            for pk in first
            if (maker := _maker(makers, pk))
        ),
        batch_size=1000,
    )  # fmt: skip


def _maker(ranges: list[tuple[int, int, int]], pk: int) -> int | None:
    """Of ranges (first, last, batch) in order: the batch whose range holds the key."""
    place = bisect_right(ranges, pk, key=lambda one: one[0]) - 1
    return ranges[place][2] if place >= 0 and pk <= ranges[place][1] else None
