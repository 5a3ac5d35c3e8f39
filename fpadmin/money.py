"""Sums of money in the words of cheques, receipts and rosters (大写)."""

from decimal import Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")


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
