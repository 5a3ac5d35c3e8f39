"""Finds the registered persons whose numbers stand in a workbook, in one query for all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.scoping import below
from households.models import Resident
from subsidies.conflicts import PAIRED

_DOTS = str.maketrans(dict.fromkeys("•．・‧∙", "·"))


@dataclass(frozen=True, slots=True)
class Person:
    """What an import needs of a registered person."""

    pk: int
    name: str
    village: int
    household: int
    spouse: int | None  # with whom the person makes a couple
    died: date | None


def people_by_number(digests: Iterable[str]) -> dict[str, Person]:
    """Persons by the digest of their number, wherever they are registered."""
    fields = ["marital", "spouse_id", "id", "name", "village_id", "household_id", "death_date"]
    wanted = {digest for digest in digests if digest}
    rows = bulk.lookup(Resident, "id_number_digest", wanted, fields)
    return {
        digest: Person(*known, spouse if marital in PAIRED else None, died)
        for digest, marital, spouse, *known, died in rows
    }


def places_of(office: Region) -> dict[int, tuple[str, str]]:
    """(path, name) of every place of the office by its key."""
    inside = Region.objects.filter(below(office.path))
    return {pk: (path, name) for pk, path, name in inside.values_list("pk", "path", "name")}


def same_name(one: str, other: str) -> bool:
    """Whether two names are one, however blanks line them up and the dot of long names is typed."""
    return one == other or _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(name.split()).translate(_DOTS)
