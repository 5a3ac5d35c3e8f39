"""Rounds of visits for tests: a round, and a family on its list."""

from datetime import date
from decimal import Decimal

from households.models import CareRound, RoundVisit
from tests.factories.accounts import make_user


def make_round(township, name="2018年中秋节慰问", **extra) -> CareRound:
    """A round of the township without a family; the services make one with its list."""
    values = {
        "starts_on": date(2018, 9, 10), "due_on": date(2018, 9, 24), "gift": "月饼一盒",
        "amount": Decimal(500),
    } | extra  # fmt: skip
    maker = make_user("clerk", township, f"{CareRound.objects.count()}{township.code}")
    return CareRound.objects.create(region=township, name=name, made_by=maker, **values)


def make_visit(family, care_round, **extra) -> RoundVisit:
    """The family on the round's list, with its first contact as visitor."""
    return RoundVisit.objects.create(
        round=care_round, family=family, contact=family.contacts.first(), **extra
    )
