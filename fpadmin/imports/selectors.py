"""Reads for the import's pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.apps import apps
from django.db.models import Case, Count, Model, QuerySet, When
from django.urls import reverse

from fpadmin.accounts.models import User
from fpadmin.imports import undo
from fpadmin.imports.kinds import KINDS, WorkbookKind, in_order
from fpadmin.imports.layouts import Layout
from fpadmin.imports.models import (
    HeadingLayout,
    ImportBatch,
    ImportChange,
    ImportDoubt,
    ImportEffect,
)
from fpadmin.imports.undo import Dependent, Reversal
from fpadmin.jobs.models import Job
from fpadmin.ui.todos import Todo


def kinds_for(user: User) -> list[WorkbookKind]:
    """The kinds of workbook that `user` may import, in the order in which an office does."""
    return [kind for kind in in_order() if user.may(kind.permission)]


def batches_for(user: User) -> QuerySet[ImportBatch]:
    """The batches of the user's region whose kind the user may import, newest first."""
    return (
        ImportBatch.objects.visible_to(user)
        .filter(kind__in=[kind.key for kind in kinds_for(user)])
        .select_related("office", "uploaded_by", "committed_by", "undone_by", "layout")
        .order_by("-pk")
    )


def layouts_of(batch: ImportBatch) -> dict[str, Layout]:
    """The layouts that the batch's office has taught for its kind, by fingerprint."""
    return {layout.fingerprint: layout.as_layout() for layout in _in_use(batch)}


def layout_in_use(batch: ImportBatch, fingerprint: str) -> HeadingLayout | None:
    """The office's layout of these headings."""
    return _in_use(batch).filter(fingerprint=fingerprint).first() if fingerprint else None


def _in_use(batch: ImportBatch) -> QuerySet[HeadingLayout]:
    return HeadingLayout.objects.filter(
        office=batch.office_id, kind=batch.kind, retired_at__isnull=True
    )


def decisions_of(batch: ImportBatch) -> dict[int, tuple[str, int]]:
    """Row → (what was decided, the record that it was decided about)."""
    decided = batch.doubts.exclude(decision="")
    return {
        row: (what, pk) for row, what, pk in decided.values_list("row", "decision", "target_id")
    }


def doubts_of(batch: ImportBatch, limit: int) -> list[ImportDoubt]:
    """The first rows that may mean a known record, undecided ones before the others."""
    undecided = Case(When(decision="", then=0), default=1)
    return list(batch.doubts.order_by(undecided, "row")[:limit])


def records_of(batch: ImportBatch, doubts: list[ImportDoubt], user: User) -> dict[int, Model]:
    """The known records that the doubts are about, by key, as far as `user` may see them."""
    label = next(iter(KINDS[batch.kind].undo.subjects))
    rows = apps.get_model(label).objects.visible_to(user)
    return rows.in_bulk([doubt.target_id for doubt in doubts])


def check_key(batch: ImportBatch) -> str:
    """The key of the job that checks the batch."""
    return f"import-check:{batch.pk}"


def commit_key(batch: ImportBatch) -> str:
    """The key of the job that writes the batch."""
    return f"import-commit:{batch.pk}"


def undo_key(batch: ImportBatch) -> str:
    """The key of the job that undoes the batch."""
    return f"import-undo:{batch.pk}"


def job_of(batch: ImportBatch) -> Job | None:
    """The latest background run for the batch's state: the check's, the commit's or the undo's."""
    State = ImportBatch.State
    keys = {State.CHECKING: check_key, State.UNDOING: undo_key}
    key = keys.get(batch.state, commit_key)(batch)
    return Job.objects.filter(key=key).order_by("-pk").first()


@dataclass(frozen=True)
class UndoLine:
    """What undoing does to one table: rows that go, rows that get back old values, links."""

    what: str
    removed: int
    restored: int
    unlinked: int


def undo_lines(reversal: Reversal) -> list[UndoLine]:
    """What undoing the batch does, table by table; tables that it leaves alone are not listed."""
    lines = []
    for model in reversal.models:
        counts = dict(
            reversal.effects(model, *ImportEffect.Action.values)
            .exclude(action="changed", columns="")
            .order_by()
            .values_list("action")
            .annotate(n=Count("pk"))
        )
        restored = counts.get("changed", 0) + counts.get("removed", 0)
        line = UndoLine(
            str(model._meta.verbose_name), reversal.count_created(model), restored,
            counts.get("linked", 0),
        )  # fmt: skip
        if line.removed or line.restored or line.unlinked:
            lines.append(line)
    return lines


def names_that_go(reversal: Reversal, user: User, limit: int) -> list[Model]:
    """The first of the people or places that undoing removes, as far as `user` may see them."""
    found: list[Model] = []
    for label in reversal.undo.subjects:
        model = apps.get_model(label)
        for condition in reversal.created(model):
            rows = model.objects.visible_to(user).filter(condition).order_by("pk")
            found += rows.select_related()[: limit - len(found)]  # a name may need its place
    return found


@dataclass(frozen=True)
class Blocker:
    """One record that keeps an import from being undone. `url` is "" where it has no page."""

    kind: str
    label: str
    url: str
    reason: str


@dataclass(frozen=True)
class Blockers:
    """The first of them that the user may see; `hidden` are in other places; `more` are left out."""

    shown: list[Blocker]
    hidden: int
    more: bool


def blockers_of(reversal: Reversal, user: User, limit: int) -> Blockers:
    """What keeps the batch from being undone, at most `limit` records."""
    found: dict[tuple, Dependent] = {}
    more = False
    for one in undo.dependents(reversal):
        more = len(found) >= limit
        if more:
            break
        found.setdefault((one.model, one.pk), one)
    visible = _visible(found.values(), user)
    later = _later_imports(reversal.batch, found.values())
    shown = []
    for key, one in found.items():
        record = visible.get(key)
        if record is None and one.pk:
            continue
        shown.append(
            Blocker(
                kind=str(one.model._meta.verbose_name),
                label=str(record) if record else "",
                url=record.get_absolute_url() if hasattr(record, "get_absolute_url") else "",
                reason=later.get(key, one.reason),
            )
        )
    return Blockers(shown, len(found) - len(shown), more)


def _visible(dependents: Iterable[Dependent], user: User) -> dict[tuple, Model]:
    """The records themselves, one query per model."""
    keys: dict[type[Model], list[int]] = {}
    for one in dependents:
        keys.setdefault(one.model, []).append(one.pk)
    found = {}
    for model, pks in keys.items():
        if hasattr(model.objects, "visible_to"):
            records = model.objects.visible_to(user).select_related().in_bulk(pks)
            found |= {(model, pk): record for pk, record in records.items()}
    return found


def _later_imports(batch: ImportBatch, dependents: Iterable[Dependent]) -> dict[tuple, str]:
    """(model, key) → the later import that changed the record, in words."""
    edited: dict[type[Model], list[int]] = {}
    for one in dependents:
        if one.reason == undo.EDITED:
            edited.setdefault(one.model, []).append(one.pk)
    words = {}
    for model, pks in edited.items():
        rows = ImportEffect.objects.filter(
            model=model._meta.label_lower, object_id__in=pks, action="changed", batch__gt=batch.pk
        )
        for pk, name in rows.order_by("pk").values_list("object_id", "batch__file_name"):
            words[(model, pk)] = f"后来导入“{name}”时又修改过"
    return words


def earlier_import(batch: ImportBatch, user: User) -> ImportBatch | None:
    """The last time that this very file was written, as far as `user` may see it."""
    return (
        batches_for(user)
        .filter(kind=batch.kind, sha256=batch.sha256, state=ImportBatch.State.COMMITTED)
        .exclude(pk=batch.pk)
        .first()
    )


@dataclass(frozen=True)
class ChangedRecord:
    """One record of the preview with its changed fields."""

    target: str
    place: str
    changes: list[ImportChange]


def changed_records(changes) -> list[ChangedRecord]:
    """The changes, in their order, gathered by record."""
    records: list[ChangedRecord] = []
    last = None
    for change in changes:
        if (change.row, change.target_id) != last:
            records.append(ChangedRecord(change.target, change.place, []))
            last = (change.row, change.target_id)
        records[-1].changes.append(change)
    return records


def todos(user, day: date) -> list[Todo]:
    """Checked workbooks that wait for somebody's word."""
    kinds = [kind.key for kind in kinds_for(user)]
    waiting = ImportBatch.objects.visible_to(user).filter(
        kind__in=kinds, state=ImportBatch.State.CHECKED
    )
    return [
        Todo(
            label="工作簿已检查，等您确认",
            count=waiting.count(),
            url=f"{reverse('imports:batch-list')}?state={ImportBatch.State.CHECKED}",
            kind="warn",
            word="待确认",
            hint="确认前没有写入任何数据",
        )
    ]
