"""Failed payments and money asked back, for tests."""

from subsidies.models import PaymentBatch, PaymentLine, Recovery
from subsidies.services.bank_returns import post_answers
from subsidies.services.recoveries import decide_recovery, propose_recovery
from tests.factories.payments import NOW, TODAY


def let_fail(batch: PaymentBatch, reason="账号不存在") -> PaymentBatch:
    """The bank's answer to a batch that was sent: not one line arrived."""
    keys = batch.lines.filter(state="instructed").values_list("pk", flat=True)
    return post_answers(
        by=batch.made_by, batch=batch, paid={}, failed=dict.fromkeys(keys, reason), today=TODAY,
        now=NOW,
    )  # fmt: skip


def ask_back(by, line: PaymentLine, decided_by=None) -> Recovery:
    """All that a paid line paid is wanted back; agreed to where somebody decides."""
    recovery = propose_recovery(
        by=by, line=line, amount=line.amount, reason="overpaid", by_deduction=False,
        note="死亡登记晚了", today=TODAY, now=NOW,
    )  # fmt: skip
    if decided_by:
        decide_recovery(by=decided_by, recovery=recovery, accept=True, now=NOW)
    return recovery
