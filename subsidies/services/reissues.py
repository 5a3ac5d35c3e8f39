"""Paying failed lines again, once each, and telling the village which accounts to mend.

A re-issue is a batch like any other and goes the same way through three people; only its lines are
taken from lines that failed, and not from the rolls.
"""

from collections.abc import Collection
from datetime import date, datetime

from django.db import IntegrityError, transaction

from fpadmin import bulk
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.services.scope import require_visible
from subsidies.models import BatchState, LineState, PaymentBatch, PaymentLine
from subsidies.payments.people import persons_needed
from subsidies.payments.steps import add_step, locked, next_number
from subsidies.reissues.choosing import reissuable, unclear_accounts, wrong_accounts
from subsidies.reissues.making import Failed, rows_of, write_lines

EVENT_TYPES = {
    "payment.reissued": "编制补发批次",
    "payment.village_told": "发给村里更正账户",
}
CHANGE_LABELS = {"parent": "原批次", "lines": "笔数"}
NOTHING = "没有可以补发的：失败和退票的都已经补发、入账，或者在别的批次发放。"
GONE = "所选的有{count}笔刚被补发、入账，或者在别的批次发放。请重新打开再选。"
RACED = "有人刚编制了同一政策的另一个批次，请重新打开再选。"
NOBODY_TO_TELL = (
    "没有要发给村里的：账户有问题的都已经发过，或者已经更正；看不出原因的，勾选了才发。"
)
NOT_YOURS = "这一步不由您的岗位办理。"


@transaction.atomic
def create_reissue(
    *,
    by,
    batch: PaymentBatch,
    lines: Collection[int] | None = None,
    today: date,
    now: datetime,
) -> PaymentBatch:
    """A batch in the draft with one line for each failed one of `batch`, or for those in `lines`.

    Months and money are as they were; name, bank and account are the registry's of now. Held are lines
    whose account is still the one that failed, and lines of which a month is no longer payable. Refuses
    where nothing can be paid again, and lines that meanwhile are; of two at once one makes the batch.
    """
    parent = _begin(by, batch)
    number = next_number(parent.office, parent.pay_year)
    bulk.one_at_a_time(f"payment-{parent.policy_code}-{parent.office_id}")
    rows = _chosen(parent, lines)
    child = PaymentBatch.objects.create(
        number=number, office=parent.office, policy_code=parent.policy_code, parent=parent,
        kind=PaymentBatch.Kind.REISSUE, year=parent.year, from_month=parent.from_month,
        to_month=parent.to_month, pay_year=parent.pay_year, part=parent.part,
        persons=persons_needed(parent.office, today), version=parent.version, shares=parent.shares,
        made_by=by, made_at=now,
    )  # fmt: skip
    _give_up_left_behind(parent, rows)
    try:
        with transaction.atomic():
            write_lines(child, rows, by, now)
    except IntegrityError:
        raise RuleViolation(RACED) from None
    add_step(child, "create", "", by=by, now=now)
    _record("payment.reissued", child, by, len(rows), parent=parent.number)
    return child


@transaction.atomic
def tell_village(
    *,
    by,
    batch: PaymentBatch,
    lines: Collection[int] | None = None,
    also: Collection[int] = (),
    now: datetime,
) -> int:
    """Make the wrong accounts of the batch, or those in `lines`, tasks of their villages; how many.

    With them those in `also` whose reason doesn't tell. A village is told of a line once.
    """
    batch = _begin(by, batch)
    wrong = wrong_accounts(batch.lines.filter(village_told_at__isnull=True)).order_by()
    asked = [pk for pk in wrong.values_list("pk", flat=True) if lines is None or pk in lines]
    if also:
        unclear = unclear_accounts(batch.lines).order_by().values_list("pk", flat=True)
        asked += [pk for pk in unclear if pk in also]
    if not asked:
        raise RuleViolation(NOBODY_TO_TELL)
    bulk.update(PaymentLine, ("village_told_at",), [(pk, now) for pk in asked])
    _record("payment.village_told", batch, by, len(asked))
    return len(asked)


def _begin(by, batch: PaymentBatch) -> PaymentBatch:
    batch = locked(batch)
    require_visible(PaymentBatch.objects.visible_to(by), batch)
    if not by.may(Permission.PAYMENT_MAKE):
        raise RuleViolation(NOT_YOURS)
    return batch


def _chosen(parent: PaymentBatch, lines: Collection[int] | None) -> list[Failed]:
    rows = rows_of(reissuable(parent.lines.all()))
    if lines is not None:
        asked = set(lines)
        rows = [row for row in rows if row.pk in asked]
        if len(rows) < len(asked):
            raise RuleViolation(GONE.format(count=len(asked) - len(rows)))
    if not rows:
        raise RuleViolation(NOTHING)
    return rows


def _give_up_left_behind(parent: PaymentBatch, rows: list[Failed]) -> None:
    """Lines of earlier re-issues that were held until their batch had gone to the bank."""
    again = {row.pk for row in rows}
    held = PaymentLine.objects.filter(reissue_of__batch=parent, state=LineState.HELD).exclude(
        batch__state=BatchState.DRAFT
    )
    left = [pk for pk, of in held.values_list("pk", "reissue_of") if of in again]
    bulk.update(PaymentLine, ("state",), [(pk, LineState.VOID) for pk in left])


def _record(type_: str, batch: PaymentBatch, by, count: int, **more) -> None:
    # No policy: it may tell of a child's death.
    log.record(
        type_, by=by, target=batch, region_path=batch.office.path, changes={"lines": count} | more
    )
