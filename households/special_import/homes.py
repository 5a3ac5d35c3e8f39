"""Finds the villages, households and archives that the records mean."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.imports.kinds import Ground
from fpadmin.imports.reader import Table
from households.models import Household, SpecialFamily
from households.places import Directory


@dataclass(slots=True)
class Archive:
    """A known archive as stored."""

    pk: int
    version: int
    household: int
    kind: str
    opened_on: date
    closed_on: date | None
    difficulties: str


@dataclass
class Homes:
    """By record: its village and household, None where they are unknown; and their archives."""

    villages: list[Region | None]
    households: list[int | None]
    archives: dict[int, list[Archive]] = field(default_factory=lambda: defaultdict(list))


class _Numbers:
    """The households of some villages by their numbers."""

    def __init__(self, villages: Iterable[int]):
        rows = Household.objects.filter(village__in=set(villages))
        self.exact = {(v, n): pk for v, n, pk in rows.values_list("village_id", "number", "pk")}

    @cached_property
    def unpadded(self) -> dict[tuple[int, str], list[tuple[int, str]]]:
        """Number without leading zeros → households: Excel drops them from a number."""
        found = defaultdict(list)
        for (village, number), pk in self.exact.items():
            if number.isdigit():
                found[village, number.lstrip("0")].append((pk, number))
        return found


def find_homes(table: Table, ground: Ground) -> Homes:
    """Villages outside the office and households not registered yet are errors of the record."""
    directory = Directory(ground.office)
    homes = Homes([], [])
    for index, code in enumerate(table.columns["village_code"]):
        village, fault = directory.village(code)
        if fault:
            table.error(index, "village_code", *fault)
        homes.villages.append(village)
    numbers = _Numbers(village.pk for village in homes.villages if village)
    for index, number in enumerate(table.columns["household_no"]):
        village = homes.villages[index]
        known = village and isinstance(number, str)
        homes.households.append(
            _household(table, index, village, number, numbers) if known else None
        )
    _find_archives(homes)
    return homes


def _household(
    table: Table, index: int, village: Region, number: str, numbers: _Numbers
) -> int | None:
    exact = numbers.exact.get((village.pk, number))
    if exact:
        return exact
    like = numbers.unpadded.get((village.pk, number.lstrip("0")), []) if number.isdigit() else []
    if len(like) == 1:
        pk, registered = like[0]
        table.warn(
            index, "household_no", "household_padded",
            f"登记的户编号是“{registered}”，已按这一户导入。",
        )  # fmt: skip
        return pk
    table.error(
        index, "household_no", "household_missing",
        f"{village.name}没有登记这一户。请先导入居民登记表，或核对户编号。",
    )  # fmt: skip
    return None


def _find_archives(homes: Homes) -> None:
    wanted = {pk for pk in homes.households if pk}
    columns = ["id", "row_version", "kind", "opened_on", "closed_on", "difficulties"]
    for household, pk, version, *rest in bulk.lookup(
        SpecialFamily, "household_id", wanted, columns
    ):
        homes.archives[household].append(Archive(pk, version, household, *rest))
    for archives in homes.archives.values():
        archives.sort(key=lambda one: one.opened_on)
