"""The registry: households, residents, where each has been registered, births, and life events."""

from households.models.births import ChildRecord
from households.models.duplicates import Duplicate, Merge
from households.models.enums import (
    DisabilityGrade,
    Hukou,
    Marital,
    Origin,
    Relation,
    Residence,
    Sex,
    Survival,
)
from households.models.events import EventChange, EventKind, LifeEvent
from households.models.ledger import LedgerEntry, LedgerLock, LedgerMember
from households.models.people import (
    Household,
    LowIncomeSpell,
    Residency,
    Resident,
    living,
    registered,
)
from households.models.places import VillageChange
from households.models.requests import ChangeRequest

__all__ = [
    "ChangeRequest", "ChildRecord", "DisabilityGrade", "Duplicate", "EventChange", "EventKind",
    "Household", "Hukou", "LedgerEntry", "LedgerLock", "LedgerMember", "LifeEvent", "LowIncomeSpell",
    "Marital", "Merge", "Origin", "Relation",
    "Residence", "Residency", "Resident", "Sex", "Survival", "VillageChange", "living", "registered",
]  # fmt: skip
