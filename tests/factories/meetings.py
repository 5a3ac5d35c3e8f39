"""People who were paid and are to be seen, and meetings with them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from households.models import Resident
from subsidies.models import PaymentBatch, PaymentLine
from subsidies.services import meetings
from tests.factories.households import make_household, make_resident

TODAY = date(2018, 10, 9)
NOW = datetime(2018, 10, 9, 2, 0, tzinfo=UTC)
PAID = date(2018, 9, 12)
DUE = date(2018, 10, 10)
_sequence = count(1)


def make_paid(person, code="CN-RURAL", *, paid_on=PAID, see_by=DUE, year=2018, **values):
    """A payment that arrived; by default of the whole of 2018, to be seen to by 10 October."""
    office = person.village.parent
    batch, _ = PaymentBatch.objects.get_or_create(
        number=f"见面-{office.code}-{code}-{year}",
        defaults={
            "office": office, "policy_code": code, "kind": "history", "state": "closed", "year": year,
            "from_month": date(year, 1, 1), "to_month": date(year, 12, 1), "pay_year": year,
        },
    )  # fmt: skip
    amount = values.pop("amount", Decimal("960.00"))
    return PaymentLine.objects.create(
        **{
            "batch": batch, "line_no": next(_sequence), "state": "paid", "policy_code": code,
            "slot": str(year), "year": year, "beneficiary": person, "village": person.village,
            "household_no": person.household.number, "name": person.name, "gross": amount,
            "amount": amount, "paid_on": paid_on, "see_by": see_by,
        } | values
    )  # fmt: skip


def make_payee_to_see(village, name="陶有田", code="CN-RURAL", **values) -> Resident:
    """Somebody of a household of his own who was paid and not seen since."""
    person = make_resident(make_household(village), name, birth_date=date(1950, 3, 4))
    make_paid(person, code, **values)
    return person


def make_meeting(by, person, **values):
    """Somebody seen today: alive, with the money."""
    return meetings.record_meeting(
        **{
            "by": by, "resident": person, "met_on": TODAY, "is_alive": True, "delivered": "yes",
            "today": TODAY, "now": NOW,
        } | values
    )  # fmt: skip
