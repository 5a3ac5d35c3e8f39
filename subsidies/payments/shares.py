"""Who bears how much of a sum, to the fen."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from subsidies.policies.catalogue import PAYERS

FEN = Decimal("0.01")
NOBODY_NAMED = {"县": Decimal(100)}  # without shares the county pays


def split(total: Decimal, shares: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The parts of `total`, payers from the centre down; they add to it exactly.

    Each is cut to the fen, and the fen left over go one by one to those who lost most by it. The order
    of `shares` doesn't matter: PostgreSQL keeps keys of JSON in an order of its own.
    """
    shares = shares or NOBODY_NAMED
    exact = {payer: total * shares[payer] / 100 for payer in sorted(shares, key=_rank)}
    parts = {payer: one.quantize(FEN, ROUND_DOWN) for payer, one in exact.items()}
    left = int((total - sum(parts.values())) / FEN)
    for payer in sorted(exact, key=lambda one: parts[one] - exact[one])[:left]:
        parts[payer] += FEN
    return parts


def _rank(payer: str) -> tuple[int, str]:
    known = payer in PAYERS
    return (PAYERS.index(payer) if known else len(PAYERS), payer)
