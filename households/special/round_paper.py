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
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")


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


def capital_yuan(amount: Decimal) -> str:
    """The sum as cheques and receipts write it: 伍佰元整, 壹仟零伍元叁角."""
    cents = int((amount * 100).to_integral_value())
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    words = f"{_whole(yuan)}元" if yuan else ""
    if jiao:
        words += f"{_DIGITS[jiao]}角"
    elif yuan and fen:
        words += _DIGITS[0]
    return (words + (f"{_DIGITS[fen]}分" if fen else "整")) if cents else "零元整"


def _whole(number: int) -> str:
    high, low = divmod(number, 10_000)  # an amount has eight digits before the point at most
    if not high:
        return _four(low)
    return f"{_four(high)}万{_DIGITS[0] if 0 < low < 1000 else ''}{_four(low)}"


def _four(number: int) -> str:
    """Up to four digits, one 零 for any run of zeros between others."""
    words, gap = "", False
    for at, digit in enumerate(str(number)):
        place = len(str(number)) - 1 - at
        if digit == "0":
            gap = True
            continue
        words += (_DIGITS[0] if gap else "") + _DIGITS[int(digit)] + _PLACES[place]
        gap = False
    return words
