"""The average wages of a city's employees: dated rows, followed or replaced, never edited."""

from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.scoping import below
from subsidies.models import BOUND_BATCHES, LIVE_STATES, AverageWage, Enrolment, PaymentLine
from subsidies.oneoff.pensions import CODE, with_retirement

EVENT_TYPES = {"wage.set": "登记年平均工资"}
CHANGE_LABELS = {"place": "适用区划"}
OLDEST = 2001
MOST = Decimal("999999.99")
TAKEN = "{region}{year}年已有平均工资{amount:,.2f}元。要改的话，请勾选“更正”，原来的保留备查。"


@transaction.atomic
def set_wage(
    *,
    by,
    region: Region,
    year: int,
    amount: Decimal,
    document: str,
    corrects: bool = False,
    today: date,
    now: datetime,
) -> AverageWage:
    """The wage of a place in a year; it holds for whoever retires in the year after.

    With `corrects` it takes the place of the one entered before, which stays as cancelled. Refuses a
    place that is not the writer's or lies below a county, a year that is not over, an amount that is no
    money, a second one of the year, and a correction once a pension was approved by the one before.
    """
    if not Region.objects.visible_to(by).filter(pk=region.pk).exists():
        raise RuleViolation(f"{region.name}不在您的区划内，没有保存。", field="region")
    if region.level > Region.Level.COUNTY:
        raise RuleViolation("平均工资按市或县（区）登记。", field="region")
    if not document.strip():
        raise RuleViolation("请填写依据文件。", field="document")
    if not OLDEST <= year < today.year:
        raise RuleViolation(f"年度应在{OLDEST}年到{today.year - 1}年之间。", field="year")
    if not 0 < amount <= MOST or amount != amount.quantize(Decimal("0.01")):
        raise RuleViolation("平均工资应大于0，最多两位小数。", field="amount")
    before = (
        AverageWage.objects.select_for_update()
        .filter(region=region, year=year, cancelled_at__isnull=True)
        .first()
    )
    if before:
        _replace(before, amount, corrects, now)
    row = AverageWage(
        region=region, year=year, amount=amount, from_on=date(year + 1, 1, 1),
        document=document.strip(), set_by=by,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise RuleViolation("刚刚有别人登记过这一年，请刷新后再看。", field="year") from None
    log.record(
        "wage.set",
        by=by,
        target=row,
        region_path=region.path,
        changes={
            "place": ["", region.name],
            "year": ["", year],
            "amount": [str(before.amount) if before else "", str(amount)],
            "document": ["", document.strip()],
        },
    )
    return row


def _replace(before: AverageWage, amount: Decimal, corrects: bool, now: datetime) -> None:
    region, year = before.region, before.year
    if not corrects:
        raise RuleViolation(
            TAKEN.format(region=region.name, year=year, amount=before.amount), field="year"
        )
    if before.amount == amount:
        raise RuleViolation("和已经登记的一样，没有要改的。", field="amount")
    lines = Enrolment.objects.filter(below(region.path, "resident__village__path"))
    retired = with_retirement(lines.filter(policy_code=CODE)).filter(retired_year=year + 1)
    bound = PaymentLine.objects.filter(
        policy_code=CODE, state__in=LIVE_STATES, batch__state__in=BOUND_BATCHES,
        enrolment__in=retired.order_by().values("pk"),
    )  # fmt: skip
    if count := bound.count():
        raise RuleViolation(
            f"已有{count}笔养老补助按原来的平均工资批准发放，不能更正。", field="corrects"
        )
    before.cancelled_at = now
    before.save(update_fields=["cancelled_at"])
