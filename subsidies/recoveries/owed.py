"""What may still be asked back, or repaid: of one payment, and of one recovery."""

from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum

from subsidies.models import (
    Enrolment,
    PaymentLine,
    Recovery,
    active_on,
    still_cut,
)


def most_of(line: PaymentLine, reason: str) -> Decimal:
    """The most that may be asked back of the line.

    Of too much paid the whole that it was worth, with what was kept out of it for an older debt; of
    money that should not have gone there what went there.
    """
    whole = line.gross if reason == Recovery.Reason.OVERPAID else line.amount
    asked = line.recoveries.exclude(state=Recovery.State.REFUSED).aggregate(sum=Sum("amount"))
    return whole - (asked["sum"] or Decimal(0))


def can_deduct(line: PaymentLine, today: date) -> bool:
    """Whether later payments of the policy to the same person are to be expected."""
    person = line.beneficiary
    if person.death_date or person.departed_on:
        return False
    lines = Enrolment.objects.filter(active_on(today), policy_code=line.policy_code)
    return lines.filter(Q(resident=person) | Q(pk=line.enrolment_id)).exists()


def under_way(recovery: Recovery) -> Decimal:
    """What is being kept out of payments that are not answered yet, or held and may still go."""
    found = recovery.parts.filter(still_cut(), counts=False)
    return found.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def left_of(recovery: Recovery) -> Decimal:
    """What is still owed."""
    return recovery.amount - recovery.settled


def left_to_repay(recovery: Recovery) -> Decimal:
    """What may still be repaid: not what is being kept out of a payment under way."""
    return left_of(recovery) - under_way(recovery)
