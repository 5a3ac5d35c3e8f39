"""From which month a benefit runs, and as of which day one usually asks."""

from datetime import date

from subsidies.policies import catalogue
from subsidies.policies.book import Rule


def usual_day(code: str, today: date) -> date:
    """31 December for a policy that starts by the year (criteria hold in the year), else today."""
    return date(today.year, 12, 31) if catalogue.policy(code).starts == "year" else today


def start_month(rule: Rule, *, held_on: date, applied_on: date) -> date:
    """The first month of a benefit by the rule's `starts`.

    year: January of the year of application, or of the later year in which all criteria hold; month:
    the month after they hold; application: the month of application. `held_on` is the day as of
    which all criteria were seen to hold.
    """
    if rule.starts == "year":
        return date(max(held_on.year, applied_on.year), 1, 1)
    if rule.starts == "application":
        return applied_on.replace(day=1)
    day = max(held_on, applied_on)
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
