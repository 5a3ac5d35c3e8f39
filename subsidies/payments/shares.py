"""Who bears how much of a sum, to the fen."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

FEN = Decimal("0.01")
NOBODY_NAMED = {"县": Decimal(100)}  # without shares the county pays


def split(total: Decimal, shares: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The parts of `total`, in the order of `shares`; they add to it exactly.

    Each is cut to the fen, and the fen left over go one by one to those who lost most by it.
    """
    shares = shares or NOBODY_NAMED
    exact = {payer: total * part / 100 for payer, part in shares.items()}
    parts = {payer: one.quantize(FEN, ROUND_DOWN) for payer, one in exact.items()}
    left = int((total - sum(parts.values())) / FEN)
    for payer in sorted(exact, key=lambda one: parts[one] - exact[one])[:left]:
        parts[payer] += FEN
    return parts
