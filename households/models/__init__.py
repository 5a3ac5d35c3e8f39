"""The registry: households, residents, where each has been registered, births, and life events."""

from households.models.births import ChildRecord
from households.models.care import (
    HEALTH_DOCUMENTS,
    AidReceived,
    Anniversary,
    CareRound,
    DoctorContract,
    DocumentKind,
    FamilyDocument,
    HealthCheck,
    MedicalCard,
    NursingInsurance,
    PriorityKind,
    PriorityService,
    RoundVisit,
)
from households.models.contacts import (
    VISITS,
    Channel,
    ContactPerson,
    ContactRecord,
    FamilyContact,
    FollowUp,
    MissedMonth,
    NeedKind,
    Purpose,
)
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
from households.models.special_families import (
    ArchiveReview,
    CareRule,
    CloseReason,
    ContactKind,
    FamilyKind,
    FamilyParent,
    SpecialFamily,
    archive_open,
)

__all__ = [
    "HEALTH_DOCUMENTS", "VISITS", "AidReceived", "Anniversary", "ArchiveReview", "CareRound", "CareRule",
    "ChangeRequest", "Channel", "ChildRecord", "CloseReason", "ContactKind", "ContactPerson",
    "ContactRecord", "DisabilityGrade", "DoctorContract", "DocumentKind", "Duplicate", "EventChange",
    "EventKind", "FamilyContact", "FamilyDocument", "FamilyKind", "FamilyParent", "FollowUp",
    "HealthCheck", "Household", "Hukou", "LedgerEntry", "LedgerLock", "LedgerMember", "LifeEvent",
    "LowIncomeSpell", "Marital", "MedicalCard", "Merge", "MissedMonth", "NeedKind", "NursingInsurance",
    "Origin", "PriorityKind", "PriorityService", "Purpose", "Relation", "Residence", "Residency",
    "Resident", "RoundVisit", "Sex", "SpecialFamily", "Survival", "VillageChange", "archive_open",
    "living", "registered",
]  # fmt: skip
