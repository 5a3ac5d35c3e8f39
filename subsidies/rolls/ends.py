"""Months of the rolls: the last one paid after something ended an enrolment."""

from datetime import date

from subsidies.policies.book import Rule


def first_of_month(day: date) -> date:
    """The month of `day`, as months are kept."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """The month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_before(month: date) -> date:
    """The month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def month_words(month: date) -> str:
    """2018年9月, for sentences."""
    return f"{month.year}年{month.month}月"


def end_month(rule: Rule, event_day: date) -> date:
    """The last month paid when something on `event_day` ended it: of that month, or of its benefit year."""
    if rule.ends == "through the month":
        return first_of_month(event_day)
    return last_of_benefit_year(rule, event_day)


def last_of_benefit_year(rule: Rule, day: date) -> date:
    """The last month of the benefit year of `day`: December, where the year is the calendar's."""
    begins = rule.policy.year_from_month
    last = (begins - 2) % 12 + 1
    return date(day.year + (begins > 1 and day.month >= begins), last, 1)
