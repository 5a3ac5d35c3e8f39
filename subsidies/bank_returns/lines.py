"""What is asked of payments with the bank: what pays one again, why it failed, whether it is late."""

from collections.abc import Mapping
from datetime import date

from django.utils.timezone import localdate

from fpadmin.workdays import workdays_between
from subsidies.models import LIVE_STATES, LineState, PaymentBatch, PaymentLine

NO_REASON = "银行未说明原因"
# Working days after which a payment without an answer is unclear.
ANSWERED_WITHIN = 3
_REASON_LENGTH = 200


def paying_again(line: PaymentLine) -> PaymentLine | None:
    """The line by which a failed one is, or was, paid after all: a re-issue, or the same months."""
    one = line
    while one is not None:
        one = (
            PaymentLine.objects.filter(reissue_of=one)
            .exclude(state=LineState.VOID)
            .select_related("batch")
            .first()
        )
        if one is not None and one.state in LIVE_STATES:
            return one
    same = PaymentLine.objects.filter(
        policy_code=line.policy_code, beneficiary=line.beneficiary_id, slot=line.slot,
        state__in=LIVE_STATES,
    ).select_related("batch")  # fmt: skip
    return next((other for other in same if other.months & line.months), None)


def reason_of(words: str) -> str:
    """Why the bank says it failed, in its own words."""
    return words.strip()[:_REASON_LENGTH] or NO_REASON


def is_late(batch: PaymentBatch, today: date, changed: Mapping[date, bool]) -> bool:
    """Whether the bank has had its working days to answer."""
    if batch.sent_at is None:
        return False
    return workdays_between(localdate(batch.sent_at), today, changed) > ANSWERED_WITHIN
