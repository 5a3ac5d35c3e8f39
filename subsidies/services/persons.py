"""How many different people a payment needs, as a county sets it: three, or two where staff is short.

A row is never edited: another follows it, or it is cancelled before its day. A batch keeps the number
that it was made with; a draft takes the new one when it is calculated again.
"""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from subsidies.funds.persons import NOT_YOURS, refuse_persons, taken
from subsidies.models import PaymentPersons
from subsidies.payments.people import persons_needed
from subsidies.services.policies import Setting

EVENT_TYPES = {
    "payment.persons_set": "设定发放经手人数",
    "payment.persons_cancelled": "取消待生效的经手人数",
}


@transaction.atomic
def set_persons(*, by, setting: Setting, persons: int, today: date) -> PaymentPersons:
    """The number of people from that day on, in that place and what lies below it.

    Refuses what refuse_persons names.
    """
    refuse_persons(by=by, setting=setting, persons=persons, today=today)
    before = persons_needed(setting.region, setting.from_on)
    row = PaymentPersons(
        region=setting.region, from_on=setting.from_on, document=setting.document.strip(),
        article=setting.article.strip(), persons=persons, set_by=by,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise RuleViolation(taken(setting), field="from_on") from None
    log.record(
        "payment.persons_set",
        by=by,
        target=row,
        region_path=setting.region.path,
        changes={
            "from_on": ["", setting.from_on.isoformat()],
            "document": ["", row.document],
            "persons": [before, persons],
        },
    )
    return row


@transaction.atomic
def cancel_persons(*, by, row: PaymentPersons, today: date, now: datetime) -> None:
    """Take back what is set for a day to come; it stays listed as cancelled.

    Refuses a row whose day has come, one that was cancelled, and a place not the writer's own or below.
    """
    if not by.may(Permission.PAYMENT_RULE):
        raise RuleViolation(NOT_YOURS)
    if not Region.objects.visible_to(by).filter(pk=row.region_id).exists():
        raise RuleViolation(f"{row.region.name}不在您的区划内，没有保存。")
    if row.from_on <= today:
        raise RuleViolation(
            f"{row.from_on}起已经生效，不能取消。要改的话，请再设定一个从以后某天起的。"
        )
    alive = PaymentPersons.objects.filter(pk=row.pk, cancelled_at__isnull=True)
    if not alive.update(cancelled_at=now):
        raise RuleViolation("这一条已经取消，可能别人刚刚办理过。")
    log.record(
        "payment.persons_cancelled",
        by=by,
        target=row,
        region_path=row.region.path,
        changes={"from_on": ["", row.from_on.isoformat()], "persons": ["", row.persons]},
    )
