"""Steps of a batch: held while it is taken, only where BATCH_TRANSITIONS has one, and written down.

The services around it look at who takes the step and record it in the audit trail.
"""

from datetime import datetime

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.errors import RuleViolation
from subsidies.models import BATCH_TRANSITIONS, PaymentBatch, PaymentStep

NOT_NOW = "这个批次现在是“{state}”，不能这样办理，可能刚被别人办理。请重新打开查看。"


def locked(batch: PaymentBatch) -> PaymentBatch:
    """The batch as the last writer left it, held until the transaction ends."""
    PaymentBatch.objects.select_for_update().values_list("pk").get(pk=batch.pk)
    return PaymentBatch.objects.select_related("office", "version").get(pk=batch.pk)


def expect(batch: PaymentBatch, *states: str) -> None:
    """Refuse unless the batch is in one of the states."""
    if batch.state not in states:
        raise RuleViolation(NOT_NOW.format(state=batch.get_state_display()))


def expect_step(batch: PaymentBatch, action: str) -> None:
    """Refuse a step that doesn't lead out of the batch's state."""
    if action not in BATCH_TRANSITIONS.get(batch.state, {}):
        raise RuleViolation(NOT_NOW.format(state=batch.get_state_display()))


def advance(
    batch: PaymentBatch, action: str, *fields: str, by, now: datetime, note: str = ""
) -> str:
    """Take the step of a locked batch, saving `fields` with it; returns the state it was in."""
    expect_step(batch, action)
    before, batch.state = batch.state, BATCH_TRANSITIONS[batch.state][action]
    batch.row_version += 1
    batch.save(update_fields=["state", "row_version", *fields])
    add_step(batch, action, before, by=by, now=now, note=note)
    return before


def makers(batch: PaymentBatch) -> set[int]:
    """Who made the list, made it anew or submitted it: they neither check nor approve it."""
    steps = batch.steps.filter(action__in=["create", "recalculate", "submit"])
    made = steps.order_by().values_list("by", flat=True)
    return {batch.made_by_id, batch.submitted_by_id, *made} - {None}


def add_step(
    batch: PaymentBatch, action: str, before: str, *, by, now: datetime, note: str = ""
) -> None:
    """Write down what was done; a system job stands without a name."""
    PaymentStep.objects.create(
        batch=batch, action=action, from_state=before, to_state=batch.state, note=note,
        by=by if getattr(by, "pk", None) else None, at=now,
    )  # fmt: skip


def next_number(office: Region, pay_year: int) -> str:
    """A number for another batch of the office's year; held until the transaction ends."""
    bulk.one_at_a_time(f"payment-number-{office.pk}-{pay_year}")
    prefix = f"{office.code}-{pay_year}-"
    taken = PaymentBatch.objects.filter(number__startswith=prefix).values_list("number", flat=True)
    endings = (number.removeprefix(prefix) for number in taken)
    last = max((int(ending) for ending in endings if ending.isdigit()), default=0)
    return f"{prefix}{last + 1:03d}"
