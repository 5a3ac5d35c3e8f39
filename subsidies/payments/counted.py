"""What the figures of a batch count, so that each opens the very lines it counted."""

from django.db.models import Q

from subsidies.models import (
    REISSUED_STATES,
    LineState,
    PaymentBatch,
    arrived,
    reissued,
)

# Arrived late though it was paid again: it counts as arrived, and is asked back.
FAILED = Q(state__in=REISSUED_STATES, late_paid_on__isnull=True)
# key → words and which lines.
COUNTED = {
    "listed": (
        "列入的",
        Q(is_agreed=True)
        | Q(state=LineState.PLANNED)
        | (Q(batch__kind=PaymentBatch.Kind.HISTORY) & ~Q(state=LineState.VOID)),
    ),
    "planned": ("送银行的", Q(state=LineState.PLANNED)),
    "held": ("暂缓的", Q(state=LineState.HELD)),
    "held_later": ("批准后暂缓的", Q(state=LineState.HELD, is_agreed=True)),
    "cut": ("抵扣多发款的", Q(state=LineState.PLANNED, deduction__gt=0)),
    "paid": ("已入账的", arrived()),
    "waits": ("失败待补发的", FAILED & ~reissued()),
}
