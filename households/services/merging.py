"""Two records of one person made one, and taken apart again within thirty days.

Whatever points at the merged record, in any app, points at the kept one afterwards. Spells and lines of
birth histories that would count somebody twice are taken out. Rows of which a unique constraint
would allow only one are not chosen between: the merge is refused, so that no payment is ever dropped.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.identity import InvalidIdNumber, parse_id_number
from households import rules
from households.merge_choices import CHOICES, lacking
from households.models import (
    ChildRecord,
    Duplicate,
    EventChange,
    LedgerMember,
    Merge,
    Origin,
    Relation,
    Residency,
    Resident,
    registered,
)
from households.row_journal import COUNTERS, Journal, dumps, numbered, references, row_of
from households.services.scope import NOT_YOURS

UNDO_DAYS = 30
UNDO_PERIOD = timedelta(days=UNDO_DAYS)
CHANGED_MEANWHILE = "打开以后，有人修改了其中一份记录。请重新核对。"
# Links that tell of the records themselves stay where they are. So does who was counted in a locked
# month: that the person was counted twice then shows as a late loss of the month that is open.
_STAYS = {
    (Resident, "merged_into"), (Merge, "kept"), (Merge, "merged"), (Duplicate, "first"),
    (Duplicate, "second"), (Residency, "resident"), (LedgerMember, "resident"),
}  # fmt: skip
_RELATIVES = ("spouse", "father", "mother")
_FILLED = (
    ("child_id", "child_id_number", "child_id_number_digest"),
    ("father_id", "father_id_number", "father_id_number_digest"),
    ("mother_id", "mother_id_number", "mother_id_number_digest"),
    ("child_name",),
    ("hospital",),
    ("birth_certificate_no",),
    ("death_date", "survival"),
    ("disability_grade", "disability_date"),
)


@transaction.atomic
def merge_residents(
    *,
    by,
    kept: Resident,
    merged: Resident,
    taken: Collection[str] | None = None,
    today: date,
    now: datetime,
    versions: Sequence[int] | None = None,
) -> Merge:
    """Make `merged` part of `kept`: everything that hangs on it follows, its spells are taken out.

    `taken` are the CHOICES in which the merged record's value wins, by default lacking() ones; the
    only ID number is never lost. `versions` are the row_versions of both as the clerk saw them. Refuses
    relatives of each other, a household left without a head, a record that is on the books going
    into one that isn't, birth histories that contradict, and rows that may stand only once.
    """
    kept, merged = _locked(by, kept.pk, merged.pk)
    if versions is not None and [kept.row_version, merged.row_version] != list(versions):
        raise RuleViolation(CHANGED_MEANWHILE)
    _refuse_merge(kept, merged, today)
    taken = {*(lacking(kept, merged) if taken is None else taken)}
    taken |= {"id_number"} & lacking(kept, merged)
    chosen = {
        name: getattr(merged if choice in taken else kept, name)
        for choice, columns in CHOICES.items()
        for name in columns
    }
    _refuse_values(kept, chosen, today)
    journal = Journal()
    _join_histories(journal, kept, merged)
    _join_children(journal, kept, merged)
    _take_out_spells(journal, merged)
    _follow_pairs(journal, kept, merged, by, now)
    blank = {name: "" for link in _RELATIVES for name in _number_columns(link)}
    journal.set(
        [merged],
        id_number="",
        id_number_digest=None,
        departed_on=merged.departed_on or today,
        merged_into_id=kept.pk,
        **blank,
        **{f"{link}_id": None for link in _RELATIVES},
    )
    _set_kept(journal, kept, chosen)
    _move_everything(journal, kept, merged)
    kept.refresh_from_db()
    merged.refresh_from_db()
    before = {
        "journal": journal.content(),
        "kept": row_of(kept),
        "merged": row_of(merged),
        "hanging": _hanging(kept),
    }
    merge = Merge.objects.create(kept=kept, merged=merged, before=dumps(before), made_by=by)
    _record("resident.merged", merge, by, {"fields": sorted(taken)} if taken else {})
    return merge


@transaction.atomic
def undo_merge(*, by, merge: Merge, now: datetime) -> Merge:
    """Both records as they were, with everything that moved. For thirty days, and only while nothing
    else has been written of the person since."""
    merge = Merge.objects.select_for_update().get(pk=merge.pk)
    kept, merged = _locked(by, merge.kept_id, merge.merged_id)
    if merge.undone_at:
        raise RuleViolation("这次合并已经撤销过了。")
    if now > merge.made_at + UNDO_PERIOD:
        raise RuleViolation(f"合并已超过{UNDO_DAYS}天，不能撤销。确实不是同一人的，请另行登记。")
    before = json.loads(merge.before)
    journal = Journal(before["journal"])
    _refuse_undo(before, journal, kept, merged)
    try:
        with transaction.atomic():
            journal.restore()
    except IntegrityError:
        raise RuleViolation(
            f"{merged.name}原来的位置已经有了别的登记（户主、号码或孩次），不能撤销。"
        ) from None
    merge.undone_by, merge.undone_at = by, now
    merge.save(update_fields=["undone_by", "undone_at"])
    _record("resident.merge_undone", merge, by, {})
    return merge


def _locked(by, kept_pk: int, merged_pk: int) -> tuple[Resident, Resident]:
    """Both, locked in the order of their keys, if `by` sees both."""
    people = (
        Resident.objects.visible_to(by)
        .select_for_update(of=("self",))
        .select_related("household", "village")
        .order_by("pk")
        .in_bulk([kept_pk, merged_pk])
    )
    if len(people) != 2:
        raise RuleViolation("这是同一份记录。" if kept_pk == merged_pk else NOT_YOURS)
    return people[kept_pk], people[merged_pk]


def _refuse_merge(kept: Resident, merged: Resident, today: date) -> None:
    for one, other in ((kept, merged), (merged, kept)):
        if one.merged_into_id:
            raise RuleViolation(f"{one.name}的一份记录已经合并过了，请刷新后再看。")
        if other.pk in (one.spouse_id, one.father_id, one.mother_id):
            raise RuleViolation("两人登记为配偶或父母子女，不会是同一人。登记有误的，请先更正。")
    if kept.departed_on and not merged.departed_on:
        raise RuleViolation("要保留的记录已经离册，另一份还在册。请保留在册的那一份。")
    if merged.relation != Relation.HEAD or not merged.is_registered_on(today):
        return
    if merged.household.members.filter(registered(today)).exclude(pk=merged.pk).exists():
        raise RuleViolation(
            f"{merged.village.name}{merged.household}还有成员，合并后没有户主。"
            "请先给这户变更户主，或改为保留这一份。"
        )


def _refuse_values(kept: Resident, chosen: dict, today: date) -> None:
    born, died = chosen["birth_date"], chosen["death_date"]
    findings = [rules.death_finding(born, died)]
    if chosen["id_number"]:
        try:
            number = parse_id_number(chosen["id_number"], today=today)
        except InvalidIdNumber as error:
            raise RuleViolation(f"公民身份号码{error}", field="id_number") from None
        findings += rules.id_number_findings(number, born, chosen["sex"])
    for finding in filter(None, findings):
        raise RuleViolation(finding.message, field=finding.field)
    if kept.residencies.filter(started_on__lt=born).exists():
        raise RuleViolation("出生日期晚于已登记的在册经历，请核对。", field="birth_date")


def _history(person: Resident) -> list[ChildRecord]:
    """The lines that number this person's children: a mother's, or a single father's."""
    alone = Q(father=person, mother__isnull=True, mother_id_number_digest="")
    return list(ChildRecord.objects.filter(Q(mother=person) | alone).order_by("order", "pk"))


def _join_histories(journal: Journal, kept: Resident, merged: Resident) -> None:
    """One birth history of two: a child that stands in both keeps one line."""
    own = _history(kept)
    for line in _history(merged):
        same = next((other for other in own if _same_child(line, other)), None)
        if same:
            _join_lines(journal, same, line)
            continue
        others = [(o.order, o.birth_date, o.origin == Origin.ADOPTED) for o in own]
        adopted = line.origin == Origin.ADOPTED
        finding = rules.order_finding(line.order, line.birth_date, adopted, others)
        if finding:
            raise RuleViolation(f"两份生育史合不到一起：{finding.message}请先更正其中一份。")


def _same_child(one: ChildRecord, other: ChildRecord) -> bool:
    numbers = {one.child_id_number_digest, other.child_id_number_digest}
    if "" not in numbers:
        return len(numbers) == 1
    if one.child_id and one.child_id == other.child_id:
        return True
    alike = (one.sex, one.birth_date) == (other.sex, other.birth_date)
    if one.child_name and other.child_name:
        return alike and one.child_name == other.child_name
    return alike and one.order == other.order


def _join_children(journal: Journal, kept: Resident, merged: Resident) -> None:
    """Where both stand as children of one mother, or of one single father, they are one child."""
    own = list(ChildRecord.objects.filter(child=kept))
    for line in ChildRecord.objects.filter(child=merged):
        for same in own:
            mothers = _parent(same, "mother"), _parent(line, "mother")
            fathers = _parent(same, "father"), _parent(line, "father")
            if mothers[0] == mothers[1] and (any(mothers[0]) or fathers[0] == fathers[1]):
                order = min(same.order, line.order)
                _join_lines(journal, same, line)
                if order != same.order:
                    journal.set([same], order=order)
                break


def _parent(line: ChildRecord, link: str) -> tuple:
    return getattr(line, f"{link}_id"), getattr(line, f"{link}_id_number_digest")


def _join_lines(journal: Journal, stays: ChildRecord, goes: ChildRecord) -> None:
    """Take `goes` out; what `stays` lacks it gets, and what hangs on the one hangs on the other."""
    for model, field in references(ChildRecord):
        pks = list(model._base_manager.filter(**{field.name: goes}).values_list("pk", flat=True))
        _move(journal, model, field, pks, stays.pk)
    journal.remove(goes)
    filled = {
        name: getattr(goes, name)
        for columns in _FILLED
        if not any(getattr(stays, name) for name in columns if name != "survival")
        and getattr(goes, columns[0])
        for name in columns
    }
    if filled:
        journal.set([stays], **filled)


def _take_out_spells(journal: Journal, merged: Resident) -> None:
    """Nobody counts twice on any day: the kept record's spells say where the person was."""
    spells = list(merged.residencies.order_by("pk"))
    for model, field in references(Residency):
        if model._base_manager.filter(**{f"{field.name}__in": spells}).exists():
            raise RuleViolation(
                f"{merged.name}的在册经历已用于{model._meta.verbose_name}，不能合并。"
            )
    for spell in spells:
        journal.remove(spell)


def _follow_pairs(journal: Journal, kept: Resident, merged: Resident, by, now: datetime) -> None:
    """What was decided of the merged record counts for the kept one; what waits is looked for anew."""
    pairs = Duplicate.objects.filter(Q(first=merged) | Q(second=merged)).order_by("pk")
    for pair in pairs:
        other = pair.second_id if pair.first_id == merged.pk else pair.first_id
        if other == kept.pk:
            journal.set([pair], state=Duplicate.State.MERGED, decided_by_id=by.pk, decided_at=now)
            continue
        journal.remove(pair)
        first, second = sorted((kept.pk, other))
        decided = pair.state == Duplicate.State.DIFFERENT
        known = Duplicate.objects.filter(first=first, second=second)
        if decided and not known.exists():
            journal.make(
                Duplicate(
                    first_id=first,
                    second_id=second,
                    reason=pair.reason,
                    state=pair.state,
                    decided_by_id=pair.decided_by_id,
                    decided_at=pair.decided_at,
                )
            )


def _set_kept(journal: Journal, kept: Resident, chosen: dict) -> None:
    new = {name: value for name, value in chosen.items() if getattr(kept, name) != value}
    try:
        with transaction.atomic():
            journal.set([kept], **new)
    except IntegrityError:  # the number is free by now: somebody alive would be a second head
        raise RuleViolation("本户已有户主，请核对死亡日期。", field="death_date") from None


def _move_everything(journal: Journal, kept: Resident, merged: Resident) -> None:
    for model, field in references(Resident):
        if (model, field.name) in _STAYS:
            continue
        rows = model._base_manager.filter(**{field.name: merged})
        if model is EventChange:
            # One event that concerned both tells of both, and so it cannot be taken back.
            rows = rows.exclude(event__in=EventChange.objects.filter(resident=kept).values("event"))
        columns = numbered(field)
        if columns:
            _move_numbered(journal, model, field, columns, kept, merged)
        else:
            _move(journal, model, field, list(rows.values_list("pk", flat=True)), kept.pk)


def _move_numbered(journal: Journal, model, field, columns, kept: Resident, merged: Resident):
    """Links of relatives: they lead to the kept record and hold its number."""
    number, digest = kept.id_number, kept.id_number_digest or ""
    both = model._base_manager.filter(**{f"{field.name}__in": [kept.pk, merged.pk]})
    right = {field.attname: kept.pk, columns[1]: digest}
    with _once(model):
        journal.set(
            list(both.exclude(**right).order_by("pk")),
            **{field.attname: kept.pk, columns[0]: number, columns[1]: digest},
        )


def _move(journal: Journal, model, field, pks: list[int], to: int) -> None:
    with _once(model):
        journal.move(model, field, pks, to)


@contextmanager
def _once(model) -> Iterator[None]:
    """Rows of which only one may stand: the merge is refused, nothing is dropped."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        words = model._meta.verbose_name
        raise RuleViolation(
            f"两份记录都有“{words}”，合并后会重复。请先处理其中一份的{words}，再合并。"
        ) from None


def _hanging(kept: Resident) -> dict[str, list[int]]:
    """The keys of all rows that point at the kept record, by table and column."""
    found = {}
    for model, field in references(Resident):
        if (model, field.name) not in _STAYS or model is Residency:
            rows = model._base_manager.filter(**{field.name: kept})
            found[f"{model._meta.label_lower}.{field.name}"] = sorted(
                rows.values_list("pk", flat=True)
            )
    return found


def _refuse_undo(before: dict, journal: Journal, kept: Resident, merged: Resident) -> None:
    if kept.merged_into_id:
        raise RuleViolation("这份记录后来又并入了别的记录，请先撤销后一次合并。")
    for person, stored in ((kept, before["kept"]), (merged, before["merged"])):
        now = row_of(person)
        if any(now[name] != stored[name] for name in stored if name not in COUNTERS):
            raise RuleViolation(
                f"合并以后，{person.name}的资料又改过。请先把后来的改动改回，再撤销合并。"
            )
    hanging = _hanging(kept)
    for model, field in references(Resident):
        key = f"{model._meta.label_lower}.{field.name}"
        if hanging.get(key) != before["hanging"].get(key):
            raise _changed(model)
    changed = journal.changed_since()
    if changed:
        raise _changed(changed)


def _changed(model) -> RuleViolation:
    words = model._meta.verbose_name
    return RuleViolation(f"合并以后，{words}又有新的登记或改动，已经不能撤销合并。")


def _number_columns(link: str) -> tuple[str, str]:
    return f"{link}_id_number", f"{link}_id_number_digest"


def _record(type_: str, merge: Merge, by, changes: dict) -> None:
    """On both records, so that the history of either tells it."""
    log.record_many(
        [
            log.Entry(type_, "households.resident", str(p.pk), p.village.path, changes)
            for p in (merge.kept, merge.merged)
        ],
        by=by,
    )
