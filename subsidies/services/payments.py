"""Payment batches: made, checked, approved and sent by different people, and only forward.

Each step locks the batch and looks at its state again, so that of many at once one is taken and the
others are told who was first. The database holds the same by constraints and triggers.
"""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households.services.scope import require_visible
from subsidies.models import (
    REISSUED_STATES,
    BatchState,
    LineState,
    PaymentBatch,
    PaymentLine,
)
from subsidies.payments.digest import agreed, totals_of
from subsidies.payments.making import make_lines
from subsidies.payments.people import persons_needed
from subsidies.payments.periods import benefit_months, last_day
from subsidies.payments.steps import (
    NOT_NOW,
    add_step,
    advance,
    expect,
    expect_step,
    locked,
    makers,
    next_number,
)
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.policies.seeing import codes_for
from subsidies.services import funds

EVENT_TYPES = {
    "payment.created": "编制发放批次",
    "payment.recalculated": "重新计算发放批次",
    "payment.line_held": "暂缓一笔发放",
    "payment.line_released": "恢复一笔发放",
    "payment.submitted": "提交发放批次",
    "payment.returned": "退回发放批次",
    "payment.checked": "核对发放批次",
    "payment.approved": "批准发放批次",
    "payment.sealed": "生成银行文件",
    "payment.sent": "发放批次送银行",
    "payment.closed": "结清发放批次",
    "payment.voided": "作废发放批次",
}
CHANGE_LABELS = {"state": "状态", "lines": "笔数", "yuan": "金额（元）"}
_EVENTS = {
    "submit": "payment.submitted", "return": "payment.returned", "check": "payment.checked",
    "approve": "payment.approved", "seal": "payment.sealed", "send": "payment.sent",
    "close": "payment.closed", "void": "payment.voided",
}  # fmt: skip
NEEDED = {
    "submit": Permission.PAYMENT_MAKE, "check": Permission.PAYMENT_CHECK,
    "approve": Permission.PAYMENT_APPROVE, "seal": Permission.PAYMENT_MAKE,
    "send": Permission.PAYMENT_MAKE, "close": Permission.PAYMENT_MAKE,
    "void": Permission.PAYMENT_MAKE,
}  # fmt: skip
OWN = "这个批次由您经办，请换一位同事核对或批准。"
TWO_STEPS = "这个批次由您核对，请换一位同事批准。"
CHANGED = "名单和您看到的不一样，可能刚被重新编制。请重新打开核对。"
NO_ACCOUNT = {
    PaymentBatch.Kind.REGULAR: "没有银行账号，不能发放。请先登记账号，再重新计算。",
    PaymentBatch.Kind.REISSUE: "没有银行账号，不能发放。请先登记账号，再作废这个批次、重新补发。",
}
NOTHING = "没有可以发放的人：可能都已经发过，或者还没有标准。"


@transaction.atomic
def create_batch(
    *,
    by,
    office: Region,
    policy_code: str,
    year: int,
    from_month: date | None = None,
    to_month: date | None = None,
    pay_year: int,
    part: str = "",
    note: str = "",
    today: date,
    now: datetime,
) -> PaymentBatch:
    """A batch in the draft, with a line for everybody payable: by default of the whole benefit year.

    Refuses a place that is no township, a policy that pays no money or may not be named to `by`, months
    outside the year, and a batch that would be empty.
    """
    policy = catalogue.policy(policy_code)
    if office.level != Region.Level.TOWNSHIP:
        raise RuleViolation("发放批次由乡镇（街道）编制，请选择一个乡镇（街道）。", field="office")
    if policy_code not in codes_for(by):
        raise RuleViolation("您的岗位不能办理这项政策的发放。", field="policy_code")
    if policy.in_kind:
        raise RuleViolation(f"“{policy.name}”不发钱，不用编制批次。", field="policy_code")
    months = benefit_months(policy, year)
    first, last = from_month or months[0], to_month or months[-1]
    if policy.cycle != "month":
        first, last = months[0], months[-1]
    if not (months[0] <= first <= last <= months[-1]):
        raise RuleViolation(
            f"起止年月应在{months[0]:%Y-%m}至{months[-1]:%Y-%m}之间，起不能晚于止。",
            field="to_month",
        )
    rule = policy_book(last_day(policy, year)).rule(policy_code, office.path)
    batch = PaymentBatch.objects.create(
        number=next_number(office, pay_year), office=office, policy_code=policy_code, year=year,
        from_month=first, to_month=last, pay_year=pay_year, part=part, note=note.strip(),
        persons=persons_needed(office, today), version=rule.version,
        shares={payer: str(share) for payer, share in rule.shares.items()},
        made_by=by, made_at=now,
    )  # fmt: skip
    require_visible(PaymentBatch.objects.visible_to(by), batch)
    if not _made(batch):
        raise RuleViolation(NOTHING, field="policy_code")
    add_step(batch, "create", "", by=by, now=now)
    _record("payment.created", batch, by)
    return batch


@transaction.atomic
def recalculate(
    *, by, batch: PaymentBatch, row_version: int, today: date, now: datetime
) -> PaymentBatch:
    """Make the lines of a draft anew from the rolls of now; what somebody held stays held."""
    claim(batch, row_version)
    batch = locked(batch)
    require_visible(PaymentBatch.objects.visible_to(by), batch)
    expect(batch, BatchState.DRAFT)
    if batch.kind != PaymentBatch.Kind.REGULAR:
        raise RuleViolation("补发批次按原来的明细编制，不能重新计算。")
    rule = policy_book(last_day(batch.policy, batch.year)).rule(
        batch.policy_code, batch.office.path
    )
    batch.version = rule.version
    batch.shares = {payer: str(share) for payer, share in rule.shares.items()}
    batch.persons = persons_needed(batch.office, today)
    batch.save(update_fields=["version", "shares", "persons"])
    if not _made(batch):
        raise RuleViolation(NOTHING)
    add_step(batch, "recalculate", batch.state, by=by, now=now)
    _record("payment.recalculated", batch, by)
    return batch


@transaction.atomic
def hold_line(*, by, line: PaymentLine, reason: str, now: datetime) -> PaymentLine:
    """Keep one line out of the payment: in the draft, or once approved, before the bank's file is made."""
    batch, line = _locked_line(by, line)
    expect(batch, BatchState.DRAFT, BatchState.APPROVED)
    if line.state != LineState.PLANNED:
        raise RuleViolation(f"这一笔现在是“{line.get_state_display()}”，不能暂缓。")
    if not reason.strip():
        raise RuleViolation("请写明暂缓的原因。", field="reason")
    line.state, line.hold_reason = LineState.HELD, reason.strip()
    line.save(update_fields=["state", "hold_reason"])
    _touch(batch)
    _record_line("payment.line_held", line, by)
    return line


@transaction.atomic
def release_line(*, by, line: PaymentLine, now: datetime) -> PaymentLine:
    """Put a held line back; after the approval only one that was approved with the others.

    Refuses one without an account, and a child whose parent has meanwhile arrived.
    """
    batch, line = _locked_line(by, line)
    if line.state != LineState.HELD:
        raise RuleViolation("这一笔没有暂缓。")
    if batch.state != BatchState.DRAFT and not (
        batch.state == BatchState.APPROVED and line.is_agreed
    ):
        raise RuleViolation(NOT_NOW.format(state=batch.get_state_display()))
    if not line.account_digest:
        raise RuleViolation(NO_ACCOUNT[batch.kind])
    parent = line.reissue_of
    if parent is not None and (parent.state not in REISSUED_STATES or parent.late_paid_on):
        raise RuleViolation("原来的那一笔已经入账，不用再补发。")
    line.state, line.hold_reason = LineState.PLANNED, ""
    try:
        with transaction.atomic():
            line.save(update_fields=["state", "hold_reason"])
    except IntegrityError:
        raise RuleViolation("这个人的这些月份已在别的批次发放。") from None
    _touch(batch)
    _record_line("payment.line_released", line, by)
    return line


@transaction.atomic
def submit_batch(*, by, batch: PaymentBatch, row_version: int, now: datetime) -> PaymentBatch:
    """Hand the list over to be checked. From here on nobody changes a line of it."""
    claim(batch, row_version)
    batch = _begin(by, batch, "submit")
    going = batch.lines.filter(state=LineState.PLANNED)
    going.update(is_agreed=True)
    totals = totals_of(going)
    if not totals.count:
        raise RuleViolation("名单里没有可以发放的人。请先处理暂缓的，或者作废这个批次。")
    batch.count, batch.total, batch.sha256 = totals
    batch.submitted_by, batch.submitted_at = by, now
    return _advance(
        batch, "submit", by, now, "", "count", "total", "sha256", "submitted_by", "submitted_at"
    )


@transaction.atomic
def return_batch(*, by, batch: PaymentBatch, note: str, now: datetime) -> PaymentBatch:
    """Send it back to the draft, with a reason; whoever has to check or approve may do so."""
    batch = locked(batch)
    require_visible(PaymentBatch.objects.visible_to(by), batch)
    expect_step(batch, "return")
    needed = NEEDED["check" if batch.state == BatchState.SUBMITTED else "approve"]
    if not (by.may(needed) or by.pk in (batch.made_by_id, batch.submitted_by_id)):
        raise RuleViolation("这一步不由您的岗位办理。")
    if not note.strip():
        raise RuleViolation("请写明退回的原因，让经办人知道怎么改。", field="note")
    for name in ("submitted", "checked"):
        setattr(batch, f"{name}_by", None)
        setattr(batch, f"{name}_at", None)
    _advance(
        batch, "return", by, now, note.strip(),
        "submitted_by", "submitted_at", "checked_by", "checked_at",
    )  # fmt: skip
    batch.lines.filter(is_agreed=True).update(is_agreed=False)
    return batch


@transaction.atomic
def check_batch(*, by, batch: PaymentBatch, sha256: str, now: datetime) -> PaymentBatch:
    """Say that the list is right. `sha256` is of the list that was on the screen."""
    batch = _begin(by, batch, "check")
    _refuse_maker(by, batch)
    _refuse_other_list(batch, sha256)
    batch.checked_by, batch.checked_at = by, now
    return _advance(batch, "check", by, now, "", "checked_by", "checked_at")


@transaction.atomic
def approve_batch(
    *, by, batch: PaymentBatch, sha256: str, today: date, now: datetime
) -> PaymentBatch:
    """Release the money: the list is frozen, its sum is taken from what is free.

    `sha256` is of the list that was on the screen; the lines are added up and digested again. Refuses
    who made, submitted or (where three are needed) checked it, and a sum that isn't there.
    """
    batch = _begin(by, batch, "approve")
    _refuse_maker(by, batch)
    if batch.persons > 2 and by.pk == batch.checked_by_id:
        raise RuleViolation(TWO_STEPS)
    _refuse_other_list(batch, sha256)
    _hold_fund(batch)
    batch.approved_by, batch.approved_at = by, now
    _advance(batch, "approve", by, now, "", "approved_by", "approved_at")
    _move(by, batch, "reserve", batch.total, today, now)
    return batch


@transaction.atomic
def void_batch(*, by, batch: PaymentBatch, note: str, today: date, now: datetime) -> PaymentBatch:
    """Give the batch up, before it goes to the bank; its lines may be paid by another one."""
    batch = _begin(by, batch, "void")
    if not note.strip():
        raise RuleViolation("请写明作废的原因。", field="note")
    bound = batch.state in (BatchState.APPROVED, BatchState.SEALED)
    if bound:
        _hold_fund(batch)
    batch.voided_by, batch.voided_at = by, now
    _advance(batch, "void", by, now, note.strip(), "voided_by", "voided_at")
    batch.lines.filter(state__in=[LineState.PLANNED, LineState.HELD]).update(state=LineState.VOID)
    if bound:
        _move(by, batch, "release", batch.total, today, now)
    return batch


@transaction.atomic
def seal_batch(*, by, batch: PaymentBatch, now: datetime) -> PaymentBatch:
    """Say that the bank's file is made; what writes it calls this in the same transaction."""
    batch = _begin(by, batch, "seal")
    batch.sealed_by, batch.sealed_at = by, now
    return _advance(batch, "seal", by, now, "", "sealed_by", "sealed_at")


@transaction.atomic
def send_batch(*, by, batch: PaymentBatch, today: date, now: datetime) -> PaymentBatch:
    """Say that the file went to the bank. What was held since the approval is free again."""
    batch = _begin(by, batch, "send")
    _hold_fund(batch)
    batch.sent_by, batch.sent_at = by, now
    _advance(batch, "send", by, now, "", "sent_by", "sent_at")
    going = totals_of(batch.lines.filter(state=LineState.PLANNED))
    batch.lines.filter(state=LineState.PLANNED).update(state=LineState.INSTRUCTED)
    _move(by, batch, "release", batch.total - going.total, today, now)
    return batch


@transaction.atomic
def close_batch(*, by, batch: PaymentBatch, now: datetime) -> PaymentBatch:
    """Say that nothing is left to do: every line came out one way or the other."""
    batch = _begin(by, batch, "close")
    batch.closed_by, batch.closed_at = by, now
    return _advance(batch, "close", by, now, "", "closed_by", "closed_at")


def _made(batch: PaymentBatch) -> int:
    bulk.one_at_a_time(f"payment-{batch.policy_code}-{batch.office_id}")
    try:
        with transaction.atomic():
            return make_lines(batch)
    except IntegrityError:
        raise RuleViolation("有人刚编制了同一政策的另一个批次，请重新计算。") from None


def _locked_line(by, line: PaymentLine) -> tuple[PaymentBatch, PaymentLine]:
    batch = locked(line.batch)
    require_visible(PaymentBatch.objects.visible_to(by), batch)
    if not by.may(Permission.PAYMENT_MAKE):
        raise RuleViolation("这一步不由您的岗位办理。")
    return batch, PaymentLine.objects.select_related("village").get(pk=line.pk)


def _begin(by, batch: PaymentBatch, action: str) -> PaymentBatch:
    batch = locked(batch)
    require_visible(PaymentBatch.objects.visible_to(by), batch)
    expect_step(batch, action)
    if not by.may(NEEDED[action]):
        raise RuleViolation("这一步不由您的岗位办理。")
    return batch


def _refuse_maker(by, batch: PaymentBatch) -> None:
    if by.pk in makers(batch):
        raise RuleViolation(OWN)


def _refuse_other_list(batch: PaymentBatch, sha256: str) -> None:
    found = agreed(batch)
    if (batch.count, batch.total, batch.sha256) != tuple(found) or sha256 != batch.sha256:
        raise RuleViolation(CHANGED)


def _advance(
    batch: PaymentBatch, action: str, by, now: datetime, note: str, *fields: str
) -> PaymentBatch:
    before = advance(batch, action, *fields, by=by, now=now, note=note)
    _record(_EVENTS[action], batch, by, before)
    return batch


def _touch(batch: PaymentBatch) -> None:
    batch.row_version += 1
    batch.save(update_fields=["row_version"])


def _hold_fund(batch: PaymentBatch) -> None:
    """Before the step is recorded: whoever moves money holds the fund first and then the audit chain."""
    funds.held_fund(office=batch.office, policy_code=batch.policy_code, year=batch.pay_year)


def _move(by, batch: PaymentBatch, kind: str, amount, today: date, now: datetime) -> None:
    funds.move(
        by=by, office=batch.office, policy_code=batch.policy_code, year=batch.pay_year, kind=kind,
        amount=amount, happened_on=today, now=now, batch=batch,
    )  # fmt: skip


def _record(type_: str, batch: PaymentBatch, by, before: str | None = None) -> None:
    # Count and sum are the office's; the policy stays out, as it may tell of a child's death.
    changes = {"state": [before if before is not None else "", batch.state]}
    if batch.count:
        changes |= {"lines": batch.count, "yuan": f"{batch.total:.2f}"}
    log.record(type_, by=by, target=batch, region_path=batch.office.path, changes=changes)


def _record_line(type_: str, line: PaymentLine, by) -> None:
    log.record(type_, by=by, target=line, region_path=line.village.path)
