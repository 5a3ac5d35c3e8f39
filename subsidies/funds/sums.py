"""Sums of funds, to the fen: both databases give the same."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Count, DecimalField, QuerySet, Sum

FEN = Decimal("0.01")
BALANCES = ("allotted", "free", "reserved", "paid", "recovered")


def to_fen(amount: Decimal | None) -> Decimal:
    """A sum as SQL gives it, rounded to what it is: SQLite adds binary fractions. None is nothing."""
    return Decimal(amount or 0).quantize(FEN, ROUND_HALF_UP)


def even(fund) -> bool:
    """Whether 到账＝可用＋待发＋已发－追回 holds of a fund, or of sums of funds."""
    return to_fen(fund.allotted) == to_fen(fund.free + fund.reserved + fund.paid - fund.recovered)


@dataclass(frozen=True)
class Sums:
    """What several funds come to."""

    count: int
    budget: Decimal
    allotted: Decimal
    free: Decimal
    reserved: Decimal
    paid: Decimal
    recovered: Decimal
    name: str = ""
    office: int | None = None

    @property
    def is_even(self) -> bool:
        return even(self)


def sums_of(funds: QuerySet) -> Sums:
    """Of all these funds."""
    return Sums(**_to_fen(funds.order_by().aggregate(**_whole())))


def sums_by_office(funds: QuerySet) -> list[Sums]:
    """Of each office among these funds, in the order of the places."""
    rows = funds.order_by("office__path").values("office_id", "office__name").annotate(**_whole())
    return [Sums(**_to_fen(row), name=row["office__name"], office=row["office_id"]) for row in rows]


def _whole() -> dict:
    # Aliases of their own: an alias may not be called as a column of the model is.
    return {
        "number": Count("pk"),
        **{
            f"whole_{name}": Sum(name, output_field=DecimalField())
            for name in ("budget", *BALANCES)
        },
    }


def _to_fen(row: dict) -> dict:
    return {
        "count": row["number"],
        **{name: to_fen(row[f"whole_{name}"]) for name in ("budget", *BALANCES)},
    }
