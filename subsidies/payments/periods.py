"""Benefit years: twelve months, named by the calendar year they end in, and months of them as bits."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

from subsidies.models.payments import MONTHS
from subsidies.policies.catalogue import Policy
from subsidies.rolls.ends import next_month

WHOLE = (1 << MONTHS) - 1
FIRST = 1  # what is paid by the year or once


def benefit_months(policy: Policy, year: int) -> list[date]:
    """The twelve months of the benefit year, in order: October to September where the policy says so."""
    return _months(policy.year_from_month, year)


def last_day(policy: Policy, year: int) -> date:
    """The last day of the benefit year."""
    return next_month(benefit_months(policy, year)[-1]) - timedelta(days=1)


def year_of(policy: Policy, month: date) -> int:
    """The benefit year that the month lies in."""
    begins = policy.year_from_month
    return month.year + (begins > 1 and month.month >= begins)


def year_words(policy: Policy, year: int) -> str:
    """How the year is called: 2017年度, or 2017年度（2016年10月至2017年9月）."""
    if policy.year_from_month == 1:
        return f"{year}年度"
    first, *_, last = benefit_months(policy, year)
    return f"{year}年度（{first.year}年{first.month}月至{last.year}年{last.month}月）"


def bits_between(policy: Policy, year: int, first: date, last: date) -> int:
    """The months of the benefit year from `first` to `last`, both included."""
    return sum(
        1 << number
        for number, month in enumerate(benefit_months(policy, year))
        if first <= month <= last
    )


def months_in(policy: Policy, year: int, bits: int) -> Iterator[date]:
    """The months that the bits stand for."""
    for number, month in enumerate(benefit_months(policy, year)):
        if bits >> number & 1:
            yield month


def slot_of(policy: Policy, year: int, grade: str) -> str:
    """What may be paid once: the benefit year, a whole life, or a stage that is paid once."""
    if policy.cycle == "once":
        return "once"
    return f"once:{grade}" if grade in policy.once_for else str(year)


def is_once(policy: Policy, grade: str) -> bool:
    """Whether it is paid once and never again."""
    return policy.cycle == "once" or grade in policy.once_for


@cache
def _months(begins: int, year: int) -> list[date]:
    first = date(year - (begins > 1), begins, 1)
    found = [first]
    while len(found) < MONTHS:
        found.append(next_month(found[-1]))
    return found
