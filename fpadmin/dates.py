"""Calendar and age arithmetic. The day is always an argument, except in today() itself."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone


def today() -> date:
    """The local date; the demonstration lives in settings.TODAY. Only views, tasks and commands ask."""
    return date.fromisoformat(settings.TODAY) if settings.TODAY else timezone.localdate()


def now() -> datetime:
    """The time, on the day of today(): what the office writes down agrees with the day it lives in.

    Not for sessions, leases and limits, which go by the clock.
    """
    clock = timezone.localtime()
    return datetime.combine(today(), clock.timetz()) if settings.TODAY else clock


# A time of day may follow, as a cell that lost its format has one.
_WRITTEN_DAY = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:\s+[0-9:.]+)?"
    r"|(\d{4})(\d{2})(\d{2})",
    re.ASCII,
)


def parse_day(text: str) -> date | None:
    """The day of 20180629, 2018-6-29, 2018/6/29, 2018.6.29 or 2018年6月29日, in half-width digits.

    None where the text is none of these. Raises ValueError where there is no such day.
    """
    match = _WRITTEN_DAY.fullmatch(text)
    return date(*(int(part) for part in match.groups() if part)) if match else None


def years_before(day: date, years: int) -> date:
    """The latest birth date of somebody who has completed `years` on `day`.

    Age >= N on `day` is birth_date <= years_before(day, N). Somebody born on 29 February
    completes the year on 1 March, so on 28 February of a common year the bound is the 28th.
    """
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # day is 29 February and the other year is common
        return date(day.year - years, 2, 28)


def age_on(birth_date: date, day: date) -> int:
    """Completed years on `day`; born 29 February completes on 1 March. Negative before the birth year."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def statistical_year(day: date) -> int:
    """Statistical year Y runs from 1 October Y-1 to 30 September Y (national returns since 1998)."""
    return day.year + 1 if day.month >= 10 else day.year


def statistical_year_start(day: date) -> date:
    """The 1 October on which the statistical year of `day` began."""
    return date(statistical_year(day) - 1, 10, 1)


def month_end(year: int, month: int) -> date:
    """The last day of the month."""
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """A reporting period, both days included. `code` is 2018-09, 2018Q3 or 2018."""

    code: str
    start: date
    end: date

    @property
    def label(self) -> str:
        """The period in Chinese: 2018年9月, 2018年第3季度, 2018年度."""
        if "Q" in self.code:
            year, quarter = self.code.split("Q")
            return f"{year}年第{quarter}季度"
        if "-" in self.code:
            return f"{self.start.year}年{self.start.month}月"
        return f"{self.code}年度"


def month_period(year: int, month: int) -> Period:
    """The calendar month."""
    return Period(f"{year}-{month:02d}", date(year, month, 1), month_end(year, month))


def quarter_period(year: int, quarter: int) -> Period:
    """The calendar quarter."""
    end_month = quarter * 3
    return Period(f"{year}Q{quarter}", date(year, end_month - 2, 1), month_end(year, end_month))


def statistical_year_period(year: int) -> Period:
    """The statistical year, from 1 October of the year before."""
    return Period(str(year), date(year - 1, 10, 1), date(year, 9, 30))


def calendar_year_period(year: int) -> Period:
    """The calendar year, by which benefits are counted and paid."""
    return Period(str(year), date(year, 1, 1), date(year, 12, 31))


def parse_period(code: str) -> Period:
    """2018-09, 2018Q3 or 2018 (the statistical year). Raises ValueError with a sentence for the user."""
    try:
        if "Q" in code:
            year, quarter = code.split("Q")
            if quarter not in ("1", "2", "3", "4"):
                raise ValueError
            return quarter_period(int(year), int(quarter))
        if "-" in code:
            year, month = code.split("-")
            if not 1 <= int(month) <= 12:
                raise ValueError
            return month_period(int(year), int(month))
        return statistical_year_period(int(code))
    except (ValueError, OverflowError):
        raise ValueError(f"期间“{code}”不对。请写 2018-09、2018Q3 或 2018。") from None
