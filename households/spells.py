"""Where somebody is registered from which day: the current state, written with its spell."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from fpadmin.accounts.models import Region
from fpadmin.errors import RuleViolation
from households.models import Residency, Resident

# What a spell holds: a change of one of these on a day opens the next spell.
SPELL_FIELDS = ("household", "relation", "residence", "hukou", "hukou_region_code")


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


def spell_values(resident: Resident) -> dict[str, Any]:
    return {f: getattr(resident, f) for f in SPELL_FIELDS} | {"village": resident.village}


def next_spell(resident: Resident, change: Change) -> None:
    """Close the spell in force on the day and open one with the resident's state, or correct it.

    Refuses a day before the spell in force began, and one before the birth.
    """
    spell = Residency.objects.filter(resident=resident, ended_on__isnull=True).first()
    values = spell_values(resident)
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
