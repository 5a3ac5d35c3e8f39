"""What was paid too much: months paid that the rolls, as they are now, no longer make payable.

Looked for are people who died, left the roll or were suspended; compared are the person's paid lines
of a benefit year with what the year comes to today. What was paid before this system is left out: by
which rates it was worked out, nobody knows. It only tells; to ask money back is for somebody to propose.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from subsidies.models import (
    PAID_STATES,
    LineState,
    PaymentBatch,
    PaymentLine,
    Recovery,
    Suspension,
)
from subsidies.payments.entitlement import Payable, payables
from subsidies.payments.making import worth

_COLUMNS = (
    "pk", "policy_code", "year", "slot", "enrolment__resident", "months", "gross", "state",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Overpaid:
    """One paid line that is suspected: months of the benefit year as bits, and the sum paid too much."""

    line: int
    policy_code: str
    year: int
    months: int
    amount: Decimal


class _Paid(NamedTuple):
    line: int
    policy_code: str
    year: int
    slot: str
    resident: int
    months: int
    gross: Decimal
    state: str


def overpaid(lines: QuerySet) -> list[Overpaid]:
    """Those of the visible `lines` that paid too much, newest years first.

    What a recovery was proposed for, agreed or refused, is left out. The number of queries is fixed
    for each policy and year in which somebody is suspected.
    """
    found: list[Overpaid] = []
    suspects = _suspects(lines)
    asked = dict(
        Recovery.objects.filter(line__in=suspects.values("pk"))
        .order_by()
        .values_list("line")
        .annotate(sum=Sum("amount"))
    )
    by_year = defaultdict(list)
    for row in suspects.order_by("-pk").values_list(*_COLUMNS).iterator(chunk_size=5_000):
        paid = _Paid._make(row)
        by_year[paid.policy_code, paid.year].append(paid)
    for (code, year), rows in sorted(by_year.items(), key=lambda one: (-one[0][1], one[0][0])):
        people = suspects.filter(policy_code=code, year=year).order_by()
        among = people.values("enrolment__resident")
        due = _by_person(payables(code, "", year, among=among))
        found += _compared(rows, due, asked)
    return found


def _suspects(lines: QuerySet) -> QuerySet:
    """Paid lines of people of whom something ended, whoever else was paid by the same roll."""
    stopped = Suspension.objects.filter(enrolment=OuterRef("enrolment"))
    ended = (
        Q(enrolment__end_month__isnull=False)
        | Q(enrolment__resident__death_date__isnull=False)
        | Exists(stopped)
    )
    paid = lines.filter(state__in=PAID_STATES, enrolment__isnull=False)
    return paid.filter(ended).exclude(batch__kind=PaymentBatch.Kind.HISTORY)


def _by_person(found: Iterable[Payable]) -> dict[tuple[int, str], list[Payable]]:
    due = defaultdict(list)
    for one in found:
        due[one.resident, one.slot].append(one)
    return due


def _compared(
    rows: list[_Paid], due: Mapping[tuple[int, str], list[Payable]], asked: Mapping[int, Decimal]
) -> Iterator[Overpaid]:
    """Person by person; too much is laid to the lines of those months, none with more than it paid."""
    people = defaultdict(list)
    for row in rows:
        people[row.resident, row.slot].append(row)
    for key, paid in people.items():
        owed = due.get(key, [])
        if any(one.gross is None for one in owed):
            continue  # without a rate nobody can say
        months = _all(paid)
        right = sum((worth(one, one.months & months) for one in owed), Decimal(0))
        extra = sum((row.gross for row in paid), Decimal(0)) - right
        extra -= sum((asked.get(row.line, Decimal(0)) for row in paid), Decimal(0))
        beyond = months & ~_all(owed)
        for row in sorted(paid, key=lambda one: (not one.months & beyond, -one.line)):
            amount = min(extra, row.gross - asked.get(row.line, Decimal(0)))
            if amount > 0 and row.state == LineState.PAID:
                yield Overpaid(row.line, row.policy_code, row.year, row.months & beyond, amount)
                extra -= amount


def _all(rows: Iterable[_Paid | Payable]) -> int:
    bits = 0
    for row in rows:
        bits |= row.months
    return bits


def lines_of(found: list[Overpaid]) -> dict[int, PaymentLine]:
    """The lines themselves, to be shown."""
    return PaymentLine.objects.for_list().in_bulk([one.line for one in found])
