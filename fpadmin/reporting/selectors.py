"""What the pages of the returns read: periods with their newest version, figures, one figure's list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.dates import Period
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.registry import GROUPS, OFFERINGS, RETURNS, Return, Span
from fpadmin.ui.todos import Todo

SHOWN_PERIODS = {"month": 12, "year": 3, "calendar_year": 3}
CARD_CODES = ("births", "deaths", "natural_growth")
OVERDUE_SHOWN = 60  # days after which a return that was never made no longer asks for it


@dataclass(frozen=True)
class PeriodLine:
    """One period of a return: its newest version, if any, and whether it is over."""

    period: Period
    version: ReturnVersion | None
    is_over: bool


def recent_periods(cycle: str, today: date, count: int) -> list[Period]:
    """The period of `today` and those before it, newest first."""
    if cycle == "year":
        newest = dates.statistical_year(today)
        return [dates.statistical_year_period(newest - back) for back in range(count)]
    if cycle == "calendar_year":
        return [dates.calendar_year_period(today.year - back) for back in range(count)]
    months = [today.year * 12 + today.month - 1 - back for back in range(count)]
    return [dates.month_period(m // 12, m % 12 + 1) for m in months]


def period_lines(
    reports: Sequence[Return], region: Region, today: date, count: int | None = None
) -> list[tuple[Return, list[PeriodLine]]]:
    """Each return with its recent periods, in one query."""
    versions = (
        ReturnVersion.objects.filter(region=region, code__in=[r.code for r in reports])
        .select_related("made_by")
        .defer("content")
        .order_by("version")
    )
    newest = {(v.code, v.period): v for v in versions}
    return [
        (
            report,
            [
                PeriodLine(p, newest.get((report.code, p.code)), p.end < today)
                for p in recent_periods(report.cycle, today, count or SHOWN_PERIODS[report.cycle])
            ],
        )
        for report in reports
    ]


def versions_of(report: Return, region: Region, period: Period, user) -> list[ReturnVersion]:
    """The versions of this return that `user` may see, newest first."""
    return list(
        ReturnVersion.objects.visible_to(user)
        .filter(code=report.code, region=region, period=period.code)
        .select_related("made_by")
        .order_by("-version")
    )


def returns_of(region: Region, day: date, *cycles: str) -> list[Return]:
    """The returns of these cycles, or all, that are asked for in the place."""
    return [
        report for report, _ in offered_returns(region, day) if not cycles or report.cycle in cycles
    ]


def offered_returns(region: Region, day: date) -> list[tuple[Return, tuple[int, int] | None]]:
    """What is asked for in the place, with the month and day by which it is due, None for the usual."""
    offered = {key: offering(region, day) for key, offering in OFFERINGS.items()}
    found = []
    for report in RETURNS.values():
        if not report.offering:
            found.append((report, None))
        elif report.code in offered[report.offering]:
            found.append((report, offered[report.offering][report.code]))
    return found


def due_of(report: Return, period: Period, due: tuple[int, int] | None) -> date:
    """The day by which a return is due: the next `due` after the period, else the usual one.

    The usual one is the 15th after a month (the month's changes are entered by then) and 12 October
    after the statistical year.
    """
    if due is None:
        return period.end + timedelta(days=15 if report.cycle == "month" else 12)
    days = [
        date(year, due[0], min(due[1], dates.month_end(year, due[0]).day))
        for year in (period.end.year, period.end.year + 1)
    ]
    return next(day for day in days if day > period.end)


def figures_of(regions: Sequence[Region], span: Span) -> dict[str, dict]:
    """Every registered indicator of `regions`: {region code: {code: figure}}."""
    figures: dict[str, dict] = {r.code: {} for r in regions}
    for group in GROUPS.values():
        for code, row in group.compute(regions, span).items():
            figures[code] |= row
    return figures


def card_figures(user, day: date) -> list[tuple[str, int, str]]:
    """The home page's figures of the statistical year that ended last, as its lists count them.

    Only up to a township: a county's take too long for a home page and stand in its returns.
    """
    region = user.region
    if region.level < Region.Level.TOWNSHIP:
        return []
    year = dates.statistical_year_period(dates.statistical_year(day) - 1)
    query = urlencode({"start": year.start.isoformat(), "as_of": year.end.isoformat()})
    return [
        (
            f"{name}（{year.label}）",
            number,
            f"{reverse('reporting:figure-list', args=[code, region.code])}?{query}",
        )
        for code, name, number in _card(region, year)
    ]


def _card(region: Region, year: Period) -> list[tuple[str, str, int]]:
    figures = []
    for group in GROUPS.values():
        codes = [code for code in group.codes if code in CARD_CODES]
        if codes:
            row = group.compute([region], Span(year.start, year.end), codes)[region.code]
            names = {i.code: i.name for i in group.indicators}
            figures += [(code, names[code], row[code]) for code in codes]
    return sorted(figures, key=lambda figure: CARD_CODES.index(figure[0]))


def todos(user, day: date) -> list[Todo]:
    """Returns of the period just ended that the user's office has not made yet; see due_of()."""
    lines = []
    days = dict((report.code, due) for report, due in offered_returns(user.region, day))
    for report, (_, ended) in period_lines(returns_of(user.region, day), user.region, day, count=2):
        period, made = ended.period, ended.version is not None
        due = due_of(report, period, days[report.code])
        late = (day - due).days
        lines.append(
            Todo(
                label=f"{report.name}　{period.label}",
                count=0 if made or late > OVERDUE_SHOWN else 1,
                url=reverse(
                    "reporting:return-detail", args=[report.code, user.region.code, period.code]
                ),
                kind="bad" if late > 0 else "wait",
                word=f"逾期{late}天" if late > 0 else "未报",
                hint=f"{due.month}月{due.day}日前上报",
                act="去生成",
            )
        )
    return lines
