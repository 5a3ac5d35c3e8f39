"""Who bears how much: the parts of any sum, by any shares."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subsidies.payments.shares import NOBODY_NAMED, split
from subsidies.policies import catalogue

FEN = Decimal("0.01")
sums = st.integers(0, 10**14 - 1).map(lambda fen: Decimal(fen) / 100)


@st.composite
def shares(draw) -> dict[str, Decimal]:
    """Hundredths of a per cent for up to all payers, together 100."""
    payers = draw(st.lists(st.sampled_from(catalogue.PAYERS), min_size=1, unique=True))
    cuts = draw(
        st.lists(st.integers(0, 10_000), min_size=len(payers) - 1, max_size=len(payers) - 1)
    )
    bounds = [0, *sorted(cuts), 10_000]
    parts = [Decimal(last - first) / 100 for first, last in zip(bounds, bounds[1:], strict=False)]
    return dict(zip(payers, parts, strict=True))


@given(total=sums, shares=shares())
def test_parts_add_to_the_whole_each_within_a_fen_of_its_share(total, shares):
    parts = split(total, shares)
    assert sum(parts.values()) == total
    assert list(parts) == [payer for payer in catalogue.PAYERS if payer in shares]
    assert parts == split(total, dict(reversed(shares.items())))
    for payer, part in parts.items():
        assert part >= 0
        assert part == part.quantize(FEN)
        assert abs(part - total * shares[payer] / 100) < FEN


@given(total=sums)
def test_without_shares_the_county_bears_it_all(total):
    assert split(total, {}) == {"县": total}
    assert sum(NOBODY_NAMED.values()) == 100


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        ("670080.00", {"中央": 80, "省": 20}, ["536064.00", "134016.00"]),
        ("0.01", {"中央": 50, "省": 50}, ["0.01", "0.00"]),
        ("100.00", {"省": "33.33", "市": "33.33", "县": "33.34"}, ["33.33", "33.33", "33.34"]),
        ("0.05", {"省": 30, "市": 30, "县": 40}, ["0.02", "0.01", "0.02"]),
        ("26179.80", {"县": 100}, ["26179.80"]),
    ],
)
def test_parts_of_sums_worked_by_hand(total, shares, parts):
    found = split(Decimal(total), {payer: Decimal(part) for payer, part in shares.items()})
    assert [str(part) for part in found.values()] == parts
