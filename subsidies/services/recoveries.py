"""Money asked back (追回): proposed by one person, agreed by another, tracked until it is all there.

The batch of the payment is locked first, as by whoever posts the bank's answers; then the recovery,
then the fund.
"""

from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.services.scope import require_visible
from subsidies.models import (
    LineState,
    PaymentBatch,
    PaymentLine,
    Recovery,
    RecoveryPart,
)
from subsidies.payments.steps import locked
from subsidies.recoveries.owed import can_deduct, left_to_repay, most_of
from subsidies.services import funds

EVENT_TYPES = {
    "recovery.proposed": "提出追回",
    "recovery.opened": "同意追回",
    "recovery.refused": "不同意追回",
    "recovery.repaid": "登记追回款",
    "recovery.settled": "追回完毕",
}
CHANGE_LABELS = {"state": "状态", "part": "到账金额（元）"}
Reason, State = Recovery.Reason, Recovery.State
NOT_YOURS = "这一步不由您的岗位办理。"
OWN = "不能审核自己提出的追回，请由他人审核。"
NOT_PAID = "这一笔现在是“{state}”，只有已入账的才能追回。请重新打开查看。"
ALREADY = "这一笔已经在追回。"
TOO_MUCH = "最多可追回{most:,.2f}元。"
DECIDED = "这条追回已经审核过了。"
NOT_OPEN = "这条追回现在是“{state}”，不能登记追回款。请重新打开查看。"
NO_LATER_PAYMENT = "这个人以后没有这项政策的发放可以抵扣，请选择退还。"


@transaction.atomic
def propose_recovery(
    *,
    by,
    line: PaymentLine,
    amount: Decimal,
    reason: str,
    by_deduction: bool,
    note: str,
    today: date,
    now: datetime,
) -> Recovery:
    """Ask that some or all of a payment come back; nothing moves until somebody else decides.

    A paid line is 追回中 meanwhile. What arrived after it was paid again stays failed, and is repaid,
    never deducted. Refuses more than was paid, and a deduction where no later payment is to be expected.
    """
    line = _held_line(by, line, Permission.PAYMENT_MAKE)
    late = reason == Reason.LATE_SUCCESS
    if not _fits(line, late):
        raise RuleViolation(NOT_PAID.format(state=line.get_state_display()), field="reason")
    if line.recoveries.filter(state__in=[State.PROPOSED, State.OPEN]).exists():
        raise RuleViolation(ALREADY)
    _refuse_amount(amount, most_of(line, reason))
    if not note.strip():
        raise RuleViolation("请写明依据，审核人据此判断。", field="note")
    if by_deduction and (late or not can_deduct(line, today)):
        raise RuleViolation(NO_LATER_PAYMENT, field="by_deduction")
    try:
        with transaction.atomic():
            recovery = Recovery.objects.create(
                line=line, reason=reason, amount=amount, by_deduction=by_deduction,
                note=note.strip(), proposed_by=by, proposed_at=now,
            )  # fmt: skip
    except IntegrityError:
        raise RuleViolation(ALREADY) from None
    _move_line(line, LineState.PAID, LineState.RECALL_ASKED)
    _record("recovery.proposed", recovery, by, {"state": [None, recovery.state]})
    return recovery


@transaction.atomic
def decide_recovery(
    *, by, recovery: Recovery, accept: bool, note: str = "", now: datetime
) -> Recovery:
    """Agree to ask the money back, or refuse with a reason: the line is then paid as before.

    Refuses who proposed it, and what is decided already.
    """
    line, recovery = _held(by, recovery, Permission.PAYMENT_CHECK)
    if recovery.state != State.PROPOSED:
        raise RuleViolation(DECIDED)
    if recovery.proposed_by_id == by.pk:
        raise RuleViolation(OWN)
    if not accept and not note.strip():
        raise RuleViolation("不同意要写明原因。", field="note")
    recovery.state = State.OPEN if accept else State.REFUSED
    recovery.decided_by, recovery.decided_at = by, now
    recovery.decision_note = note.strip()
    _save(recovery, "state", "decided_by", "decided_at", "decision_note")
    if not accept:
        _move_line(line, LineState.RECALL_ASKED, LineState.PAID)
    event = "recovery.opened" if accept else "recovery.refused"
    _record(event, recovery, by, {"state": [State.PROPOSED, recovery.state]})
    return recovery


@transaction.atomic
def repay_recovery(
    *,
    by,
    recovery: Recovery,
    amount: Decimal,
    happened_on: date,
    document: str,
    today: date,
    now: datetime,
) -> Recovery:
    """Money came back: it is free again in the fund that paid it. All of it settles the recovery.

    Refuses more than is still owed; what is being kept out of a payment under way counts as owed no more.
    """
    line, recovery = _held(by, recovery, Permission.PAYMENT_FUND)
    if recovery.state != State.OPEN:
        raise RuleViolation(NOT_OPEN.format(state=recovery.get_state_display()))
    _refuse_amount(amount, left_to_repay(recovery))
    if happened_on > today:
        raise RuleViolation("到账日期不能晚于今天。", field="happened_on")
    paid_on = line.paid_on or line.late_paid_on
    if paid_on and happened_on < paid_on:
        raise RuleViolation(f"到账日期不能早于发放入账的日期{paid_on}。", field="happened_on")
    if not document.strip():
        raise RuleViolation("请填写收款凭证。", field="document")
    RecoveryPart.objects.create(
        recovery=recovery, amount=amount, happened_on=happened_on, document=document.strip(), by=by,
        at=now,
    )  # fmt: skip
    recovery.settled += amount
    done = recovery.settled == recovery.amount
    if done:
        recovery.state = State.SETTLED
        _move_line(line, LineState.RECALL_ASKED, LineState.RECOVERED)
    _save(recovery, "settled", "state")
    batch = line.batch
    funds.move(
        by=by, office=batch.office, policy_code=batch.policy_code, year=batch.pay_year,
        kind="recover", amount=amount, happened_on=happened_on, document=document.strip(), now=now,
        recovery=recovery,
    )  # fmt: skip
    _record("recovery.repaid", recovery, by, {})
    if done:
        _record("recovery.settled", recovery, by, {"state": [State.OPEN, State.SETTLED]})
    return recovery


def _fits(line: PaymentLine, late: bool) -> bool:
    if late:
        return line.state == LineState.FAILED and line.late_paid_on is not None
    return line.state == LineState.PAID


def _refuse_amount(amount: Decimal, most: Decimal) -> None:
    if amount <= 0:
        raise RuleViolation("金额要大于0。", field="amount")
    if amount > most:
        raise RuleViolation(TOO_MUCH.format(most=max(most, Decimal(0))), field="amount")


def _held_line(by, line: PaymentLine, needed: Permission) -> PaymentLine:
    """The line as the last writer left it, its batch locked."""
    batch = locked(line.batch)
    require_visible(PaymentBatch.objects.visible_to(by), batch)
    require_visible(PaymentLine.objects.visible_to(by), line)
    if not by.may(needed):
        raise RuleViolation(NOT_YOURS)
    found = PaymentLine.objects.select_related("village", "beneficiary", "enrolment")
    line = found.get(pk=line.pk)
    line.batch = batch
    return line


def _held(by, recovery: Recovery, needed: Permission) -> tuple[PaymentLine, Recovery]:
    line = _held_line(by, recovery.line, needed)
    recovery = Recovery.objects.select_for_update().get(pk=recovery.pk)
    recovery.line = line
    return line, recovery


def _move_line(line: PaymentLine, before: str, after: str) -> None:
    """Only from the state before: a late payment's line stays failed."""
    if line.state == before:
        line.state = after
        line.save(update_fields=["state"])


def _save(recovery: Recovery, *fields: str) -> None:
    recovery.row_version += 1  # the row is locked
    recovery.save(update_fields=[*fields, "row_version"])


def _record(type_: str, recovery: Recovery, by, changes: dict) -> None:
    # No amount: of one person it says what the policy is.
    log.record(
        type_, by=by, target=recovery, region_path=recovery.line.village.path, changes=changes
    )
