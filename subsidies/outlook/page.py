"""The tables of figures of the look-ahead; every figure is the number of rows of the list it opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from fpadmin.accounts.models import Region
from fpadmin.scoping import below
from fpadmin.ui.templatetags.ui import money, number
from households.models import Resident
from subsidies.eligibility.candidate_list import keys_in
from subsidies.outlook.ahead import ENTER, LEAVE, SIDES, Coming, ahead, months_of
from subsidies.outlook.asking import Wanted


@dataclass(frozen=True)
class Cell:
    """A figure as the page writes it; `url` opens its list, "" where there is none."""

    text: str
    url: str = ""
    leads: bool = False


@dataclass(frozen=True)
class Line:
    """A month's or village's figures."""

    label: str
    cells: list[Cell]
    is_total: bool = False


@dataclass(frozen=True)
class Summary:
    """One side over the twelve months."""

    label: str
    people: int
    yuan: Decimal | None
    url: str


class Figures:
    """What comes to one policy in one place, added up by month and by village."""

    def __init__(self, user, want: Wanted, today: date, base: dict[str, str]):
        self.want, self.months, self.base = want, months_of(today), base
        found = ahead(user, want.code, want.path, today)
        # Counted where the list shows them: in the village they live in now.
        people = Resident.objects.visible_to(user).filter(
            pk__in=keys_in(one.resident_id for one in found)
        )
        homes = dict(people.order_by().values_list("pk", "village"))
        self.found = [one for one in found if one.resident_id in homes]
        self.homes = homes
        villages = Region.objects.visible_to(user).filter(level=Region.Level.VILLAGE)
        # Of those no longer in force only where somebody is counted.
        there = Q(pk__in=set(homes.values())) | Q(pk__in=villages.valid_on(today).values("pk"))
        self.villages = list(villages.filter(there, below(want.path)).order_by("code"))

    @property
    def without_rate(self) -> int:
        """How many of them have no known amount."""
        return sum(one.yuan is None for one in self.found)

    def summaries(self) -> list[Summary]:
        """Each side in one line."""
        return [
            Summary(SIDES[side], len(rows := self._of(side)), _sum(rows), self._url(side=side))
            for side in SIDES
        ]

    def by_month(self) -> list[Line]:
        """A line a month: who enters and the yuan, who leaves and the yuan; last the twelve."""
        lines = [Line(f"{m.year}年{m.month}月", self._pair(month=m)) for m in self.months]
        return [*lines, Line("合计", self._pair(), is_total=True)]

    def by_village(self, side: str) -> list[Line]:
        """A line a village: the twelve months, then their sum and the yuan; last the whole place."""
        lines = [Line(one.name, self._year(side, one)) for one in self.villages]
        return [*lines, Line("合计", self._year(side, None), is_total=True)]

    def _pair(self, month: date | None = None) -> list[Cell]:
        cells = []
        for side in (ENTER, LEAVE):
            rows = self._of(side, month)
            query = {"side": side} | ({"month": f"{month:%Y-%m}"} if month else {})
            cells += [
                self._count(rows, query, leads=side == LEAVE),
                Cell(money(_sum(rows)) if rows else "0"),
            ]
        return cells

    def _year(self, side: str, village: Region | None) -> list[Cell]:
        place = {"village": str(village.pk)} if village else {}
        cells = []
        for month in self.months:
            rows = self._of(side, month, village)
            cells.append(self._count(rows, place | {"side": side, "month": f"{month:%Y-%m}"}))
        rows = self._of(side, None, village)
        return [
            *cells,
            self._count(rows, place | {"side": side}, leads=True),
            Cell(money(_sum(rows)) if rows else "0"),
        ]

    def _of(self, side: str, month: date | None = None, village: Region | None = None):
        return [
            one
            for one in self.found
            if one.side == side
            and month in (None, one.month)
            and (village is None or self.homes[one.resident_id] == village.pk)
        ]

    def _count(self, rows: Sequence[Coming], query: dict[str, str], *, leads=False) -> Cell:
        return Cell(number(len(rows)), self._url(**query) if rows else "", leads)

    def _url(self, **query: str) -> str:
        return f"{reverse('subsidies:outlook-list')}?{urlencode(self.base | query)}"


def _sum(rows: Sequence[Coming]) -> Decimal | None:
    """The known amounts together; None where not one is known."""
    known = [one.yuan for one in rows if one.yuan is not None]
    return sum(known, Decimal(0)) if known or not rows else None
