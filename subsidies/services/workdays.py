"""Corrections of the holiday calendar, entered once the arrangements are announced."""

from datetime import date, timedelta

from django.db import IntegrityError, transaction

from fpadmin import workdays
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from subsidies.models import WorkdayChange

EVENT_TYPES = {"benefit.workday_set": "登记节假日调整"}
CHANGE_LABELS = {"days": "日期"}
MOST_DAYS = 31
OLDEST = date(2004, 1, 1)


@transaction.atomic
def set_workdays(
    *, by, first: date, last: date, is_workday: bool, document: str, today: date
) -> list[WorkdayChange]:
    """The days from `first` to `last` are worked, or not. Returns the rows for those that differ.

    Days that the calendar has so already are passed over. Refuses a document left out, more than 31
    days, a day before 2004 or beyond next year, days that all stand so already, and to turn round
    what was entered for a day that is over: terms were counted by it.
    """
    if not document.strip():
        raise RuleViolation("请填写依据文件。", field="document")
    if last < first or (last - first).days >= MOST_DAYS:
        raise RuleViolation(f"止日应在起日当天或之后，一次最多{MOST_DAYS}天。", field="last")
    if first < OLDEST or last.year > today.year + 1:
        raise RuleViolation(f"日期应在{OLDEST.year}年到{today.year + 1}年之间。", field="first")
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    known = {row.day: row for row in WorkdayChange.objects.filter(day__in=days)}
    stands = {day: row.is_workday for day, row in known.items()}
    days = [day for day in days if workdays.is_workday(day, stands) != is_workday]
    if not days:
        raise RuleViolation("这些日子本来就是这样，没有要改的。", field="first")
    over = [day for day in days if day in known and day <= today]
    if over:
        raise RuleViolation(f"{over[0]}已经登记过，而且已经过去，不能再改。", field="first")
    rows = [_written(known.get(day), day, is_workday, document.strip(), by) for day in days]
    log.record(
        "benefit.workday_set",
        by=by,
        count=len(rows),
        changes={
            "days": ["", "、".join(day.isoformat() for day in days)],
            "is_workday": [not is_workday, is_workday],
            "document": ["", document.strip()],
        },
    )
    return rows


def _written(
    row: WorkdayChange | None, day: date, is_workday: bool, document: str, by
) -> WorkdayChange:
    if row is None:
        row = WorkdayChange(day=day)
    row.is_workday, row.document, row.set_by = is_workday, document, by
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise RuleViolation(f"{day}刚刚有别人登记过，请刷新后再看。", field="first") from None
    return row
