"""What a coming change costs or saves, in the policy's own terms.

A yearly policy counts the year's amount: of the year in which somebody enters, of the first year that is no
longer paid to who leaves. A monthly one counts the months of one calendar year: from the first month paid,
or after the last one, through December, each at the rate in force then. Paid once: the one amount.
"""

from datetime import date
from decimal import Decimal

from subsidies.eligibility.months import start_month
from subsidies.policies.book import PolicyBook, Rule

NONE = Decimal(0)


def entering(rule: Rule, book: PolicyBook, path: str, day: date, grade: str = "") -> Decimal | None:
    """What a unit costs that qualifies from `day` on; None where no rate is known."""
    first = start_month(rule, held_on=day, applied_on=day)
    return starting(rule, book, path, first, grade, day)


def starting(
    rule: Rule, book: PolicyBook, path: str, first: date, grade: str = "", day: date | None = None
) -> Decimal | None:
    """What a unit costs that is paid from the month `first` on."""
    if rule.policy.cycle == "month":
        # A month after December belongs to the year after: of this one nothing is paid.
        year = (day or first).year
        return of_months(book, rule.code, path, grade, first, year)
    return book.rate(rule.code, path, grade, day or first)


def leaving(
    rule: Rule, book: PolicyBook, path: str, last_month: date, grade: str = ""
) -> Decimal | None:
    """What is no longer paid to a unit whose last paid month it is."""
    if rule.policy.cycle == "once":
        return NONE
    if rule.policy.cycle == "year":
        return book.rate(rule.code, path, grade, date(last_month.year + 1, 1, 1))
    following = date(last_month.year + last_month.month // 12, last_month.month % 12 + 1, 1)
    return of_months(book, rule.code, path, grade, following, last_month.year)


def last_month(rule: Rule, day: date) -> date:
    """The last month paid to who ceases to meet the criteria on `day`."""
    return date(day.year, 12, 1) if rule.ends == "through the year" else day.replace(day=1)


def of_months(
    book: PolicyBook, code: str, path: str, grade: str, first: date, year: int
) -> Decimal | None:
    """The rates of the months of `year` from `first` on; None where one of them has none."""
    if first.year > year:
        return NONE
    begin = first.month if first.year == year else 1
    rates = [book.rate(code, path, grade, date(year, m, 1)) for m in range(begin, 13)]
    return None if None in rates else sum(rates, NONE)


def of_year(
    rule: Rule, book: PolicyBook, path: str, year: int, day: date, grade: str = ""
) -> Decimal | None:
    """What one unit is paid in a whole year: the sum of its months' rates, or the rate on `day`."""
    if rule.policy.cycle == "month":
        return of_months(book, rule.code, path, grade, date(year, 1, 1), year)
    return book.rate(rule.code, path, grade, day)
