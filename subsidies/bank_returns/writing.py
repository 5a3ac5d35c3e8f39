"""Writes the bank's answer: postings batch by batch, then what is for the desk."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from fpadmin import dates
from fpadmin.accounts.models import User
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import changed_meanwhile
from subsidies.bank_returns.plan import PAID, Queued, ReturnPlan
from subsidies.models import PaymentBatch, Recovery, RecoveryPart, ReturnException
from subsidies.payments.steps import locked
from subsidies.services import funds
from subsidies.services.bank_returns import post_answers

Resolution = ReturnException.Resolution
AGAIN = "再次导入同一行，已登记。"


def write_returns(plan: ReturnPlan, journal: Journal) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of the desk.

    The journal is told nothing: money that was posted is corrected line by line and with a reason,
    never by taking the whole file back.
    """
    now = dates.now()
    _post(plan, now)
    _settle(plan, now)
    _keep(plan)
    made = ReturnException.objects.bulk_create(
        (_exception(plan, one) for one in plan.queued if one.stored is None), batch_size=1_000
    )
    # The column fills itself by the clock; the desk counts from the day the office lives in.
    for some in _some([one.pk for one in made]):
        ReturnException.objects.filter(pk__in=some).update(created_at=now)
    offices = Counter(_office(plan, one) for one in plan.queued)
    return [
        log.Entry("bank_return.queued", region_path=office.path, count=count)
        for office, count in offices.items()
    ]


def _post(plan: ReturnPlan, now: datetime) -> None:
    """Batches, what their lines are cut by, and funds are held before the first is written, in that order.

    Whoever writes down a repayment holds the recovery and then the fund.
    """
    batches = {one.pk: one for one in plan.batches.values()}
    touched = sorted(plan.paid.keys() | plan.failed.keys())
    touched = [pk for pk in touched if plan.paid.get(pk) or plan.failed.get(pk)]
    for pk in touched:
        locked(batches[pk])
    cut = RecoveryPart.objects.filter(line__batch__in=touched, counts=False).values("recovery")
    held = Recovery.objects.select_for_update().filter(pk__in=cut).order_by("pk")
    list(held.values_list("pk"))
    keys = {
        (one.office_id, one.policy_code, one.pay_year): one for one in map(batches.get, touched)
    }
    for _, one in sorted(keys.items()):
        funds.held_fund(office=one.office, policy_code=one.policy_code, year=one.pay_year)
    try:
        for pk in touched:
            post_answers(
                by=plan.ground.by, batch=batches[pk], paid=plan.paid.get(pk, {}),
                failed=plan.failed.get(pk, {}), today=plan.ground.today, now=now,
            )  # fmt: skip
    except RuleViolation as error:
        raise changed_meanwhile() from error


def _settle(plan: ReturnPlan, now: datetime) -> None:
    """Exceptions whose row fits by now, such as of a batch that wasn't marked as sent."""
    if not isinstance(plan.ground.by, User):
        return
    for resolution, wanted in ((Resolution.PAID, True), (Resolution.FAILED, False)):
        keys = [pk for pk, result in plan.settled if (result == PAID) == wanted]
        for some in _some(keys):
            ReturnException.objects.open().filter(pk__in=some).update(
                resolution=resolution, note=AGAIN, resolved_by=plan.ground.by, resolved_at=now
            )


def _keep(plan: ReturnPlan) -> None:
    """An open exception is about something else by now, such as a batch sent meanwhile."""
    again = {one.stored.pk: one for one in plan.queued if one.stored}
    known = ReturnException.objects.in_bulk(list(again))
    for pk, exception in known.items():
        one = again[pk]
        exception.problem, exception.batch, exception.line_id = one.problem, one.batch, one.line
    ReturnException.objects.bulk_update(
        known.values(), ["problem", "batch", "line"], batch_size=500
    )


def _exception(plan: ReturnPlan, one: Queued) -> ReturnException:
    row = one.row
    return ReturnException(
        office=_office(plan, one), batch=one.batch, line_id=one.line, problem=one.problem,
        batch_no=row.batch_no, line_no=row.line_no, name=row.name, account=row.account,
        amount=row.amount, result=row.result, reason=row.reason, paid_on=row.paid_on,
        row_digest=one.digest,
    )  # fmt: skip


def _office(plan: ReturnPlan, one: Queued):
    batch: PaymentBatch | None = one.batch
    return batch.office if batch else plan.ground.office


def _some(keys: list[int], size: int = 500) -> Iterator[list[int]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
