"""Benefits that a special family draws (享受待遇), as other apps know them: they register their sources.

So an archive shows what subsidies pays without importing it. The archive's own AidReceived comes
first; nothing is registered here by households itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from households.models import SpecialFamily


@dataclass(frozen=True)
class BenefitRow:
    """One benefit of a family; `until` None while it is drawn, `amount` None where none is fixed."""

    name: str
    since: date | None
    until: date | None = None
    amount: Decimal | None = None
    note: str = ""


Source = Callable[[SpecialFamily, date], list[BenefitRow]]
SOURCES: dict[str, Source] = {}


def register(key: str, source: Source) -> None:
    """Add source(family, day), which asks a fixed number of queries. A key that is taken raises."""
    if key in SOURCES:
        raise ValueError(f"source of benefits {key!r} is registered twice")
    SOURCES[key] = source


def benefits_of(family: SpecialFamily, day: date) -> list[BenefitRow]:
    """What every source knows of the family on `day`, sources in the order they were registered."""
    return [row for source in SOURCES.values() for row in source(family, day)]
