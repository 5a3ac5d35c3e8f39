"""Birth histories: lines recorded and corrected."""

import copy
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households import rules
from households.identifiers import CHILD_IDENTIFIERS, link_waiting, set_identifier
from households.models import ChildRecord, Origin, Resident, Sex
from households.services.scope import require_visible
from households.services.special_reviews import review_archives

CHILD_FIELDS = (
    "child_name", "sex", "birth_date", "order", "origin", "within_policy", "hospital",
    "birth_certificate_no", "survival", "death_date", "disability_grade", "disability_date",
)  # fmt: skip


@transaction.atomic
def record_birth(
    *, by, parent: Resident, values: dict[str, Any], today: date, child: Resident | None = None
) -> ChildRecord:
    """A line of a mother's birth history, or of a single father's where no mother is known.

    `child` is the resident it is about; else one is looked for by number, or by name and day.
    """
    Resident.objects.select_for_update().get(pk=parent.pk)
    record = ChildRecord()
    _set_parents(record, parent, values)
    for field in CHILD_FIELDS:
        setattr(record, field, values[field])
    set_identifier(record, "child_id_number", values.get("child_id_number") or "")
    _refuse_order(record)
    record.child = child or _child_of(record)
    _save_birth(record)
    link_waiting([parent.pk])
    require_visible(ChildRecord.objects.visible_to(by), record)
    log.record("birth.recorded", by=by, target=record, region_path=parent.village.path)
    cause = "收养" if record.origin == Origin.ADOPTED else "出生"
    _review_archives(record, by, cause, today, always=True)
    return record


@transaction.atomic
def edit_birth(
    *,
    by,
    record: ChildRecord,
    parent: Resident,
    row_version: int,
    values: dict[str, Any],
    today: date,
) -> ChildRecord:
    """Correct a line of the birth history. Raises EditConflict when somebody saved meanwhile."""
    claim(record, row_version)
    before = copy.copy(record)
    for field in CHILD_FIELDS:
        setattr(record, field, values[field])
    written = list(CHILD_FIELDS)
    if values.get("child_id_number") is not None:
        written += set_identifier(record, "child_id_number", values["child_id_number"])
    written += _set_parents(record, parent, values)
    _refuse_order(record)
    record.child = _child_of(record)
    _save_birth(record, update_fields=[*written, "child"])
    require_visible(ChildRecord.objects.visible_to(by), record)
    log.record(
        "birth.changed",
        by=by,
        target=record,
        region_path=parent.village.path,
        changes=log.changes_between(before, record, [*CHILD_FIELDS, *CHILD_IDENTIFIERS]),
    )
    died = record.death_date is not None and before.death_date is None
    _review_archives(record, by, "子女死亡" if died else "修改生育史", today, always=died)
    record.refresh_from_db(fields=["row_version"])
    return record


def _review_archives(record: ChildRecord, by, cause: str, today: date, *, always: bool) -> None:
    review_archives(
        by=by,
        people=[pk for pk in (record.mother_id, record.father_id) if pk],
        cause=cause,
        today=today,
        always=always,
        resident=record.child,
    )


def _set_parents(record: ChildRecord, parent: Resident, values: dict[str, Any]) -> list[str]:
    """The parent whose page it is, and the other one by number, registered here or not."""
    own, other = ("mother", "father") if parent.sex == Sex.FEMALE else ("father", "mother")
    setattr(record, own, parent)
    written = [own, *set_identifier(record, f"{own}_id_number", parent.id_number)]
    number = values.get(f"{other}_id_number")
    if number is not None:
        written += set_identifier(record, f"{other}_id_number", number)
        found = Resident.objects.with_id_number(number).first() if number else None
        setattr(record, other, found)
        written.append(other)
    return written


def _history_of(record: ChildRecord):
    """The other lines of the same history: of the mother, else of the single father."""
    if record.mother_id or record.mother_id_number_digest:
        same = Q(mother=record.mother_id) if record.mother_id else Q()
        if record.mother_id_number_digest:
            same |= Q(mother_id_number_digest=record.mother_id_number_digest)
    else:
        same = Q(father=record.father_id, mother__isnull=True, mother_id_number_digest="")
    return ChildRecord.objects.filter(same).exclude(pk=record.pk)


def _refuse_order(record: ChildRecord) -> None:
    adopted = Origin.ADOPTED
    others = [
        (order, born, origin == adopted)
        for order, born, origin in _history_of(record).values_list("order", "birth_date", "origin")
    ]
    finding = rules.order_finding(record.order, record.birth_date, record.origin == adopted, others)
    if finding:
        raise RuleViolation(finding.message, field=finding.field)


def _save_birth(record: ChildRecord, update_fields=None) -> None:
    try:
        with transaction.atomic():
            record.save(update_fields=update_fields)
    except IntegrityError as error:
        if "order" in str(error):
            raise RuleViolation(
                f"已有第{record.order}孩的记录，请核对孩次。", field="order"
            ) from None
        raise


def _child_of(record: ChildRecord) -> Resident | None:
    """The child where registered: by number, else the one of that name and day with this parent."""
    if record.child_id_number:
        return Resident.objects.with_id_number(record.child_id_number).first()
    parent = record.mother or record.father
    same = list(
        Resident.objects.filter(
            Q(mother=parent) | Q(father=parent) | Q(household=parent.household_id),
            merged_into__isnull=True,
            name=record.child_name,
            birth_date=record.birth_date,
            sex=record.sex,
        )[:2]
    )
    return same[0] if len(same) == 1 else None
