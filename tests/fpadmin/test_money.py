"""Sums in words, as receipts and rosters write them."""

from decimal import Decimal

import pytest

from fpadmin.money import capital_yuan


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("500", "伍佰元整"),
        ("1005.30", "壹仟零伍元叁角整"),
        ("3.05", "叁元零伍分"),
        ("0", "零元整"),
        ("20000000", "贰仟万元整"),
        ("0.50", "伍角整"),
        ("10", "壹拾元整"),
        ("10500", "壹万零伍佰元整"),
        ("100005", "壹拾万零伍元整"),
        ("205000", "贰拾万伍仟元整"),
        ("10203040.56", "壹仟零贰拾万叁仟零肆拾元伍角陆分"),
    ],
)
def test_sums_in_words(amount, words):
    assert capital_yuan(Decimal(amount)) == words
