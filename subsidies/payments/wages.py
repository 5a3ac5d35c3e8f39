"""The one-off pension supplement: a part of the city's average wage of the year before retirement."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from subsidies.models import AverageWage
from subsidies.policies.book import nearest
from subsidies.policies.catalogue import Policy

FEN = Decimal("0.01")
Wages = Mapping[int, Mapping[str, Decimal]]


def entered_wages() -> Wages:
    """What counties entered: {year: {region path: yuan}}."""
    found: dict[int, dict[str, Decimal]] = {}
    rows = AverageWage.objects.filter(cancelled_at__isnull=True).order_by()
    for year, path, amount in rows.values_list("year", "region__path", "amount"):
        found.setdefault(year, {})[path] = amount
    return found


def wage_of(policy: Policy, wages: Wages, path: str, region_code: str, year: int) -> Decimal | None:
    """The average wage of the place in a year: the nearest one entered, else the shipped one of its city."""
    entered = nearest(wages.get(year, {}), path)
    if entered is not None:
        return entered
    for (city, of_year), amount in policy.wages.items():
        if of_year == year and region_code.startswith(city):
            return amount
    return None


def supplement(policy: Policy, wage: Decimal) -> Decimal:
    """What is paid of the wage, to the fen: 30 % of 87,266 is 26,179.80."""
    return (wage * policy.wage_percent / 100).quantize(FEN, ROUND_HALF_UP)
