"""What the bank answers is posted: every line it was told to pay comes out one way, once.

Posting locks the batch first, so that of two people with the same file one posts it and the other
finds it posted. Recoveries are locked before funds and the audit chain, as everywhere.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.timezone import localdate

from fpadmin import bulk
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.audit.log import SystemJob
from fpadmin.errors import RuleViolation
from fpadmin.workdays import add_workdays
from households.services.scope import require_visible
from subsidies.bank_returns.lines import paying_again, reason_of
from subsidies.models import (
    SENT_BATCHES,
    LineState,
    PaymentBatch,
    PaymentLine,
    Recovery,
    RecoveryPart,
)
from subsidies.notices.terms import changes
from subsidies.payments.steps import advance, locked
from subsidies.services import funds

EVENT_TYPES = {
    "payment.answered": "登记银行回盘",
    "payment.paid_late": "登记迟到入账",
    "payment.came_back": "登记退票",
}
CHANGE_LABELS = {
    "state": "状态", "paid": "入账笔数", "failed": "失败笔数", "returned": "退票笔数",
    "unknown": "结果不明笔数", "yuan": "金额（元）",
}  # fmt: skip
# Working days after the money arrived within which the person is to be seen.
SEEN_WITHIN = 15
NOT_SENT = "批次{number}没有送银行，不能登记回盘。"
NOT_OF_BATCH = "有{count}笔不在这个批次里，没有登记。请重新打开查看。"
ANSWERED = "第{line}号现在是“{state}”，不能再登记结果，可能刚被别人登记。请重新打开查看。"
TWICE = "同一笔有两种结果，没有登记。"
BEFORE_SENT = "入账日期不能早于生成银行文件的日期{day}。"
IN_FUTURE = "入账日期不能晚于今天。"
_WAITING = (LineState.INSTRUCTED, LineState.UNKNOWN)
_COLUMNS = ("state", "paid_on", "failed_reason", "answered_at", "see_by")


@transaction.atomic
def post_answers(
    *,
    by,
    batch: PaymentBatch,
    paid: Mapping[int, date],
    failed: Mapping[int, str],
    returned: Mapping[int, str] | None = None,
    unknown: Collection[int] = (),
    today: date,
    now: datetime,
) -> PaymentBatch:
    """Move lines, by key, as the bank says, all of them or none, and the money with them.

    Paid ones get their day and the day by which the person is to be seen; what failed, or came back,
    is free money again. Lines may wait for an answer or be 结果不明; one that was paid may come back.
    Refuses any other line, a batch that isn't with the bank, and days before its file was made.
    """
    returned = returned or {}
    batch = _sent(by, batch)
    lines = _lines(batch, paid, failed, returned, unknown)
    _refuse_days(batch, paid.values(), today)
    for pk, (number, state, _, _) in lines.items():
        came_back = pk in returned and state == LineState.PAID
        if not (came_back or state in _WAITING) or (pk in unknown and state == LineState.UNKNOWN):
            raise RuleViolation(
                ANSWERED.format(line=number, state=LineState(state).label), field="line"
            )
    if not lines:
        return batch
    _write({pk: row[3] for pk, row in lines.items()}, paid, failed, returned, unknown, now)
    unpaid = [pk for pk in returned if lines[pk][1] == LineState.PAID]
    _count_deductions(paid)
    _uncount_deductions(unpaid)
    yuan = {kind: sum((lines[pk][2] for pk in keys), Decimal(0)) for kind, keys in (
        ("pay", paid), ("release", [*failed, *(returned.keys() - set(unpaid))]), ("unpay", unpaid),
    )}  # fmt: skip
    before = batch.state
    if paid or failed or returned:
        _advance(batch, by, now)
    for kind, amount in yuan.items():
        _move(by, batch, kind, amount, max(paid.values(), default=today), today, now)
    counts = {"paid": paid, "failed": failed, "returned": returned, "unknown": unknown}
    log.record(
        "payment.answered", by=by, target=batch, region_path=batch.office.path,
        changes={
            "state": [before, batch.state],
            **{name: len(keys) for name, keys in counts.items() if keys},
            "yuan": f"{yuan['pay']:.2f}",
        },
    )  # fmt: skip
    return batch


@transaction.atomic
def pay_late(
    *, by, line: PaymentLine, paid_on: date, today: date, now: datetime
) -> tuple[PaymentLine, Recovery | None]:
    """A failed line arrived after all. Where it was paid again meanwhile, the money is to come back.

    The line is then left failed, with the day, and a recovery is proposed. Either way the money is
    taken from what is free, to which the failure had returned it. Refuses a line that is being paid
    again by a batch not sent yet: holding it back there is cheaper than asking for money.
    """
    batch = _sent(by, line.batch)
    line = PaymentLine.objects.select_related("village").get(pk=line.pk)
    if line.state != LineState.FAILED or line.late_paid_on:
        raise RuleViolation(
            ANSWERED.format(line=line.line_no, state=line.get_state_display()), field="line"
        )
    _refuse_days(batch, [paid_on], today)
    again = paying_again(line)
    if again and again.state == LineState.PLANNED:
        raise RuleViolation(
            f"这一笔正在批次{again.batch.number}里重新发放，还没有送银行。"
            "请先在那里暂缓这一笔，或者作废那个批次，再登记入账。"
        )
    recovery = _paid_twice(by, line, paid_on, now) if again else None
    if not recovery:
        _paid_after_all(line, paid_on, now)
    _move(by, batch, "pay_late", line.amount, paid_on, today, now)
    log.record(
        "payment.paid_late", by=by, target=line, region_path=line.village.path,
        changes={"state": [LineState.FAILED, line.state]},
    )  # fmt: skip
    return line, recovery


@transaction.atomic
def return_line(*, by, line: PaymentLine, reason: str, today: date, now: datetime) -> PaymentLine:
    """A paid line came back (退票): the money is free again, and the line may be paid again."""
    if not reason.strip():
        raise RuleViolation("请写明退票的原因。", field="reason")
    if PaymentLine.objects.filter(pk=line.pk).exclude(state=LineState.PAID).exists():
        raise RuleViolation("只有已入账的才能登记退票。请重新打开查看。")
    post_answers(
        by=by,
        batch=line.batch,
        paid={},
        failed={},
        returned={line.pk: reason},
        today=today,
        now=now,
    )
    line = PaymentLine.objects.select_related("village").get(pk=line.pk)
    log.record(
        "payment.came_back", by=by, target=line, region_path=line.village.path,
        changes={"state": [LineState.PAID, line.state]},
    )  # fmt: skip
    return line


def _sent(by, batch: PaymentBatch) -> PaymentBatch:
    batch = locked(batch)
    if not isinstance(by, SystemJob):
        require_visible(PaymentBatch.objects.visible_to(by), batch)
        if not by.may(Permission.PAYMENT_MAKE):
            raise RuleViolation("这一步不由您的岗位办理。")
    if batch.state not in SENT_BATCHES or batch.kind == PaymentBatch.Kind.HISTORY:
        raise RuleViolation(NOT_SENT.format(number=batch.number))
    return batch


def _lines(batch: PaymentBatch, *answers: Collection[int]) -> dict[int, tuple]:
    """{key: (number, state, amount, day paid)} of the lines that the answers speak of."""
    asked = {pk for keys in answers for pk in keys}
    if len(asked) < sum(len(set(keys)) for keys in answers):
        raise RuleViolation(TWICE)
    rows = batch.lines.order_by().values_list("pk", "line_no", "state", "amount", "paid_on")
    found = {pk: tuple(rest) for pk, *rest in rows.iterator(chunk_size=5_000) if pk in asked}
    if len(found) < len(asked):
        raise RuleViolation(NOT_OF_BATCH.format(count=len(asked) - len(found)))
    return found


def _refuse_days(batch: PaymentBatch, days: Collection[date], today: date) -> None:
    # 送银行 may be pressed later than the file went.
    sent = localdate(batch.sealed_at)
    if any(day > today for day in days):
        raise RuleViolation(IN_FUTURE, field="paid_on")
    if any(day < sent for day in days):
        raise RuleViolation(BEFORE_SENT.format(day=sent.isoformat()), field="paid_on")


def _write(days, paid, failed, returned, unknown, now: datetime) -> None:
    """`days` are those on which lines were paid until now: one that came back keeps its own."""
    changed = changes()
    see_by = {day: add_workdays(day, SEEN_WITHIN, changed) for day in set(paid.values())}
    rows = [(pk, LineState.PAID, day, "", now, see_by[day]) for pk, day in paid.items()]
    for state, reasons in ((LineState.FAILED, failed), (LineState.RETURNED, returned)):
        rows += [
            (pk, state, days[pk], reason_of(words), now, None) for pk, words in reasons.items()
        ]
    rows += [(pk, LineState.UNKNOWN, None, "", None, None) for pk in unknown]
    bulk.update(PaymentLine, _COLUMNS, rows)
    bulk.analyze(PaymentLine, rows=len(rows))


def _advance(batch: PaymentBatch, by, now: datetime) -> None:
    """Onwards where lines still wait or none does; a batch that agreed before stays where it is."""
    if batch.lines.filter(state__in=_WAITING).exists():
        if batch.state == "sent":
            advance(batch, "post", by=by, now=now)
    elif batch.state in ("sent", "partly_returned"):
        advance(batch, "reconcile", by=by, now=now)


def _move(by, batch, kind, amount, paid_on: date, today: date, now: datetime) -> None:
    day = paid_on if kind in ("pay", "pay_late") else today
    funds.move(
        by=by, office=batch.office, policy_code=batch.policy_code, year=batch.pay_year, kind=kind,
        amount=amount, happened_on=day, now=now, batch=batch,
    )  # fmt: skip


def _paid_after_all(line: PaymentLine, paid_on: date, now: datetime) -> None:
    line.state, line.paid_on, line.answered_at = LineState.PAID, paid_on, now
    line.see_by = add_workdays(paid_on, SEEN_WITHIN, changes())
    try:
        with transaction.atomic():
            # The reason stays: by it the answer of then is known when it is brought in again.
            line.save(update_fields=["state", "paid_on", "answered_at", "see_by"])
    except IntegrityError:
        raise RuleViolation("这个人的这些月份刚在别的批次发放，请重新打开查看。") from None
    _count_deductions({line.pk: paid_on})


def _paid_twice(by, line: PaymentLine, paid_on: date, now: datetime) -> Recovery:
    line.late_paid_on, line.answered_at = paid_on, now
    line.save(update_fields=["late_paid_on", "answered_at"])
    return Recovery.objects.create(
        line=line, reason=Recovery.Reason.LATE_SUCCESS, amount=line.amount, proposed_by=by,
        proposed_at=now, note=f"补发以后银行又报这一笔在{paid_on.isoformat()}入账。",
    )  # fmt: skip


def _count_deductions(paid: Mapping[int, date]) -> None:
    """What was kept out of these lines has come back by now that they are paid.

    As far as it was still owed: a line that failed first may arrive after its debt came back otherwise.
    """
    parts = _parts(paid, counts=False)
    recoveries = {one.pk: one for one in _recoveries({part.recovery_id for part in parts})}
    counted = []
    for part in parts:
        recovery = recoveries[part.recovery_id]
        left = recovery.amount - recovery.settled
        if left <= 0:
            continue
        part.amount = min(part.amount, left)
        part.counts, part.happened_on = True, paid[part.line_id]
        recovery.settled += part.amount
        if recovery.settled >= recovery.amount:
            recovery.state = Recovery.State.SETTLED
        counted.append(part)
    RecoveryPart.objects.bulk_update(counted, ["amount", "counts", "happened_on"], batch_size=500)
    touched = {part.recovery_id for part in counted}
    changed = [one for one in recoveries.values() if one.pk in touched]
    for recovery in changed:
        recovery.row_version += 1
    Recovery.objects.bulk_update(changed, ["settled", "state", "row_version"], batch_size=500)
    done = [one.line_id for one in changed if one.state == Recovery.State.SETTLED]
    for some in _some(done):
        PaymentLine.objects.filter(pk__in=some, state=LineState.RECALL_ASKED).update(
            state=LineState.RECOVERED
        )


def _uncount_deductions(unpaid: Collection[int]) -> None:
    """What was kept out of lines that came back is owed again."""
    parts = _parts(unpaid, counts=True)
    _mark([part.pk for part in parts], counts=False)
    owed: dict[int, Decimal] = defaultdict(Decimal)
    for part in parts:
        owed[part.recovery_id] += part.amount
    changed = []
    for recovery in _recoveries(owed):
        recovery.settled -= owed[recovery.pk]
        recovery.state = Recovery.State.OPEN
        recovery.row_version += 1
        changed.append(recovery)
    try:
        with transaction.atomic():
            Recovery.objects.bulk_update(
                changed, ["settled", "state", "row_version"], batch_size=500
            )
    except IntegrityError:
        raise RuleViolation("抵扣的那一笔另有追回在办，请先办完。") from None


def _parts(lines: Collection[int], *, counts: bool) -> list[RecoveryPart]:
    batches = PaymentLine.objects.filter(pk__in=list(lines)[:1]).values("batch")
    wanted = RecoveryPart.objects.filter(line__batch__in=batches, counts=counts).order_by("pk")
    return [part for part in wanted if part.line_id in lines]


def _recoveries(keys: Collection[int]) -> list[Recovery]:
    found: list[Recovery] = []
    for some in _some(sorted(keys)):
        found += Recovery.objects.select_for_update().filter(pk__in=some).order_by("pk")
    return found


def _mark(keys: list[int], **values) -> None:
    for some in _some(keys):
        RecoveryPart.objects.filter(pk__in=some).update(**values)


def _some(keys: list[int], size: int = 500):
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
