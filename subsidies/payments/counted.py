"""What the figures of a batch count, so that each opens the very lines it counted."""

from django.db.models import Q

from subsidies.models import (
    PAID_STATES,
    REISSUED_STATES,
    LineState,
    PaymentBatch,
    reissued,
)

FAILED = Q(state__in=REISSUED_STATES)
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
    "paid": ("已入账的", Q(state__in=PAID_STATES)),
    "waits": ("失败待补发的", FAILED & ~reissued()),
}
