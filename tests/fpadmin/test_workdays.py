"""Working days: known holidays and worked weekends, corrections, and what always holds of the counting."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fpadmin.workdays import add_workdays, is_workday, known, workdays_between

DAYS = st.dates(min_value=date(2004, 1, 1), max_value=date(2029, 12, 31))
# Days after the start of a term, so that most of them matter.
OFFSETS = st.dictionaries(st.integers(0, 60), st.booleans(), max_size=8)
# Slow where the machine is busy with the rest of the suite.
patient = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


def changes_from(start: date, offsets: dict[int, bool]) -> dict[date, bool]:
    return {start + timedelta(days=days): worked for days, worked in offsets.items()}


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2018-09-28", True),
        ("2018-09-29", True),  # a Saturday, worked for the long holiday
        ("2018-09-30", True),
        ("2018-10-01", False),
        ("2018-10-05", False),
        ("2018-10-07", False),
        ("2018-10-08", True),
        ("2018-10-13", False),  # a usual Saturday
        ("2018-02-11", True),  # a Sunday, worked for Spring Festival
        ("2018-02-14", True),
        ("2018-02-15", False),
        ("2018-02-21", False),
        ("2018-02-22", True),
        ("2018-02-24", True),
        ("2018-02-25", False),
        ("2020-01-31", False),  # Spring Festival made longer at short notice
        ("2004-01-22", False),
        ("2026-02-17", False),
    ],
)
def test_days_of_the_calendar(day, worked):
    assert is_workday(date.fromisoformat(day), {}) is worked


def test_term_jumps_over_the_national_holiday():
    # 28 (Fri) posted; 29, 30 worked; 1-7 holiday; 8-12 worked.
    assert add_workdays(date(2018, 9, 28), 2, {}) == date(2018, 9, 30)
    assert add_workdays(date(2018, 9, 28), 3, {}) == date(2018, 10, 8)
    assert add_workdays(date(2018, 9, 28), 7, {}) == date(2018, 10, 12)


def test_term_of_a_usual_week():
    assert add_workdays(date(2018, 10, 9), 7, {}) == date(2018, 10, 18)
    assert workdays_between(date(2018, 10, 9), date(2018, 10, 18), {}) == 7


def test_a_correction_goes_before_the_calendar():
    closed = {date(2018, 10, 10): False}
    worked = {date(2018, 10, 13): True}

    assert not is_workday(date(2018, 10, 10), closed)
    assert is_workday(date(2018, 10, 13), worked)
    assert add_workdays(date(2018, 10, 9), 1, closed) == date(2018, 10, 11)
    assert add_workdays(date(2018, 10, 12), 1, worked) == date(2018, 10, 13)


def test_a_year_not_announced_counts_by_the_week_and_says_so():
    assert known(2004, {})
    assert known(2018, {})
    assert not known(2003, {})
    assert not known(2028, {})
    assert known(2028, {date(2028, 10, 2): False})
    assert is_workday(date(2028, 10, 2), {})  # a Monday
    assert not is_workday(date(2028, 10, 1), {})


@patient
@given(start=DAYS, number=st.integers(0, 60), offsets=OFFSETS)
def test_a_term_holds_exactly_its_working_days(start, number, offsets):
    changes = changes_from(start, offsets)
    end = add_workdays(start, number, changes)

    assert workdays_between(start, end, changes) == number
    assert end == start if number == 0 else is_workday(end, changes)


@patient
@given(start=DAYS, number=st.integers(1, 60), offsets=OFFSETS)
def test_a_longer_term_ends_later(start, number, offsets):
    changes = changes_from(start, offsets)
    assert add_workdays(start, number - 1, changes) < add_workdays(start, number, changes)


@patient
@given(after=DAYS, days=st.integers(-10, 120), offsets=OFFSETS)
def test_counting_is_day_by_day(after, days, offsets):
    changes = changes_from(after, offsets)
    through = after + timedelta(days=days)
    span = [after + timedelta(days=n) for n in range(1, days + 1)]

    assert workdays_between(after, through, changes) == len(
        [day for day in span if is_workday(day, changes)]
    )
