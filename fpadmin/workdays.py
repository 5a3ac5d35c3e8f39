"""Working days by the State Council's holiday calendar (节假日安排), for terms that the law counts in them.

The calendar is chinesecalendar's, 2004 to the last year announced when it was released. `changes`
(day → whether it is worked) goes before it: what an office enters once the next year is announced.
A year that neither knows counts Monday to Friday; known() tells, so that a page can say so.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from chinese_calendar.constants import holidays, workdays

_YEARS = {day.year for day in holidays}
_DAY = timedelta(days=1)
_SATURDAY = 5


def known(year: int, changes: Mapping[date, bool]) -> bool:
    """Whether the year's holidays are known, from the calendar or because somebody entered any."""
    return year in _YEARS or any(day.year == year for day in changes)


def is_workday(day: date, changes: Mapping[date, bool]) -> bool:
    """Whether offices are open on `day`."""
    if day in changes:
        return changes[day]
    return day in workdays or (day.weekday() < _SATURDAY and day not in holidays)


def add_workdays(start: date, number: int, changes: Mapping[date, bool]) -> date:
    """The `number`-th working day after `start`, which itself doesn't count; `start` for 0."""
    day = start
    for _ in range(number):
        day += _DAY
        while not is_workday(day, changes):
            day += _DAY
    return day


def workdays_between(after: date, through: date, changes: Mapping[date, bool]) -> int:
    """How many working days lie after `after`, up to and with `through`; 0 where there are none."""
    return sum(
        is_workday(after + number * _DAY, changes)
        for number in range(1, (through - after).days + 1)
    )
