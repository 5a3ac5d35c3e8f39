"""What is payable for a benefit year from the rolls, before any batch: months and rates of each line.

A month is payable from the start month to the last month paid, never after what the rule leaves to
somebody who died, and not while the line is suspended. What is paid by the year is payable whole where
any month is, unless the line is suspended when the year (or the line) ends.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from django.db.models import F, Q, QuerySet

from fpadmin.scoping import below
from households.models import Relation, Resident
from subsidies.models import Enrolment, PensionCase, Suspension
from subsidies.payments.periods import (
    FIRST,
    WHOLE,
    benefit_months,
    is_once,
    last_day,
    slot_of,
)
from subsidies.payments.wages import Wages, entered_wages, supplement, wage_of
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, Rule, policy_book
from subsidies.policies.catalogue import Policy
from subsidies.rolls.ends import end_month

Gap = tuple[date, date | None]
Rates = tuple[tuple[date, int, Decimal], ...]  # (from month, how many months, yuan each)


@dataclass(frozen=True, slots=True)
class Payable:
    """What one line of a roll comes to. `gross` None: no rate is known, so nothing can be paid.

    `resident` is who stands on the roll, `beneficiary` who is paid: of a couple or family the head.
    """

    enrolment: int
    resident: int
    beneficiary: int
    village: int
    village_code: str
    path: str
    household: int
    household_no: str
    name: str
    grade: str
    slot: str
    months: int
    month_count: int
    gross: Decimal | None
    rates: Rates
    starts: date
    employer_pays: bool = False
    part: str = ""  # the batch that a pension was put into


class _Line(NamedTuple):
    """A line of a roll as read; names and places of who stands on it."""

    pk: int
    resident: int
    grade: str
    start: date
    end: date | None
    died: date | None
    name: str
    village: int
    path: str
    village_code: str
    household: int
    number: str


class _Case(NamedTuple):
    """What a pension rests on."""

    retired: date
    payer: str
    part: str


def payables(
    code: str,
    path: str,
    year: int,
    *,
    bits: int = WHOLE,
    book: PolicyBook | None = None,
    among: QuerySet | None = None,
) -> Iterator[Payable]:
    """Everything payable of the policy under the path for these months of the benefit year.

    In order of village, household and person, in a fixed number of queries. `among` asks of these
    people alone, wherever they live now.
    """
    policy = catalogue.policy(code)
    if policy.in_kind:
        return
    ground = _Ground(policy, year, bits, book or policy_book(last_day(policy, year)))
    lines = _lines(ground, path, among)
    gaps, heads = _gaps(ground, lines), _heads(policy, lines)
    cases = _cases(policy, lines)
    taken: dict[tuple[int, str], int] = {}
    for line in _one_of_each(ground, _rows(lines)):
        made = _payable(ground, line, gaps.get(line.pk, ()), cases.get(line.pk))
        if made:
            yield _to_the_head(made, heads.get(line.household), taken)


class _Ground:
    """What every line of one year is worked out from; rules and rates are put together once a place."""

    def __init__(self, policy: Policy, year: int, bits: int, book: PolicyBook):
        self.policy, self.year, self.bits, self.book = policy, year, bits, book
        self.months = benefit_months(policy, year)
        self.until = last_day(policy, year)
        self.wages: Wages = entered_wages() if policy.wage_percent else {}
        self._rates: dict[tuple, Decimal | None] = {}
        self._rules: dict[str, Rule] = {}

    def rule(self, path: str) -> Rule:
        if path not in self._rules:
            self._rules[path] = self.book.rule(self.policy.code, path)
        return self._rules[path]

    def rate(self, path: str, grade: str, day: date) -> Decimal | None:
        key = path, grade, day
        if key not in self._rates:
            self._rates[key] = self.book.rate(self.policy.code, path, grade, day)
        return self._rates[key]


def _lines(ground: _Ground, path: str, among: QuerySet | None) -> QuerySet:
    """Lines that hold in some month of the year."""
    whose = below(path, "resident__village__path") if among is None else Q(resident__in=among)
    last = ground.until.replace(day=1)
    lasting = Q(end_month__isnull=True) | Q(end_month__gte=ground.months[0])
    never = Q(end_month__lt=F("start_month"))
    return Enrolment.objects.filter(
        lasting,
        ~never | Q(end_month__isnull=True),
        whose,
        policy_code=ground.policy.code,
        start_month__lte=last,
    ).order_by("resident__village__path", "resident__household__number", "resident", "start_month")


def _rows(lines: QuerySet) -> Iterator[_Line]:
    columns = (
        "pk", "resident", "grade", "start_month", "end_month", "resident__death_date",
        "resident__name", "resident__village", "resident__village__path",
        "resident__village__code", "resident__household", "resident__household__number",
    )  # fmt: skip
    return map(_Line._make, lines.values_list(*columns).iterator(chunk_size=5_000))


def _one_of_each(ground: _Ground, lines: Iterator[_Line]) -> Iterator[_Line]:
    """What is paid by the year goes to a person's latest line of the slot; months need no such choice."""
    if ground.policy.cycle == "month":
        yield from lines
        return
    for _, some in groupby(lines, key=lambda line: line.resident):
        chosen = {
            slot_of(ground.policy, ground.year, line.grade): line for line in some
        }  # a later start replaces an earlier one
        yield from chosen.values()


def _gaps(ground: _Ground, lines: QuerySet) -> Mapping[int, Sequence[Gap]]:
    """The suspensions that touch the year, by line."""
    touching = Q(until_month__isnull=True) | Q(until_month__gte=ground.months[0])
    found = defaultdict(list)
    rows = Suspension.objects.filter(
        touching,
        from_month__lte=ground.until,
        enrolment__in=lines.order_by().values("pk"),
    ).order_by()
    for pk, first, last in rows.values_list("enrolment", "from_month", "until_month"):
        found[pk].append((first, last))
    return found


def _heads(policy: Policy, lines: QuerySet) -> Mapping[int, tuple[int, str]]:
    """{household: (head, name)} of the living heads, for policies of couples and families."""
    if policy.who not in ("couple", "family"):
        return {}
    rows = Resident.objects.filter(
        relation=Relation.HEAD,
        death_date__isnull=True,
        departed_on__isnull=True,
        household__in=lines.order_by().values("resident__household"),
    ).order_by()
    return {
        household: (pk, name) for household, pk, name in rows.values_list("household", "pk", "name")
    }


def _cases(policy: Policy, lines: QuerySet) -> Mapping[int, _Case]:
    if not policy.wage_percent:
        return {}
    rows = PensionCase.objects.filter(enrolment__in=lines.order_by().values("pk")).order_by()
    return {
        pk: _Case(retired, payer, part)
        for pk, retired, payer, part in rows.values_list(
            "enrolment", "retired_month", "payer", "part"
        )
    }


def _payable(
    ground: _Ground, line: _Line, gaps: Sequence[Gap], case: _Case | None
) -> Payable | None:
    policy = ground.policy
    if case and case.payer == PensionCase.Payer.INSURANCE:
        return None  # the office checks the identity; the insurance pays
    last = _last_month(ground, line)
    active = [
        (number, month) for number, month in enumerate(ground.months) if line.start <= month <= last
    ]
    if not active:
        return None
    if policy.cycle == "month":
        return _by_month(ground, line, active, gaps)
    if not ground.bits & FIRST or _stopped(active[-1][1], gaps):
        return None
    if is_once(policy, line.grade) and line.start < ground.months[0]:
        return None  # fell due in the year in which it began
    if policy.wage_percent:
        day = (case.retired if case else line.start).replace(day=1)
        wage = wage_of(policy, ground.wages, line.path, line.village_code, day.year - 1)
        gross = None if wage is None else supplement(policy, wage)
    else:
        day = line.start if policy.cycle == "once" else ground.until
        gross = ground.rate(line.path, line.grade, day)
    count = 1 if policy.cycle == "once" else len(ground.months)
    rates = () if gross is None else ((day, 1, gross),)
    made = _made(ground, line, FIRST, count, gross, rates)
    if case is None:
        return made
    own = case.payer == PensionCase.Payer.EMPLOYER
    return replace(made, employer_pays=own, part=case.part)


def _by_month(
    ground: _Ground, line: _Line, active: Sequence[tuple[int, date]], gaps: Sequence[Gap]
) -> Payable | None:
    paid = [
        (number, month)
        for number, month in active
        if ground.bits >> number & 1 and not _stopped(month, gaps)
    ]
    if not paid:
        return None
    each = [(month, ground.rate(line.path, line.grade, month)) for _, month in paid]
    rates, gross = [], None
    if all(rate is not None for _, rate in each):
        gross = sum(rate for _, rate in each)
        for rate, some in groupby(each, key=lambda pair: pair[1]):
            months = [month for month, _ in some]
            rates.append((months[0], len(months), rate))
    bits = sum(1 << number for number, _ in paid)
    return _made(ground, line, bits, len(paid), gross, tuple(rates))


def _last_month(ground: _Ground, line: _Line) -> date:
    """The last month paid: as entered, and for a person or child never longer than a death leaves."""
    last = line.end or date.max
    if line.died and ground.policy.who in ("person", "child"):
        last = min(last, end_month(ground.rule(line.path), line.died))
    return last


def _stopped(month: date, gaps: Sequence[Gap]) -> bool:
    return any(first <= month and (last is None or month <= last) for first, last in gaps)


def _made(ground, line, bits, count, gross, rates) -> Payable:
    return Payable(
        line.pk, line.resident, line.resident, line.village, line.village_code, line.path, line.household,
        line.number, line.name, line.grade, slot_of(ground.policy, ground.year, line.grade), bits,
        count, gross, rates, line.start,
    )  # fmt: skip


def _to_the_head(
    made: Payable, head: tuple[int, str] | None, taken: dict[tuple[int, str], int]
) -> Payable:
    """The line as it is paid. Of two couples of a household the first is paid to the head, another to
    who stands on the roll: nobody is paid the same months twice."""
    if head is None:
        return made
    pk, name = head
    key = pk, made.slot
    if made.resident != pk and taken.get(key, 0) & made.months:
        return made
    taken[key] = taken.get(key, 0) | made.months
    return replace(made, beneficiary=pk, name=name)
