"""岗位补贴: a township's sheet of a year is made, submitted, approved by another, paid; then it stands."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.timezone import localdate

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.services.scope import require_visible
from subsidies.models import StipendLine, StipendSheet
from subsidies.oneoff.stipends import (
    MOST_MONTHS,
    Appraisal,
    Worker,
    amount_of,
    offered,
    total_of,
)

EVENT_TYPES = {
    "stipend.created": "新建岗位补贴表",
    "stipend.edited": "修改岗位补贴表",
    "stipend.submitted": "提交岗位补贴表",
    "stipend.returned": "退回岗位补贴表",
    "stipend.approved": "批准岗位补贴表",
    "stipend.paid": "登记岗位补贴发放",
}
CHANGE_LABELS = {"state": "状态", "lines": "笔数", "yuan": "金额（元）"}
State = StipendSheet.State
TRANSITIONS = {
    State.DRAFT: {"submitted": State.SUBMITTED},
    State.SUBMITTED: {"returned": State.DRAFT, "approved": State.APPROVED},
    State.APPROVED: {"paid": State.PAID},
}
OLDEST = 2004
MOST = Decimal("99999.99")
NOT_NOW = "这张补贴表现在是“{state}”，不能这样办理，可能刚被别人办理。请重新打开查看。"
OWN = "不能批准自己经办的补贴表，请换一位同事。"
CHANGED = "补贴表和您看到的不一样，可能刚被修改。请重新打开核对。"


@transaction.atomic
def create_sheet(
    *, by, office: Region, year: int, monthly: Decimal, document: str = "", today: date
) -> StipendSheet:
    """A sheet in the draft with the township's village workers, each with twelve months and 合格.

    Refuses a place that is no township of the writer's, a year to come, a rate that is no money, and a
    second sheet of the year.
    """
    if office.level != Region.Level.TOWNSHIP:
        raise RuleViolation("岗位补贴由乡镇（街道）编制。", field="office")
    if not Region.objects.visible_to(by).filter(pk=office.pk).exists():
        raise RuleViolation(f"{office.name}不在您的区划内，没有保存。", field="office")
    if not OLDEST <= year <= today.year:
        raise RuleViolation(f"年度应在{OLDEST}年到{today.year}年之间。", field="year")
    _check_monthly(monthly)
    try:
        with transaction.atomic():
            sheet = StipendSheet.objects.create(
                office=office, year=year, monthly=monthly, document=document.strip(), made_by=by
            )
    except IntegrityError:
        raise RuleViolation(f"{year}年的补贴表已经建过。", field="year") from None
    _write(sheet, offered(office), {})
    _record("stipend.created", sheet, by, {"year": ["", year]})
    return sheet


@transaction.atomic
def edit_sheet(
    *,
    by,
    sheet: StipendSheet,
    row_version: int,
    monthly: Decimal,
    document: str = "",
    workers: Sequence[Worker],
) -> StipendSheet:
    """The whole sheet as entered: rate, document and workers. Who edits last has made it.

    Refuses a sheet that was submitted, a worker twice, a village elsewhere, more than twelve months, and
    an amount that differs from the rule without a note.
    """
    sheet = _claimed(sheet, by, row_version)
    if sheet.state != State.DRAFT:
        raise RuleViolation(NOT_NOW.format(state=sheet.get_state_display()))
    _check_monthly(monthly)
    _check_workers(sheet.office, workers)
    known = {line.pk: line.account for line in sheet.lines.all()}
    sheet.monthly, sheet.document, sheet.made_by = monthly, document.strip(), by
    sheet.save(update_fields=["monthly", "document", "made_by"])
    sheet.lines.all().delete()
    _write(sheet, workers, known)
    _record("stipend.edited", sheet, by, {})
    return sheet


@transaction.atomic
def submit_sheet(*, by, sheet: StipendSheet, row_version: int) -> StipendSheet:
    """Hand it over to be approved. Refuses a sheet without money in it."""
    sheet = _claimed(sheet, by, row_version)
    if not total_of(sheet.lines.all()).yuan:
        raise RuleViolation("补贴表里没有要发的金额，不能提交。")
    _advance(sheet, "submitted", returned_note="")
    _record("stipend.submitted", sheet, by, {})
    return sheet


@transaction.atomic
def return_sheet(*, by, sheet: StipendSheet, row_version: int, note: str) -> StipendSheet:
    """Send it back to who made it. Refuses without a reason."""
    if not note.strip():
        raise RuleViolation("退回要写明原因。", field="note")
    sheet = _claimed(sheet, by, row_version)
    _advance(sheet, "returned", returned_note=note.strip())
    _record("stipend.returned", sheet, by, {})
    return sheet


@transaction.atomic
def approve_sheet(*, by, sheet: StipendSheet, row_version: int, now: datetime) -> StipendSheet:
    """Approve what was looked at; nothing of it changes any more. Refuses who made it."""
    sheet = _claimed(sheet, by, row_version)
    if sheet.made_by_id == by.pk:
        raise RuleViolation(OWN)
    _advance(sheet, "approved", approved_by=by, approved_at=now)
    _record("stipend.approved", sheet, by, {})
    return sheet


@transaction.atomic
def pay_sheet(
    *, by, sheet: StipendSheet, row_version: int, paid_on: date, today: date
) -> StipendSheet:
    """That the money was paid on that day. Refuses a day before the approval, and one to come."""
    sheet = _claimed(sheet, by, row_version)
    if paid_on > today:
        raise RuleViolation(f"发放日期{paid_on}在今天（{today}）之后，请核对。", field="paid_on")
    if sheet.approved_at and paid_on < localdate(sheet.approved_at):
        raise RuleViolation("发放日期不能早于批准日期。", field="paid_on")
    _advance(sheet, "paid", paid_on=paid_on)
    _record("stipend.paid", sheet, by, {"paid_on": ["", str(paid_on)]})
    return sheet


def _claimed(sheet: StipendSheet, by, row_version: int) -> StipendSheet:
    """The sheet as it was looked at, held; any change since is a refusal."""
    rows = StipendSheet.objects.filter(pk=sheet.pk, row_version=row_version)
    if not rows.update(row_version=row_version + 1):
        raise RuleViolation(CHANGED)
    return _held(sheet, by)


def _held(sheet: StipendSheet, by) -> StipendSheet:
    require_visible(StipendSheet.objects.visible_to(by), sheet)
    StipendSheet.objects.select_for_update().values_list("pk").get(pk=sheet.pk)
    return StipendSheet.objects.select_related("office").get(pk=sheet.pk)


def _advance(sheet: StipendSheet, step: str, **values) -> None:
    if step not in TRANSITIONS.get(sheet.state, {}):
        raise RuleViolation(NOT_NOW.format(state=sheet.get_state_display()))
    values["state"] = TRANSITIONS[sheet.state][step]
    for name, value in values.items():
        setattr(sheet, name, value)
    sheet.save(update_fields=list(values))


def _check_monthly(monthly: Decimal) -> None:
    if not 0 < monthly <= MOST or monthly != monthly.quantize(Decimal("0.01")):
        raise RuleViolation("月标准应大于0，最多两位小数。", field="monthly")


def _check_workers(office: Region, workers: Sequence[Worker]) -> None:
    seen = set()
    for one in workers:
        if not one.village.path.startswith(office.path):
            raise RuleViolation(f"{one.village.name}不属于{office.name}。")
        if not 0 <= one.months <= MOST_MONTHS:
            raise RuleViolation(f"{one.name}的在岗月数应在0到12之间。")
        if one.appraisal not in Appraisal.values:
            raise ValueError(f"unknown appraisal {one.appraisal!r}; known: {Appraisal.values}")
        if (one.village.pk, one.name) in seen:
            raise RuleViolation(f"{one.village.name}的{one.name}填了两次。")
        seen.add((one.village.pk, one.name))


def _write(sheet: StipendSheet, workers: Sequence[Worker], accounts: dict[int, str]) -> None:
    StipendLine.objects.bulk_create(
        StipendLine(
            sheet=sheet, village=one.village, name=one.name, months=one.months,
            appraisal=one.appraisal, amount=amount_of(one, sheet.monthly), bank=one.bank.strip(),
            account=accounts.get(one.line, "") if one.account is None else one.account,
            note=one.note.strip(),
        )
        for one in workers
    )  # fmt: skip


def _record(type_: str, sheet: StipendSheet, by, changes: dict) -> None:
    total = total_of(sheet.lines.all())
    log.record(
        type_,
        by=by,
        target=sheet,
        region_path=sheet.office.path,
        changes={
            "state": sheet.get_state_display(),
            "lines": total.count,
            "yuan": str(total.yuan),
            **changes,
        },
    )
