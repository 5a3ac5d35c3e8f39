"""How an answer that fits no payment may be settled, by what is known of the payment now."""

from dataclasses import dataclass

from subsidies.bank_returns.lines import paying_again
from subsidies.models import LineState, PaymentLine, ReturnException

Resolution = ReturnException.Resolution
Problem = ReturnException.Problem
PAID = "成功"
WAITING = (LineState.INSTRUCTED, LineState.UNKNOWN)
# What may be said of one payment by hand, by where it stands.
OUTCOMES = {
    LineState.INSTRUCTED: (LineState.PAID, LineState.FAILED),
    LineState.UNKNOWN: (LineState.PAID, LineState.FAILED),
    LineState.FAILED: (LineState.PAID,),
    LineState.PAID: (LineState.RETURNED,),
}  # fmt: skip
_TO_ANOTHER = (Problem.NAME, Problem.ACCOUNT)


@dataclass(frozen=True)
class Way:
    """One way out: what it is called and what it does, in the words of the page."""

    key: str
    label: str
    effect: str


_IGNORE = Way(Resolution.IGNORED, "核实后不处理", "这一笔保持现在的状态")


def ways_of(exception: ReturnException) -> list[Way]:
    """Those open to it, the likeliest first; none of them twice."""
    line = exception.line
    if line is None:
        return [_IGNORE]
    says_paid = exception.result == PAID
    if line.state in WAITING:
        return [*_of_waiting(exception, says_paid), _IGNORE]
    if line.state == LineState.PAID and not says_paid:
        came_back = Way(Resolution.FAILED, "确认失败", "登记退票：钱退回可用资金，这一笔可以补发")
        return [came_back, _IGNORE]
    if line.state == LineState.FAILED and says_paid and not line.late_paid_on:
        return [_late(line), _IGNORE]
    return [_IGNORE]


def _of_waiting(exception: ReturnException, says_paid: bool) -> list[Way]:
    paid = Way(Resolution.PAID, "确认入账", "按送银行的金额登记入账，开始见面核实")
    failed = Way(Resolution.FAILED, "确认失败", "登记失败：钱退回可用资金，这一笔可以补发")
    if not says_paid:
        return [failed, paid]
    recalled = Way(Resolution.RECALLED, "转追回", "登记入账，并提出追回：钱进了别人的账户")
    if exception.problem in _TO_ANOTHER:
        return [paid, failed, recalled]
    return [paid, failed]


def _late(line: PaymentLine) -> Way:
    if paying_again(line):
        return Way(Resolution.RECALLED, "转追回", "已经补发过：记下迟到入账，提出追回多出的一笔")
    return Way(Resolution.PAID, "确认入账", "改为已入账，开始见面核实，不再补发")
