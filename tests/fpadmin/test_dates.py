"""Ages, statistical years and periods at their boundaries."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from fpadmin import dates


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(1969, 10, 9), date(2018, 10, 8), 48),
        (date(1969, 10, 9), date(2018, 10, 9), 49),
        (date(2016, 2, 29), date(2018, 2, 28), 1),
        (date(2016, 2, 29), date(2018, 3, 1), 2),
        (date(2016, 2, 29), date(2020, 2, 29), 4),
        (date(2018, 10, 9), date(2018, 10, 9), 0),
        (date(2018, 10, 9), date(2018, 10, 8), -1),
    ],
)
def test_age_is_completed_years(birth, day, age):
    assert dates.age_on(birth, day) == age


@pytest.mark.parametrize("years", [0, 1, 4, 18, 49, 60, 100])
@pytest.mark.parametrize(
    "day", [date(2018, 2, 28), date(2018, 3, 1), date(2020, 2, 29), date(2018, 10, 9)]
)
def test_birth_date_bound_agrees_with_age(day, years):
    """The bound used in SQL and the age used in words must never disagree by a day."""
    bound = dates.years_before(day, years)
    assert dates.age_on(bound, day) >= years
    assert dates.age_on(date.fromordinal(bound.toordinal() + 1), day) < years


def test_statistical_year_runs_from_october():
    assert dates.statistical_year(date(2018, 9, 30)) == 2018
    assert dates.statistical_year(date(2018, 10, 1)) == 2019
    assert dates.statistical_year_start(date(2018, 9, 30)) == date(2017, 10, 1)
    assert dates.statistical_year_start(date(2018, 10, 1)) == date(2018, 10, 1)


@pytest.mark.parametrize(
    ("code", "start", "end", "label"),
    [
        ("2018-09", date(2018, 9, 1), date(2018, 9, 30), "2018年9月"),
        ("2018-12", date(2018, 12, 1), date(2018, 12, 31), "2018年12月"),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29), "2020年2月"),
        ("2018Q3", date(2018, 7, 1), date(2018, 9, 30), "2018年第3季度"),
        ("2018Q4", date(2018, 10, 1), date(2018, 12, 31), "2018年第4季度"),
        ("2018", date(2017, 10, 1), date(2018, 9, 30), "2018年度"),
    ],
)
def test_period_has_both_days_and_a_name(code, start, end, label):
    period = dates.parse_period(code)
    assert (period.code, period.start, period.end, period.label) == (code, start, end, label)


@pytest.mark.parametrize("code", ["", "2018-13", "2018-00", "2018Q5", "abc", "2018Q", "99999-01"])
def test_wrong_period_says_what_to_write(code):
    with pytest.raises(ValueError, match="2018-09、2018Q3 或 2018"):
        dates.parse_period(code)


def test_today_is_the_demonstrations_day_only_where_set(settings):
    settings.TODAY = "2018-10-09"
    assert dates.today() == date(2018, 10, 9)
    settings.TODAY = ""
    assert dates.today() > date(2020, 1, 1)


def test_time_is_of_the_same_day_and_of_the_clock(settings):
    settings.TODAY = "2018-10-09"
    assert dates.now().date() == date(2018, 10, 9)
    assert dates.now().tzinfo is not None
    settings.TODAY = ""
    assert abs(dates.now() - timezone.now()) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "text",
    ["20180629", "2018-6-29", "2018/06/29", "2018.6.29", "2018年6月29日", "2018-06-29 00:00:00"],
)
def test_day_is_read_however_an_office_writes_it(text):
    assert dates.parse_day(text) == date(2018, 6, 29)


@pytest.mark.parametrize("text", ["", "2018", "2018-6", "18-6-29", "2018-6-29x", "今天"])
def test_text_that_is_no_day_gives_none(text):
    assert dates.parse_day(text) is None


def test_day_that_does_not_exist_raises():
    with pytest.raises(ValueError, match="day"):
        dates.parse_day("2018-2-30")
