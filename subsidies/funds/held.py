"""The fund that money moves in, one writer at a time."""

from fpadmin.accounts.models import Region
from subsidies.models import Fund


def held_fund(*, office: Region, policy_code: str, year: int) -> Fund:
    """The fund, locked until the transaction ends; made where there is none yet."""
    Fund.objects.get_or_create(office=office, policy_code=policy_code, year=year)
    return Fund.objects.select_for_update().get(office=office, policy_code=policy_code, year=year)
