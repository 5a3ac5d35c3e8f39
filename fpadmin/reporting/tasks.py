"""Celery entry points of the schedule: one job for each township and return of the period just ended."""

from celery import shared_task

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.audit.log import SystemJob
from fpadmin.dates import Period
from fpadmin.reporting import runs, selectors

SCHEDULE = SystemJob("定时任务")


@shared_task
def make_monthly() -> None:
    """The monthly returns of the month before."""
    today = dates.today()
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    _make("month", dates.month_period(year, month))


@shared_task
def make_annual() -> None:
    """The annual returns of the statistical year that ended last."""
    ended = dates.statistical_year(dates.today()) - 1
    _make("year", dates.statistical_year_period(ended))


@shared_task
def make_calendar_annual() -> None:
    """The returns of the calendar year before."""
    _make("calendar_year", dates.calendar_year_period(dates.today().year - 1))


def _make(cycle: str, period: Period) -> None:
    townships = Region.objects.filter(level=Region.Level.TOWNSHIP).valid_on(period.end)
    for region in townships.order_by("code"):
        for report in selectors.returns_of(region, dates.today(), cycle):
            runs.start(
                code=report.code, region=region, period=period.code, by=SCHEDULE,
                once=True,
            )  # fmt: skip
