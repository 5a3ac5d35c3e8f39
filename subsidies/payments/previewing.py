"""What a batch would be before it is made: who would be paid how much, who is left out, and why."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Count

from fpadmin.accounts.models import Region
from fpadmin.scoping import below
from subsidies.models import LineState, PaymentBatch, PensionCase
from subsidies.payments.batch_page import Sums, fund_of, sums_of
from subsidies.payments.entitlement import payables
from subsidies.payments.periods import bits_between
from subsidies.policies.book import policy_book
from subsidies.policies.catalogue import Policy, policies
from subsidies.policies.seeing import codes_for
from subsidies.services.payments import create_batch

# Names of people without a rate that stand on the page.
NAMED = 20
NO_RATE, PAID_ALREADY, OTHER_PART = "没有标准", "已经发过或正在发放", "不在所选范围"


@dataclass(frozen=True)
class Preview:
    """What would be paid, held (reason → lines), and left out (reason → people)."""

    going: Sums
    held: list[tuple[str, int]]
    left_out: list[tuple[str, int]]
    without_rate: list[str]
    free: Decimal

    @property
    def held_count(self) -> int:
        return sum(number for _, number in self.held)

    @property
    def short(self) -> Decimal:
        """How much money is missing for it, 0 where there is enough."""
        return max(self.going.total - self.free, Decimal(0))


class _Undone(Exception):
    """Takes back what was only tried."""


def offered(user, office: Region, today: date) -> list[tuple[str, str]]:
    """(code, name) of the policies switched on in the office that pay money and may be named to the user."""
    on = set(policy_book(today).on_codes_within(office.path))
    known = policies()
    return [
        (code, known[code].name)
        for code in codes_for(user)
        if code in on and not known[code].in_kind
    ]


def parts_of(user, policy: Policy, office: Region) -> list[str]:
    """What a batch may be narrowed to: grades or stages; of pensions the batches cases were put into."""
    if not policy.wage_percent:
        return [grade for grade in policy.grades if grade]
    cases = PensionCase.objects.visible_to(user).filter(
        below(office.path, "enrolment__resident__village__path"),
        enrolment__policy_code=policy.code,
    )
    return list(cases.exclude(part="").order_by("part").values_list("part", flat=True).distinct())


def preview(
    *, by, office: Region, policy_code: str, today: date, now: datetime, **values
) -> Preview:
    """Make the batch, look at it, and take it back: so it says what making it will do.

    Raises RuleViolation as create_batch() does.
    """
    found = None
    with suppress(_Undone), transaction.atomic():
        batch = create_batch(
            by=by, office=office, policy_code=policy_code, today=today, now=now, **values
        )
        found = _looked_at(by, batch)
        raise _Undone
    return found


def _looked_at(by, batch: PaymentBatch) -> Preview:
    sums, fund = sums_of(batch), fund_of(by, batch)
    held = (
        batch.lines.filter(state=LineState.HELD)
        .order_by()
        .values_list("hold_reason")
        .annotate(n=Count("pk"))
    )
    left_out, without_rate = _left_out(batch)
    return Preview(
        sums["planned"],
        sorted(held, key=lambda row: -row[1]),
        left_out,
        without_rate,
        fund.free if fund else Decimal(0),
    )


def _left_out(batch: PaymentBatch) -> tuple[list[tuple[str, int]], list[str]]:
    """People of the year who got no line, by reason; and the first names of those without a rate."""
    taken = set(batch.lines.filter(year=batch.year).values_list("enrolment", flat=True))
    bits = 1
    if batch.policy.cycle == "month":
        bits = bits_between(batch.policy, batch.year, batch.from_month, batch.to_month)
    reasons: Counter[str] = Counter()
    names: list[str] = []
    for one in payables(batch.policy_code, batch.office.path, batch.year, bits=bits):
        if one.enrolment in taken:
            continue
        if one.gross is None:
            reasons[NO_RATE] += 1
            names.append(one.name)
        elif batch.part and batch.part not in (one.grade, one.part):
            reasons[OTHER_PART] += 1
        else:
            reasons[PAID_ALREADY] += 1
    return list(reasons.items()), names[:NAMED]
