"""What the pages of recoveries show: what is suspected, and the story of one."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.timezone import localdate

from subsidies.models import PaymentLine, Recovery, RecoveryPart
from subsidies.payments.periods import months_in, year_words
from subsidies.policies import catalogue
from subsidies.policies.seeing import codes_for
from subsidies.recoveries.overpaid import Overpaid, lines_of, overpaid

SHOWN = 50


@dataclass(frozen=True)
class Suspected:
    """One line that seems to have paid too much."""

    line: PaymentLine
    policy: str
    period: str
    amount: Decimal


@dataclass(frozen=True)
class Suspicions:
    """The first of them, and what all come to."""

    rows: list[Suspected]
    count: int
    total: Decimal


def suspicions_of(user) -> Suspicions:
    """Of the payments that the user may see."""
    lines = PaymentLine.objects.visible_to(user).filter(policy_code__in=codes_for(user))
    found = overpaid(lines)
    lines_shown = lines_of(found[:SHOWN])
    rows = [_suspected(one, lines_shown[one.line]) for one in found[:SHOWN]]
    return Suspicions(rows, len(found), sum((one.amount for one in found), Decimal(0)))


def suspected_amount(line: PaymentLine) -> Decimal:
    """What of this line seems too much; nothing where it is right."""
    person = PaymentLine.objects.filter(
        policy_code=line.policy_code, enrolment=line.enrolment_id, slot=line.slot, year=line.year
    )
    amounts = (one.amount for one in overpaid(person) if one.line == line.pk)
    return next(amounts, Decimal(0)) if line.enrolment_id else Decimal(0)


def _suspected(one: Overpaid, line: PaymentLine) -> Suspected:
    policy = catalogue.policy(one.policy_code)
    period = year_words(policy, one.year)
    if policy.cycle == "month" and one.months:
        months = list(months_in(policy, one.year, one.months))
        period = f"{months[0]:%Y-%m}至{months[-1]:%Y-%m}，{len(months)}个月"
    return Suspected(line, policy.name, period, one.amount)


@dataclass(frozen=True)
class Event:
    """One event for _components/timeline.html."""

    day: date
    title: str
    text: str = ""
    by: str = ""
    strong: bool = False


def story_of(recovery: Recovery, parts: list[RecoveryPart]) -> list[Event]:
    """Newest first."""
    proposed = Event(
        localdate(recovery.proposed_at), "提出追回", recovery.note, recovery.proposed_by.name
    )
    found = [proposed]
    if recovery.decided_by:
        title = "不追回" if recovery.state == Recovery.State.REFUSED else "同意追回"
        found.append(
            Event(
                localdate(recovery.decided_at), title, recovery.decision_note,
                recovery.decided_by.name, strong=True,
            )
        )  # fmt: skip
    found += [_part(part) for part in parts if part.counts]
    return found[::-1]


def _part(part: RecoveryPart) -> Event:
    who = part.by.name if part.by else ""
    if part.line is None:
        return Event(part.happened_on, f"退还{part.amount:,.2f}元", part.document, who, True)
    return Event(part.happened_on, f"抵扣{part.amount:,.2f}元", f"批次{part.line.batch.number}")
