"""Care of special families for tests: one row of each table, for the archive's first parent."""

from datetime import date
from itertools import count

from households.models import (
    AidReceived,
    Anniversary,
    DoctorContract,
    HealthCheck,
    MedicalCard,
    NursingInsurance,
    PriorityService,
)

DAY = date(2018, 5, 6)
_sequence = count(1)


def parent_of(family):
    """The archive's first parent."""
    return family.parents.order_by("pk").first().resident


def make_card(family, number="", **extra) -> MedicalCard:
    values = {"number": number or f"JYK{next(_sequence):04}", "issued_on": DAY} | extra
    return MedicalCard.objects.create(family=family, **values)


def make_priority(family, used_on=DAY, **extra) -> PriorityService:
    values = {"kind": "挂号", "hospital": "市第一人民医院", "recorded_on": used_on} | extra
    return PriorityService.objects.create(family=family, used_on=used_on, **values)


def make_check(family, checked_on=DAY, resident=None, **extra) -> HealthCheck:
    values = {"hospital": "街道卫生院", "recorded_on": checked_on} | extra
    return HealthCheck.objects.create(
        family=family, resident=resident or parent_of(family), checked_on=checked_on, **values
    )


def make_doctor_contract(family, signed_on=DAY, resident=None, **extra) -> DoctorContract:
    values = {"institution": "街道卫生院", "doctor": "林霞丹", "until": date(2019, 5, 5)} | extra
    return DoctorContract.objects.create(
        family=family, resident=resident or parent_of(family), signed_on=signed_on, **values
    )


def make_insurance(family, starts_on=DAY, **extra) -> NursingInsurance:
    values = {"insurer": "人寿保险", "policy_number": f"BX{next(_sequence):04}"} | extra
    return NursingInsurance.objects.create(family=family, starts_on=starts_on, **values)


def make_aid(family, received_on=DAY, **extra) -> AidReceived:
    values = {"name": "临时救助", "amount": 500} | extra
    return AidReceived.objects.create(family=family, received_on=received_on, **values)


def make_anniversary(family, month=10, day=15, **extra) -> Anniversary:
    values = {"title": "小飞的生日"} | extra
    return Anniversary.objects.create(family=family, month=month, day=day, **values)
