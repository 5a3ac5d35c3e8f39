"""Writes of the registry: each one transaction that ends in an audit event."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation
from fpadmin.identity import normalise_id_number
from fpadmin.versions import claim
from households import rules
from households.identifiers import link_waiting, set_identifier
from households.models import (
    ChildRecord,
    Household,
    LowIncomeSpell,
    Origin,
    Relation,
    Residency,
    Resident,
    Sex,
)

EVENT_TYPES = {
    "household.registered": "登记家庭",
    "household.changed": "修改家庭",
    "household.viewed": "查看家庭",
    "resident.registered": "登记居民",
    "resident.changed": "修改居民",
    "resident.viewed": "查看居民",
    "resident.searched": "按姓名或号码查找",
    "resident.revealed": "显示完整号码",
    "birth.recorded": "登记生育",
    "birth.changed": "修改生育",
    "resident.imported": "导入修改居民",
    "birth.imported": "导入修改生育史",
    "demo.loaded": "生成演示数据",
}
CHANGE_LABELS = {
    "counts_from": "变动日期", "low_income": "低保", "group": "小组", "field": "字段",
    "terms": "查找内容的摘要",
}  # fmt: skip
REVEALS_PER_HOUR = 60
REVEALABLE = (
    "id_number", "phone", "bank_account", "spouse_id_number", "father_id_number", "mother_id_number",
)  # fmt: skip
RESIDENT_IDENTIFIERS = REVEALABLE
CHILD_IDENTIFIERS = ("mother_id_number", "father_id_number", "child_id_number")
# What a spell holds: a change of one of these on a day opens the next spell.
SPELL_FIELDS = ("household", "relation", "residence", "hukou", "hukou_region_code")
RESIDENT_FIELDS = (
    "name", "sex", "birth_date", "death_date", "ethnicity", "marital", "first_marriage_date", "education",
    "employment", "only_child_cert_no", "only_child_cert_date", "disability_grade", "bank", "note",
)  # fmt: skip
CHILD_FIELDS = (
    "child_name", "sex", "birth_date", "order", "origin", "within_policy", "hospital",
    "birth_certificate_no", "survival", "death_date", "disability_grade", "disability_date",
)  # fmt: skip
ID_NUMBER_TAKEN = "这个号码已在本系统登记，请联系镇办。"
NOT_YOURS = "所选的家庭不在您的区划内，没有保存。"


@dataclass(frozen=True)
class Change:
    """From which day new household, relation, residence or hukou count, and why.

    Without a day they correct the spell in force: it was registered wrongly.
    """

    on: date | None = None
    reason: str = ""


@dataclass(frozen=True)
class NewHousehold:
    """A household that is registered together with its first member."""

    village: Region
    group: Region | None
    number: str
    address: str = ""


@transaction.atomic
def register_household(
    *,
    by,
    village: Region,
    group: Region | None,
    number: str,
    address: str = "",
    low_income: bool = False,
    low_income_from: date | None = None,
) -> Household:
    """A new household with a number of its own in the village."""
    taken = RuleViolation(f"{village.name}已有户编号{number}，请改用别的编号。", field="number")
    if Household.objects.filter(village=village, number=number).exists():
        raise taken
    try:
        with transaction.atomic():
            household = Household.objects.create(
                village=village, group=group, number=number, address=address
            )
    except IntegrityError:
        raise taken from None
    if low_income:
        LowIncomeSpell.objects.create(household=household, started_on=low_income_from)
    _require_visible(Household.objects.visible_to(by), household)
    log.record("household.registered", by=by, target=household, region_path=village.path)
    return household


@transaction.atomic
def edit_household(
    *,
    by,
    household: Household,
    row_version: int,
    group: Region | None,
    address: str,
    low_income: bool,
    low_income_on: date,
) -> Household:
    """Correct group and address; open or close the 低保 spell on `low_income_on`."""
    claim(household, row_version)
    before = copy.copy(household)
    household.group, household.address = group, address
    household.save(update_fields=["group", "address"])
    changes = log.changes_between(before, household, ["address"])
    if before.group_id != household.group_id:
        changes["group"] = [str(before.group or ""), str(household.group or "")]
    changes |= _set_low_income(household, low_income, low_income_on)
    _require_visible(Household.objects.visible_to(by), household)
    log.record(
        "household.changed",
        by=by,
        target=household,
        region_path=household.village.path,
        changes=changes,
    )
    household.refresh_from_db(fields=["row_version"])
    return household


@transaction.atomic
def register_resident(
    *, by, household: Household | NewHousehold, values: dict[str, Any], change: Change
) -> Resident:
    """A person new to the system, in `household` from `change.on` (unknown counts as always).

    Refuses an ID number that is registered anywhere, a second living head, and without an ID
    number the same name and birth date in one household. Links that waited for the person follow.
    """
    household = _household(household, by)
    if values.get("id_number"):
        _refuse_taken_number(values["id_number"], None)
    else:
        _refuse_same_newborn(household, values)
    resident = Resident(household=household, village=household.village)
    for field in (*RESIDENT_FIELDS, *SPELL_FIELDS[1:]):
        if field in values:
            setattr(resident, field, values[field])
    for field in RESIDENT_IDENTIFIERS:
        set_identifier(resident, field, values.get(field) or "")
    resident.name_initials = rules.name_initials(resident.name)
    _refuse_second_head(resident)
    _save_unless_number_taken(resident)
    Residency.objects.create(
        resident=resident, started_on=change.on, reason=change.reason, **_spell_values(resident)
    )
    link_waiting([resident.pk])
    _require_visible(Resident.objects.visible_to(by), resident)
    log.record("resident.registered", by=by, target=resident, region_path=household.village.path)
    resident.refresh_from_db(fields=["spouse", "father", "mother"])
    return resident


@transaction.atomic
def edit_resident(
    *,
    by,
    resident: Resident,
    row_version: int,
    household: Household | NewHousehold,
    values: dict[str, Any],
    change: Change,
) -> Resident:
    """Save what differs. Raises EditConflict when somebody saved since `row_version`.

    A changed household, relation, residence or hukou closes the spell in force on `change.on` and
    opens the next; without a day, and for all other fields, it is a correction. `values` without
    a key leaves that field alone.
    """
    claim(resident, row_version)
    before = copy.copy(resident)
    household = _household(household, by)
    resident.household, resident.village = household, household.village
    written = ["household", "village", "updated_at"]
    for field in (*RESIDENT_FIELDS, *SPELL_FIELDS[1:]):
        if field in values:
            setattr(resident, field, values[field])
            written.append(field)
    for field in RESIDENT_IDENTIFIERS:
        if field in values and normalise_id_number(values[field]) != getattr(before, field):
            written += _change_identifier(resident, field, values[field])
    resident.name_initials = rules.name_initials(resident.name)
    _refuse_second_head(resident)
    _save_unless_number_taken(resident, update_fields=[*written, "name_initials"])
    spell_changes = _spell_changes(before, resident)
    if spell_changes:
        _next_spell(resident, change)
    link_waiting([resident.pk])
    _require_visible(Resident.objects.visible_to(by), resident)
    changes = spell_changes | log.changes_between(
        before, resident, [*RESIDENT_FIELDS, *RESIDENT_IDENTIFIERS]
    )
    if spell_changes:
        changes["counts_from"] = [None, change.on.isoformat() if change.on else "更正"]
    log.record(
        "resident.changed",
        by=by,
        target=resident,
        region_path=resident.village.path,
        changes=changes,
    )
    resident.refresh_from_db(fields=["row_version", "spouse", "father", "mother"])
    return resident


@transaction.atomic
def record_birth(*, by, parent: Resident, values: dict[str, Any]) -> ChildRecord:
    """A line of a mother's birth history, or of a single father's where no mother is known."""
    Resident.objects.select_for_update().get(pk=parent.pk)
    record = ChildRecord()
    _set_parents(record, parent, values)
    for field in CHILD_FIELDS:
        setattr(record, field, values[field])
    set_identifier(record, "child_id_number", values.get("child_id_number") or "")
    _refuse_order(record)
    record.child = _child_of(record)
    _save_birth(record)
    link_waiting([parent.pk])
    _require_visible(ChildRecord.objects.visible_to(by), record)
    log.record("birth.recorded", by=by, target=record, region_path=parent.village.path)
    return record


@transaction.atomic
def edit_birth(
    *, by, record: ChildRecord, parent: Resident, row_version: int, values: dict[str, Any]
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
    _require_visible(ChildRecord.objects.visible_to(by), record)
    log.record(
        "birth.changed",
        by=by,
        target=record,
        region_path=parent.village.path,
        changes=log.changes_between(before, record, [*CHILD_FIELDS, *CHILD_IDENTIFIERS]),
    )
    record.refresh_from_db(fields=["row_version"])
    return record


def reveal(*, by, resident: Resident, field: str, reason: str, now: datetime) -> str:
    """One identifier in clear, for a stated reason; recorded, and at most 60 an hour per person.

    The refusal is recorded too.
    """
    if field not in REVEALABLE:
        raise ValueError(f"{field!r} is not one of {', '.join(REVEALABLE)}")
    path = resident.village.path
    changes = {"field": field, "reason": reason}
    try:
        with transaction.atomic():
            # Recording locks the chain, so that two requests of one person are counted in turn.
            log.record(
                "resident.revealed", by=by, target=resident, region_path=path, changes=changes
            )
            seen = AuditEvent.objects.filter(
                type="resident.revealed",
                actor_id=by.pk,
                result="ok",
                at__gt=now - timedelta(hours=1),
            ).count()
            if seen > REVEALS_PER_HOUR:
                raise RuleViolation(f"一小时内最多显示{REVEALS_PER_HOUR}个完整号码，请稍后再试。")
    except RuleViolation:
        log.record(
            "resident.revealed",
            by=by,
            target=resident,
            region_path=path,
            changes=changes,
            result="refused",
        )
        raise
    return getattr(resident, field)


def record_view(*, by, target: Resident | Household) -> None:
    """That somebody opened the page of a person or a household."""
    log.record(
        f"{target._meta.model_name}.viewed", by=by, target=target, region_path=target.village.path
    )


def record_search(*, by, terms: Iterable[str], count: int) -> None:
    """That somebody searched by name or number: the terms only as digests."""
    log.record(
        "resident.searched", by=by, count=count, changes={"terms": [digest(t) for t in terms]}
    )


def _household(household: Household | NewHousehold, by) -> Household:
    """The household, locked: its head and its newborns are looked at before somebody joins it."""
    if isinstance(household, NewHousehold):
        return register_household(
            by=by,
            village=household.village,
            group=household.group,
            number=household.number,
            address=household.address,
        )
    return (
        Household.objects.select_related("village")
        .select_for_update(of=("self",))
        .get(pk=household.pk)
    )


def _require_visible(queryset, instance) -> None:
    if not queryset.filter(pk=instance.pk).exists():
        raise RuleViolation(NOT_YOURS, field="village")


def _refuse_taken_number(number: str, own_pk: int | None) -> None:
    if Resident.objects.with_id_number(number).exclude(pk=own_pk).exists():
        raise RuleViolation(ID_NUMBER_TAKEN, field="id_number")


def _refuse_same_newborn(household: Household, values: dict[str, Any]) -> None:
    same = Resident.objects.filter(
        household=household, name=values["name"], birth_date=values["birth_date"]
    )
    if same.exists():
        raise RuleViolation("本户已登记了同名、同日出生的人，请核对姓名。", field="name")


def _refuse_second_head(resident: Resident) -> None:
    if resident.relation != Relation.HEAD or resident.death_date:
        return
    head = (
        Resident.objects.filter(
            household=resident.household, relation=Relation.HEAD, death_date__isnull=True
        )
        .exclude(pk=resident.pk)
        .first()
    )
    if head:
        raise RuleViolation(f"本户已有户主{head.name}，请改选与户主的关系。", field="relation")


def _save_unless_number_taken(resident: Resident, update_fields=None) -> None:
    """Two clerks may register one person at once: the second is told so instead of an error page."""
    try:
        with transaction.atomic():
            resident.save(update_fields=update_fields)
    except IntegrityError as error:
        if "id_number_digest" in str(error):
            raise RuleViolation(ID_NUMBER_TAKEN, field="id_number") from None
        if "one_living_head" in str(error) or "household_id" in str(error):
            raise RuleViolation("本户已有户主，请改选与户主的关系。", field="relation") from None
        raise


def _change_identifier(resident: Resident, field: str, value: str) -> list[str]:
    """Set the identifier; a link that followed the old number is taken back."""
    if field == "id_number" and value:
        _refuse_taken_number(value, resident.pk)
    written = set_identifier(resident, field, value)
    link = field.removesuffix("_id_number")
    if link in ("spouse", "father", "mother"):
        setattr(resident, link, None)
        written.append(link)
    return written


def _spell_values(resident: Resident) -> dict[str, Any]:
    return {f: getattr(resident, f) for f in SPELL_FIELDS} | {"village": resident.village}


def _spell_changes(before: Resident, after: Resident) -> dict[str, Any]:
    changes = log.changes_between(before, after, SPELL_FIELDS[1:])
    if before.household_id != after.household_id:
        changes["household"] = [before.household.number, after.household.number]
    if before.village_id != after.village_id:
        changes["village"] = [before.village.name, after.village.name]
    return changes


def _next_spell(resident: Resident, change: Change) -> None:
    spell = Residency.objects.filter(resident=resident, ended_on__isnull=True).first()
    values = _spell_values(resident)
    if spell and (change.on is None or spell.started_on == change.on):
        for field, value in values.items():
            setattr(spell, field, value)
        spell.save(update_fields=[*values])
        return
    if spell and spell.started_on and change.on < spell.started_on:
        raise RuleViolation(
            f"变动日期不能早于现有登记的起始日期{spell.started_on}。", field="changed_on"
        )
    if change.on and change.on < resident.birth_date:
        raise RuleViolation("变动日期不能早于出生日期。", field="changed_on")
    if spell:
        spell.ended_on = change.on
        spell.save(update_fields=["ended_on"])
    Residency.objects.create(
        resident=resident, started_on=change.on, reason=change.reason, **values
    )


def _set_low_income(household: Household, low_income: bool, on: date) -> dict[str, Any]:
    spell = household.low_income_spells.filter(ended_on__isnull=True).first()
    if low_income == (spell is not None):
        return {}
    if low_income:
        LowIncomeSpell.objects.create(household=household, started_on=on)
    elif spell.started_on and spell.started_on >= on:
        spell.delete()  # it would be empty: opened and closed on one day
    else:
        spell.ended_on = on
        spell.save(update_fields=["ended_on"])
    return {"low_income": [not low_income, low_income]}


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
            name=record.child_name,
            birth_date=record.birth_date,
            sex=record.sex,
        )[:2]
    )
    return same[0] if len(same) == 1 else None
