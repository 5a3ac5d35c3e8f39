"""How many different people a payment needs: three, unless the county set two for the place."""

from datetime import date

from fpadmin.accounts.models import Region
from subsidies.models import PaymentPersons
from subsidies.policies.book import nearest

USUAL = 3


def persons_needed(office: Region, day: date) -> int:
    """By the nearest region's newest row in force on the day."""
    rows = PaymentPersons.objects.filter(cancelled_at__isnull=True, from_on__lte=day)
    places = dict(rows.order_by("from_on", "pk").values_list("region__path", "persons"))
    return nearest(places, office.path) or USUAL
