"""Sums of money in the words of cheques, receipts and rosters (大写)."""

from decimal import Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = (("亿", 100_000_000), ("万", 10_000), ("", 1))


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
    """Twelve digits at most, as the ledgers hold them."""
    words, gap = "", False
    for unit, size in _GROUPS:
        part, number = divmod(number, size)
        if not part:
            gap = bool(words)
            continue
        if words and (gap or part < 1000):
            words += _DIGITS[0]
        words, gap = words + _four(part) + unit, False
    return words


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
