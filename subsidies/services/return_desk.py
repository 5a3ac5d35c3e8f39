"""The desk of the bank's answers: what fits no payment is settled by somebody, with a reason.

The batch is locked first, then the exception, as by the import of answers.
"""

from datetime import date, datetime

from django.db import transaction

from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.services.scope import require_visible
from subsidies.bank_returns.lines import ANSWERED_WITHIN, is_late
from subsidies.bank_returns.ways import WAITING, ways_of
from subsidies.models import (
    LineState,
    PaymentBatch,
    PaymentLine,
    Recovery,
    ReturnException,
)
from subsidies.notices.terms import changes
from subsidies.payments.steps import locked
from subsidies.services.bank_returns import pay_late, post_answers, return_line
from subsidies.services.recoveries import propose_recovery

EVENT_TYPES = {
    "bank_return.resolved": "处理回盘异常",
    "bank_return.line_answered": "逐笔登记银行结果",
    "bank_return.unclear": "标记结果不明",
}
CHANGE_LABELS = {"resolution": "处理", "state": "状态"}
Resolution = ReturnException.Resolution
NOT_YOURS = "这一步不由您的岗位办理。"
DONE = "这条异常已由{name}处理。请重新打开查看。"
NOT_SO = "这条异常现在不能这样处理，可能刚被别人登记过。请重新打开查看。"
NO_DAY = "请填写入账日期。"
TOO_EARLY = f"送银行还没有超过{ANSWERED_WITHIN}个工作日，请再等银行回盘。"
NONE_LEFT = "没有未回盘的了。请重新打开查看。"
SAME_PAYMENT = "同一笔的另一种结果已核实。"


@transaction.atomic
def resolve_exception(
    *,
    by,
    exception: ReturnException,
    resolution: str,
    note: str,
    paid_on: date | None = None,
    reason: str = "",
    today: date,
    now: datetime,
) -> ReturnException:
    """Settle it in one of the ways that ways_of() leaves, and move the payment as that says.

    The other answers to the same payment, where there were two, are settled with it. Refuses without
    a note, what somebody settled meanwhile, and whatever the posting of an answer refuses.
    """
    exception = _held(by, exception)
    if resolution not in {way.key for way in ways_of(exception)}:
        raise RuleViolation(NOT_SO, field="resolution")
    if not note.strip():
        raise RuleViolation("请写明怎样核实的，例如问了银行哪位、看了什么凭证。", field="note")
    _move(by, exception, resolution, note.strip(), paid_on, reason, today, now)
    settled = {"note": note.strip(), "resolved_by": by, "resolved_at": now}
    exception.resolution = resolution
    for name, value in settled.items():
        setattr(exception, name, value)
    exception.save(update_fields=["resolution", *settled])
    if exception.problem == ReturnException.Problem.TWO_OUTCOMES and exception.line:
        others = ReturnException.objects.open().filter(
            line=exception.line, problem=exception.problem
        )
        others.update(**settled | {"resolution": Resolution.IGNORED, "note": SAME_PAYMENT})
    log.record(
        "bank_return.resolved", by=by, target=exception, region_path=exception.office.path,
        changes={"resolution": ["", resolution]},
    )  # fmt: skip
    return exception


@transaction.atomic
def answer_line(
    *,
    by,
    line: PaymentLine,
    state: str,
    paid_on: date | None = None,
    reason: str = "",
    today: date,
    now: datetime,
) -> PaymentLine:
    """What the bank said of one payment, typed in: paid, failed, or come back after it was paid."""
    before = line.state
    values = {"by": by, "today": today, "now": now}
    if state == LineState.PAID and paid_on is None:
        raise RuleViolation(NO_DAY, field="paid_on")
    if state == LineState.PAID and before == LineState.FAILED:
        line, _ = pay_late(line=line, paid_on=paid_on, **values)
    elif state == LineState.RETURNED:
        line = return_line(line=line, reason=reason, **values)
    else:
        is_paid = state == LineState.PAID
        post_answers(
            batch=line.batch, paid={line.pk: paid_on} if is_paid else {},
            failed={} if is_paid else {line.pk: reason}, **values,
        )  # fmt: skip
    line = PaymentLine.objects.select_related("village", "batch").get(pk=line.pk)
    log.record(
        "bank_return.line_answered", by=by, target=line, region_path=line.village.path,
        changes={"state": [before, line.state]},
    )  # fmt: skip
    return line


@transaction.atomic
def mark_unclear(*, by, batch: PaymentBatch, today: date, now: datetime) -> int:
    """Payments that the bank hasn't answered within its working days are 结果不明; how many."""
    batch = locked(batch)
    require_visible(PaymentBatch.objects.visible_to(by), batch)
    if not is_late(batch, today, changes()):
        raise RuleViolation(TOO_EARLY)
    waiting = batch.lines.filter(state=LineState.INSTRUCTED).values_list("pk", flat=True)
    if not (keys := list(waiting)):
        raise RuleViolation(NONE_LEFT)
    post_answers(by=by, batch=batch, paid={}, failed={}, unknown=keys, today=today, now=now)
    log.record(
        "bank_return.unclear", by=by, target=batch, region_path=batch.office.path, count=len(keys)
    )
    return len(keys)


def _held(by, exception: ReturnException) -> ReturnException:
    if not by.may(Permission.PAYMENT_MAKE):
        raise RuleViolation(NOT_YOURS)
    if exception.batch_id:
        batch = locked(exception.batch)
        require_visible(PaymentBatch.objects.visible_to(by), batch)
    ReturnException.objects.select_for_update().values_list("pk").get(pk=exception.pk)
    exception = ReturnException.objects.select_related(
        "office", "batch", "line__batch", "line__village", "resolved_by"
    ).get(pk=exception.pk)
    require_visible(ReturnException.objects.visible_to(by), exception)
    if exception.resolution:
        raise RuleViolation(DONE.format(name=exception.resolved_by.name))
    return exception


def _move(by, exception, resolution, note, paid_on, reason, today: date, now: datetime) -> None:
    if resolution == Resolution.IGNORED:
        return
    line, values = exception.line, {"by": by, "today": today, "now": now}
    if resolution == Resolution.FAILED:
        words = reason.strip() or exception.reason
        if line.state == LineState.PAID:
            return_line(line=line, reason=words or "银行退票", **values)
        else:
            post_answers(batch=line.batch, paid={}, failed={line.pk: words}, **values)
        return
    day = paid_on or exception.paid_on
    if day is None:
        raise RuleViolation(NO_DAY, field="paid_on")
    if line.state == LineState.FAILED:
        _, recovery = pay_late(line=line, paid_on=day, **values)
        if bool(recovery) != (resolution == Resolution.RECALLED):
            raise RuleViolation(NOT_SO, field="resolution")
        return
    if line.state not in WAITING:
        raise RuleViolation(NOT_SO, field="resolution")
    post_answers(batch=line.batch, paid={line.pk: day}, failed={}, **values)
    if resolution == Resolution.RECALLED:
        paid = PaymentLine.objects.select_related("batch", "village").get(pk=line.pk)
        propose_recovery(
            line=paid, amount=paid.amount, reason=Recovery.Reason.WRONG_PERSON,
            by_deduction=False, note=note, **values,
        )  # fmt: skip
