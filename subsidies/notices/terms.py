"""How long a notice hangs, and whether an application may go on after it."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef

from fpadmin.workdays import add_workdays, known, workdays_between
from subsidies.models import Application, Notice, NoticeLine, Objection, WorkdayChange

NOT_POSTED = "还没有张贴公示，不能转下一步。"
OPEN_OBJECTION = "公示期间有异议还没有处理，不能转下一步。"


def changes() -> dict[date, bool]:
    """What the office entered of days worked otherwise than the calendar says: for fpadmin.workdays."""
    return dict(WorkdayChange.objects.values_list("day", "is_workday"))


@dataclass(frozen=True)
class Term:
    """How long a notice hangs; `is_guessed` where the holidays of its days aren't announced yet."""

    days: int
    ends_on: date
    is_guessed: bool


def term_from(posted_on: date, days: int) -> Term:
    """The term of `days` working days, counted from the day after the posting."""
    changed = changes()
    ends_on = add_workdays(posted_on, days, changed)
    return Term(days, ends_on, not known(ends_on.year, changed))


def term_over(application: Application, today: date) -> str | None:
    """None where the application may go on from its notice; else the sentence that says why not."""
    line = live_line(application)
    if line is None:
        return NOT_POSTED
    if today <= line.notice.ends_on:
        return f"{still_hangs(line.notice, today, changes())}，不能转下一步。"
    return OPEN_OBJECTION if line.is_disputed else None


def live_line(application: Application) -> NoticeLine | None:
    """The line by which the application hangs or hung, with `is_disputed`; none that was taken off."""
    lines = NoticeLine.objects.filter(application=application, removed_on__isnull=True)
    return lines.select_related("notice").annotate(is_disputed=disputed()).first()


def disputed() -> Exists:
    """Whether an objection to a line's application is open, for a queryset of NoticeLine."""
    return Exists(
        Objection.objects.filter(
            application=OuterRef("application"), notice=OuterRef("notice"), outcome=""
        )
    )


def carried() -> Exists:
    """Whether an application stands on a notice, for a queryset of Application."""
    return Exists(NoticeLine.objects.filter(application=OuterRef("pk"), removed_on__isnull=True))


def notices_of(application: Application) -> list[NoticeLine]:
    """Its lines on notices, the newest first, each with its notice; those taken off too."""
    lines = application.notice_lines.select_related("notice__village", "notice__posted_by")
    return list(lines.annotate(is_disputed=disputed()).order_by("-notice__posted_on", "-pk"))


def take_off(application: Application, today: date) -> int:
    """Its line comes off the notice: what was sent back needs a new one. Part of a service."""
    lines = NoticeLine.objects.filter(application=application, removed_on__isnull=True)
    return lines.update(removed_on=today)


def days_left(notice: Notice, today: date, changed: dict[date, bool]) -> int:
    """Working days still to come after `today`; 0 on the last day and after it."""
    return workdays_between(max(today, notice.posted_on), notice.ends_on, changed)


def still_hangs(notice: Notice, today: date, changed: dict[date, bool]) -> str:
    """公示到2018年10月18日，还剩7个工作日: of a notice whose term is not over."""
    day = notice.ends_on
    left = days_left(notice, today, changed)
    rest = f"还剩{left}个工作日" if left else "今天是最后一天"
    return f"公示到{day.year}年{day.month}月{day.day}日，{rest}"
