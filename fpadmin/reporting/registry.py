"""Indicators and returns, filled by the apps in ready(). Every figure is defined here once, by code."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from fpadmin.accounts.permissions import Permission

Figure = int | float | None  # None where there is nothing to divide by


@dataclass(frozen=True)
class Span:
    """The days a figure looks at, both included. `as_of` is the last of them."""

    start: date
    as_of: date


@dataclass(frozen=True)
class Indicator:
    """One figure's public definition: the words shown beside it and how it is written."""

    code: str
    name: str
    unit: str
    definition: str = ""
    target: str = ""
    # count, money, rate or ratio; all but counts are shown with two decimals
    kind: str = "count"
    # What is never left out beside a rate (numerator, denominator) or a ratio (the number it rests on).
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndicatorGroup:
    """Indicators that one set-based computation yields together; `columns` lay them out in a table.

    compute(regions, span, codes) takes Region rows (a region and its children) and returns
    {region code: {indicator code: Figure}} for all of them, in a fixed number of queries; what
    only other codes need is left out. people(code, region, span) returns the counted records as
    ListRows, in stable order. links(user, rows) says for each row where it leads: the pages of the
    person and the household, "" where `user` may not see them now. Where `list_permission` is set,
    the records open only to who holds it, each opening recorded; everybody else gets the numbers.
    """

    key: str
    name: str
    indicators: tuple[Indicator, ...]
    columns: tuple["Column", ...]
    compute: Callable[..., dict[str, dict[str, Figure]]]
    people: Callable[..., "ListRows"]
    links: Callable[..., list[tuple[str, str]]]
    list_permission: Permission | None = None

    def opens_to(self, user) -> bool:
        """Whether `user` may see the records behind the figures."""
        return self.list_permission is None or user.may(self.list_permission)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(i.code for i in self.indicators)

    def list_unit(self, code: str) -> str:
        """What the list behind `code` counts: of a rate or ratio its first part; of a sum its payments."""
        by_code = {i.code: i for i in self.indicators}
        counted = by_code[(*by_code[code].parts, code)[0]]
        if counted.kind == "money":
            return "笔"
        return "人" if counted.unit in ("%", "女=100", "") else counted.unit


@dataclass(frozen=True)
class ListRow:
    """One record behind a figure. `resident_id` opens the person where there is one."""

    village_code: str
    household_no: str
    name: str
    resident_id: int | None = None
    household_id: int | None = None
    record_id: int | None = None  # what was counted, for links(), where it is neither of them
    facts: dict[str, Any] = field(default_factory=dict)  # further columns on screen: heading → text


class ListRows(Sequence):
    """The records behind a figure, in order: parts of (QuerySet of dicts, dict → ListRow).

    Nothing is read before it is looked at; a slice reads only its own records.
    """

    def __init__(self, *parts: tuple[Any, Callable[[dict], ListRow]]):
        self.parts = parts

    @cached_property
    def _lengths(self) -> list[int]:
        return [records.count() for records, _ in self.parts]

    def __len__(self) -> int:
        return sum(self._lengths)

    def __iter__(self) -> Iterator[ListRow]:
        for records, to_row in self.parts:
            yield from map(to_row, records.iterator(chunk_size=2000))

    def __getitem__(self, index):
        if isinstance(index, int):
            return self[index : index + 1][0]
        start, stop, _ = index.indices(len(self))
        rows: list[ListRow] = []
        for (records, to_row), length in zip(self.parts, self._lengths, strict=True):
            if start < length and stop > 0:
                rows += map(to_row, records[max(start, 0) : min(stop, length)])
            start, stop = start - length, stop - length
        return rows


@dataclass(frozen=True)
class Column:
    """One column of a return: an indicator, its heading there and the heading above several columns."""

    code: str
    heading: str
    group: str = ""
    section: str = ""  # columns of one section form a table of their own on paper


@dataclass(frozen=True)
class Check:
    """What the examination of a return found. level is ok, warn or bad."""

    level: str
    text: str
    detail: str = ""
    code: str = ""  # the figure that explains it and its region, where there is one
    region: str = ""


@dataclass(frozen=True)
class Frozen:
    """Why a return of one region and period no longer changes, and its version that holds, if any."""

    words: str
    version: Any = None


@dataclass(frozen=True)
class Return:
    """A form that an office hands in: it only arranges indicators, a row for each region below.

    cycle is month, year (the statistical one) or calendar_year. `groups` are those that its columns
    come from; a group that serves this return alone need not be registered. checks(rows) examines the
    figures, the row of the whole region first, and returns Checks. frozen(region, period) says why a
    return no longer changes, None while it may. `offering` names the entry of OFFERINGS that says in
    which places the return is asked for; "" everywhere.
    """

    code: str
    name: str
    cycle: str
    unit: str
    groups: tuple[IndicatorGroup, ...]
    columns: tuple[Column, ...]
    checks: Callable[..., list[Check]]
    frozen: Callable[..., Frozen | None] = lambda region, period: None
    offering: str = ""

    def group_of(self, code: str) -> IndicatorGroup:
        """The group that computes `code` in this return. Raises KeyError."""
        for group in self.groups:
            if code in group.codes:
                return group
        raise KeyError(f"{self.code} has no figure {code!r}")

    def opens_to(self, user, code: str) -> bool:
        """Whether `user` may see the records behind `code`; those of a figure it no longer has, nobody."""
        return any(code in group.codes and group.opens_to(user) for group in self.groups)

    def indicator(self, code: str) -> Indicator:
        return next(i for i in self.group_of(code).indicators if i.code == code)


# Offering → (region, day) → {return code: (month, day) by which it is due, None for the usual day}.
Offering = Callable[..., dict[str, tuple[int, int] | None]]
OFFERINGS: dict[str, Offering] = {}
GROUPS: dict[str, IndicatorGroup] = {}
RETURNS: dict[str, Return] = {}


def register_group(group: IndicatorGroup) -> None:
    """Add a group. A key or an indicator code that is taken raises."""
    taken = {i.code for g in GROUPS.values() for i in g.indicators}
    if group.key in GROUPS or taken & {i.code for i in group.indicators}:
        raise ValueError(f"indicator group {group.key!r} or one of its codes is registered twice")
    GROUPS[group.key] = group


def register_return(report: Return) -> None:
    """Add a return. A code that is taken, or a column that no group computes, raises."""
    if report.code in RETURNS:
        raise ValueError(f"return {report.code!r} is registered twice")
    for column in report.columns:
        report.indicator(column.code)
    RETURNS[report.code] = report


def register_offering(key: str, offering: Offering) -> None:
    """Add an offering, which asks a fixed number of queries. A key that is taken raises."""
    if key in OFFERINGS:
        raise ValueError(f"offering of returns {key!r} is registered twice")
    OFFERINGS[key] = offering


def group_of(code: str) -> IndicatorGroup:
    """The group that computes indicator `code`. Raises KeyError naming the known codes."""
    for group in GROUPS.values():
        if any(i.code == code for i in group.indicators):
            return group
    known = ", ".join(i.code for g in GROUPS.values() for i in g.indicators)
    raise KeyError(f"unknown indicator {code!r}; known: {known}")


def indicator(code: str) -> Indicator:
    """The definition of `code`. Raises KeyError naming the known codes."""
    return next(i for i in group_of(code).indicators if i.code == code)
