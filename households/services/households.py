"""Households: registered, corrected, drawing 低保 or not."""

import copy
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households.models import Household, LowIncomeSpell
from households.services.scope import require_visible
from households.spells import NewHousehold


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
    require_visible(Household.objects.visible_to(by), household)
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
    require_visible(Household.objects.visible_to(by), household)
    log.record(
        "household.changed",
        by=by,
        target=household,
        region_path=household.village.path,
        changes=changes,
    )
    household.refresh_from_db(fields=["row_version"])
    return household


def locked_household(household: Household | NewHousehold, by) -> Household:
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
