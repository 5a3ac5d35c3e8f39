"""One parser per column type, as django-import-export widgets: clean() for a cell, render() for a page.

The forms use the same functions for the same kinds of values. A cell that cannot be one raises
CellError with a documented code and a sentence that says what to do.
"""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from import_export.widgets import Widget

from fpadmin import identity
from fpadmin.dates import parse_day

CLEAR_WORD = "清空"
TICKS = frozenset("√✓✔☑")
_WIDTH = {0xFF10 + i: 0x30 + i for i in range(10)}
_WIDTH |= {0xFF21 + i: 0x41 + i for i in range(26)} | {0xFF41 + i: 0x61 + i for i in range(26)}
_WIDTH |= {ord("；"): ";", 0x200B: None, 0xFEFF: None, 0xA0: " ", 0: None}
_MONTH = re.compile(
    r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?$|^(\d{4})(\d{2})$|^(\d{4})[-/](\d{1,2})[-/]\d{1,2}$"
)
_SCIENTIFIC = re.compile(r"^\d(?:\.\d+)?E\+?\d{2}$", re.IGNORECASE)
# A number that Excel shows as a date when the cell has lost its format: days since 1899-12-30.
_SERIAL_DATES = range(10_000, 73_051)


class CellError(ValueError):
    """`code` is one of the documented list in docs/import-codes.md; str() is the user's sentence."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Clear:
    """The value of a cell that says 清空: blank what is there."""

    def __repr__(self):
        return "CLEAR"


CLEAR = Clear()


def _digits_lost() -> CellError:
    return CellError("digits_lost", "号码被Excel改成数字，末几位已丢失。把该列设为文本后重新录入。")


def plain_text(value) -> str:
    """A cell as an office would read it: stripped, half-width digits and letters, no ".0"."""
    if isinstance(value, str):
        return value.translate(_WIDTH).strip()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        if abs(value) >= 1e14:
            raise _digits_lost()
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return str(value)


class TextWidget(Widget):
    """Any text, up to `max_length`; a number that Excel has rounded is refused."""

    def __init__(self, max_length: int = 200):
        super().__init__()
        self.max_length = max_length

    def clean(self, value, row=None, **kwargs):
        text = plain_text(value)
        if _SCIENTIFIC.match(text):
            raise _digits_lost()
        if len(text) > self.max_length:
            raise CellError("too_long", f"最多{self.max_length}个字，现在{len(text)}个。请缩短。")
        return text

    def render(self, value, obj=None, **kwargs):
        return "" if value is None else str(value)


class CodeWidget(TextWidget):
    """Letters, digits and dashes as the workbook has them; unpadded."""

    def clean(self, value, row=None, **kwargs):
        text = super().clean(value).replace(" ", "")
        if not re.fullmatch(r"[0-9A-Za-z-]+", text):
            raise CellError("code", "代码只能由数字、字母和短横组成。请核对。")
        return text


class IdNumberWidget(Widget):
    """A citizen ID number (GB 11643-1999); 15 digits become 18. The value is an IdNumber."""

    def __init__(self, today: date):
        super().__init__()
        self.today = today

    def clean(self, value, row=None, **kwargs):
        text = plain_text(value).lstrip("'’‘`")  # typed to make Excel keep the digits
        if _SCIENTIFIC.match(text):
            raise _digits_lost()
        try:
            return identity.parse_id_number(text, today=self.today)
        except identity.InvalidIdNumber as error:
            raise CellError(error.code, str(error)) from None

    def render(self, value, obj=None, **kwargs):
        return identity.mask_id_number(value.number) if value else ""


def parse_date(value) -> date:
    """A real day from an Excel date or any way an office writes one. Raises CellError."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, timedelta | time | bool):
        raise CellError("date", "不是日期。请写成2018-09-03。")
    if isinstance(value, float) and value.is_integer() and int(value) in _SERIAL_DATES:
        return date(1899, 12, 30) + timedelta(days=int(value))
    try:
        day = parse_day(identity.half_width(plain_text(value)))
    except ValueError:
        raise CellError("date", "没有这一天。请核对。") from None
    if day is None:
        raise CellError("date", "不是日期。请写成2018-09-03。")
    return day


class DateWidget(Widget):
    """A day; not in the future unless `future` is allowed."""

    def __init__(self, today: date, future: bool = False):
        super().__init__()
        self.today, self.future = today, future

    def clean(self, value, row=None, **kwargs):
        day = parse_date(value)
        if day > self.today and not self.future:
            raise CellError("date_future", f"日期{day}在今天之后。请核对。")
        if day.year < 1850:
            raise CellError("date", "年份太早。请核对。")
        return day

    def render(self, value, obj=None, **kwargs):
        return value.isoformat() if value else ""


class MonthWidget(Widget):
    """A month, as 2018-09. A whole day counts as its month."""

    def clean(self, value, row=None, **kwargs):
        if isinstance(value, float) and re.fullmatch(r"\d{4}\.1", repr(value)):
            raise CellError("month", "Excel把它当作小数，分不清1月还是10月。请写成2018-10。")
        match = _MONTH.match(plain_text(value)) if not isinstance(value, date) else None
        parts = [int(part) for part in match.groups() if part] if match else self._day(value)
        if not 1 <= parts[1] <= 12 or not 1850 <= parts[0] <= 2200:
            raise CellError("month", "不是年月。请写成2018-09。")
        return f"{parts[0]}-{parts[1]:02d}"

    @staticmethod
    def _day(value) -> list[int]:
        try:
            day = parse_date(value)
        except CellError:
            raise CellError("month", "不是年月。请写成2018-09。") from None
        return [day.year, day.month]

    def render(self, value, obj=None, **kwargs):
        return value or ""


class IntegerWidget(Widget):
    """A whole number between `low` and `high`, both included."""

    def __init__(self, low: int = 0, high: int = 10_000_000):
        super().__init__()
        self.low, self.high = low, high

    def clean(self, value, row=None, **kwargs):
        text = plain_text(value)
        if not re.fullmatch(r"-?\d{1,12}", text):
            raise CellError("int", "应为整数。请核对。")
        if not self.low <= int(text) <= self.high:
            raise CellError("int_range", f"应在{self.low}到{self.high}之间。请核对。")
        return int(text)

    def render(self, value, obj=None, **kwargs):
        return "" if value is None else str(value)


class MoneyWidget(Widget):
    """Yuan with at most two decimals, not negative."""

    def clean(self, value, row=None, **kwargs):
        try:
            amount = Decimal(plain_text(value).replace(",", ""))
            rounded = amount.quantize(Decimal("0.01"))
        except InvalidOperation:
            raise CellError("money", "应为金额，例如960或960.50。请核对。") from None
        if not amount.is_finite() or amount < 0 or abs(rounded - amount) > Decimal("1e-9"):
            raise CellError("money", "金额不能为负，最多两位小数。请核对。")
        return rounded

    def render(self, value, obj=None, **kwargs):
        return "" if value is None else f"{value:,.2f}"


_YES = frozenset(("是", "有", "1", "Y", "y", "TRUE", "True", "true")) | TICKS
_NO = frozenset(("否", "无", "0", "N", "n", "FALSE", "False", "false", "×"))


class BooleanWidget(Widget):
    """是/否, 有/无, √, 1/0, Y/N."""

    def clean(self, value, row=None, **kwargs):
        text = plain_text(value)
        if text in _YES:
            return True
        if text in _NO:
            return False
        raise CellError("bool", "应填“是”或“否”。")

    def render(self, value, obj=None, **kwargs):
        return "" if value is None else ("是" if value else "否")


class ChoiceWidget(Widget):
    """One of the listed words."""

    def __init__(self, choices: tuple[str, ...]):
        super().__init__()
        self.choices = choices

    def clean(self, value, row=None, **kwargs):
        text = plain_text(value).replace(" ", "")
        if text not in self.choices:
            raise CellError("choice", f"只能填：{'、'.join(self.choices)}。")
        return text

    def render(self, value, obj=None, **kwargs):
        return value or ""


def widget_for(column, today: date) -> Widget:
    """The widget of a kinds.Column."""
    match column.type:
        case "text":
            return TextWidget(column.max_length)
        case "code":
            return CodeWidget(column.max_length)
        case "idno":
            return IdNumberWidget(today)
        case "date":
            return DateWidget(today, future=column.future)
        case "month":
            return MonthWidget()
        case "int":
            return IntegerWidget(*(column.bounds or ()))
        case "money":
            return MoneyWidget()
        case "bool":
            return BooleanWidget()
        case "choice":
            return ChoiceWidget(column.choices)
    raise ValueError(f"column {column.key!r} has unknown type {column.type!r}")
