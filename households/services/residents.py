"""Residents: registered and edited, each with the spell that says where."""

import copy
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.identity import normalise_id_number
from fpadmin.versions import claim
from households import rules, selectors
from households.identifiers import (
    RESIDENT_IDENTIFIERS,
    link_waiting,
    renumber_links,
    set_identifier,
)
from households.models import Household, Relation, Residency, Resident
from households.services.households import locked_household
from households.services.scope import require_visible
from households.services.special_reviews import review_archives
from households.spells import SPELL_FIELDS, Change, NewHousehold, next_spell, spell_values

RESIDENT_FIELDS = (
    "name", "sex", "birth_date", "death_date", "ethnicity", "marital", "first_marriage_date", "education",
    "employment", "only_child_cert_no", "only_child_cert_date", "disability_grade", "bank", "note",
)  # fmt: skip
ID_NUMBER_TAKEN = "这个号码已在本系统登记，请联系镇办。"
SECOND_HEAD = "本户已有户主{name}，请改选与户主的关系。"
DEPARTED = "已离册，不能修改户籍和居住情况。请用迁入或返回登记。"


@transaction.atomic
def register_resident(
    *, by, household: Household | NewHousehold, values: dict[str, Any], change: Change
) -> Resident:
    """A person new to the system, in `household` from `change.on` (unknown counts as always).

    Refuses an ID number that is registered anywhere, a second living head, and without an ID
    number the same name and birth date in one household. Links that waited for the person follow.
    """
    household = locked_household(household, by)
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
    save_unless_taken(resident)
    Residency.objects.create(
        resident=resident, started_on=change.on, reason=change.reason, **spell_values(resident)
    )
    link_waiting([resident.pk])
    require_visible(Resident.objects.visible_to(by), resident)
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
    today: date,
) -> Resident:
    """Save what differs. Raises EditConflict when somebody saved since `row_version`.

    A changed household, relation, residence or hukou closes the spell in force on `change.on` and
    opens the next; without a day, and for all other fields, it is a correction. `values` without
    a key leaves that field alone. Relatives' records follow a new ID number.
    """
    claim(resident, row_version)
    before = copy.copy(resident)
    household = locked_household(household, by)
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
    save_unless_taken(resident, update_fields=[*written, "name_initials"])
    if resident.id_number_digest != before.id_number_digest:
        renumber_links(resident)
    spell_changes = _spell_changes(before, resident)
    if spell_changes and resident.departed_on:
        raise RuleViolation(DEPARTED)
    if spell_changes:
        next_spell(resident, change)
    link_waiting([resident.pk])
    require_visible(Resident.objects.visible_to(by), resident)
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
    review_archives(
        by=by, people=[resident.pk], cause="修改居民", today=today, always=False, resident=resident
    )
    resident.refresh_from_db(fields=["row_version", "spouse", "father", "mother"])
    return resident


def _refuse_taken_number(number: str, own_pk: int | None) -> None:
    if Resident.objects.with_id_number(number).exclude(pk=own_pk).exists():
        raise RuleViolation(ID_NUMBER_TAKEN, field="id_number")


def _refuse_same_newborn(household: Household, values: dict[str, Any]) -> None:
    # A record without a spell is of a registration that was taken back.
    same = Resident.objects.filter(
        household=household,
        name=values["name"],
        birth_date=values["birth_date"],
        residencies__isnull=False,
    )
    if same.exists():
        raise RuleViolation("本户已登记了同名、同日出生的人，请核对姓名。", field="name")


def _refuse_second_head(resident: Resident) -> None:
    if resident.relation != Relation.HEAD or resident.death_date or resident.departed_on:
        return
    head = selectors.head_of(resident.household, except_pk=resident.pk)
    if head:
        raise RuleViolation(SECOND_HEAD.format(name=head.name), field="relation")


def save_unless_taken(resident: Resident, update_fields=None) -> None:
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


def _spell_changes(before: Resident, after: Resident) -> dict[str, Any]:
    changes = log.changes_between(before, after, SPELL_FIELDS[1:])
    if before.household_id != after.household_id:
        changes["household"] = [before.household.number, after.household.number]
    if before.village_id != after.village_id:
        changes["village"] = [before.village.name, after.village.name]
    return changes
