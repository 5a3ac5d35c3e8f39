"""Lines of other departments' lists, and differences, for tests."""

from datetime import date
from itertools import count

from fpadmin.accounts.models import Region
from fpadmin.crypto import digest
from households.models import Resident
from subsidies.comparison.rules import RULES
from subsidies.models import Difference, RosterEntry

_strangers = count(1)


def make_entry(
    office: Region, source: str, person: Resident | None, event_date: date | None = None, detail=""
) -> RosterEntry:
    """A line that names `person` by number alone, as an import leaves it; or a stranger."""
    number = person.id_number if person else f"stranger{next(_strangers)}"
    return RosterEntry.objects.create(
        office=office, source=source, name=person.name if person else "", id_number=number,
        id_number_digest=digest(number), event_date=event_date, detail=detail,
    )  # fmt: skip


def make_difference(resident: Resident, rule="dead", **values) -> Difference:
    """A difference as a comparison finds it."""
    facts = {"kind": RULES[rule].kind, "detail": "2017-06-01去世，现在仍在册"} | values
    return Difference.objects.create(
        key=f"{rule}:{next(_strangers)}|", rule=rule, resident=resident,
        found_on=facts.pop("found_on", date(2018, 10, 9)), **facts,
    )  # fmt: skip
