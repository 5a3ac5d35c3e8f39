"""A round on paper: a receipt (签收单) for each family, and the office's own list by village.

A family signs its own slip, so that none reads who the others are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from django.db.models import QuerySet

from households.models import RoundVisit

PER_SHEET = 9
SLIPS_PER_SHEET = 3  # look.css has their height


@dataclass(frozen=True)
class OfficeSheet:
    """One sheet: families of one village with their numbers in it. The last of a village has its sum."""

    number: int
    village: str
    lines: list[tuple[int, RoundVisit]]
    families: int | None
    money: Decimal | None


def slip_sheets(visits: Iterable[RoundVisit]) -> list[list[RoundVisit]]:
    """The visits as they stand on sheets, to be cut into one slip for each family."""
    visits = list(visits)
    starts = range(0, len(visits), SLIPS_PER_SHEET)
    return [visits[start : start + SLIPS_PER_SHEET] for start in starts]


def office_list(visits: QuerySet, amount: Decimal | None) -> list[OfficeSheet]:
    """The visits of a rounds.for_list(), which stand in the order of their villages."""
    sheets = []
    for village, rows in groupby(visits, key=lambda visit: visit.family.household.village):
        lines = list(enumerate(rows, start=1))
        for start in range(0, len(lines), PER_SHEET):
            is_last = start + PER_SHEET >= len(lines)
            sheets.append(
                OfficeSheet(
                    number=len(sheets) + 1,
                    village=village.name,
                    lines=lines[start : start + PER_SHEET],
                    families=len(lines) if is_last else None,
                    money=amount * len(lines) if is_last and amount is not None else None,
                )
            )
    return sheets
