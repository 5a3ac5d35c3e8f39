"""Indicators and returns, filled by the apps in ready(). Every figure is defined here once, by code."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

Figure = int | Decimal | float | None  # None where there is nothing to divide by


@dataclass(frozen=True)
class Span:
    """The days a figure looks at, both included. `as_of` is the last of them."""

    start: date
    as_of: date


@dataclass(frozen=True)
class Indicator:
    """One figure's public definition (the words shown beside it) and how it is written."""

    code: str
    name: str
    unit: str
    definition: str = ""
    target: str = ""
    decimals: int = 0  # shown rounded half up; rates have 2


@dataclass(frozen=True)
class IndicatorGroup:
    """Indicators that one set-based computation yields together.

    compute(regions, span) takes Region rows of one level (or a region and its children) and returns
    {region code: {indicator code: Figure}} for all of them, in a fixed number of queries.
    people(code, region, span) returns the counted records as ListRow, in stable order.
    """

    key: str
    name: str
    indicators: tuple[Indicator, ...]
    compute: Callable[..., dict[str, dict[str, Figure]]]
    people: Callable[..., list["ListRow"]]


@dataclass(frozen=True)
class ListRow:
    """One record behind a figure. `resident_id` opens the person where there is one."""

    village_code: str
    household_no: str
    name: str
    resident_id: int | None = None
    household_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # further columns on screen: heading → text


GROUPS: dict[str, IndicatorGroup] = {}


def register_group(group: IndicatorGroup) -> None:
    taken = {i.code for g in GROUPS.values() for i in g.indicators}
    if group.key in GROUPS or taken & {i.code for i in group.indicators}:
        raise ValueError(f"indicator group {group.key!r} or one of its codes is registered twice")
    GROUPS[group.key] = group


def group_of(code: str) -> IndicatorGroup:
    """The group that computes indicator `code`. Raises KeyError naming the known codes."""
    for group in GROUPS.values():
        if any(i.code == code for i in group.indicators):
            return group
    known = ", ".join(i.code for g in GROUPS.values() for i in g.indicators)
    raise KeyError(f"unknown indicator {code!r}; known: {known}")


def indicator(code: str) -> Indicator:
    return next(i for i in group_of(code).indicators if i.code == code)
