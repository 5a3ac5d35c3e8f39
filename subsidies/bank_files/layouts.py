"""How banks want their files: which fields a column may hold, layouts as values, and those shipped.

No field holds an ID number: the bank matches name and account, and what is not frozen with the line
could not be written again byte for byte.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from subsidies.models import BankLayout
from subsidies.policies.catalogue import Policy

TEXT, WHOLE, MONEY = "text", "whole", "money"
CONSTANT = "constant"
MOST_COLUMNS = 12


@dataclass(frozen=True)
class Field:
    """What a column may hold. `kind` says how it is typed in Excel; text stays text whatever it says."""

    key: str
    label: str
    kind: str = TEXT
    width: int = 12
    hint: str = ""


FIELDS = {
    field.key: field
    for field in (
        Field("batch_no", "批次号", width=22),
        Field("line_no", "序号", WHOLE, 8),
        Field("name", "户名", width=12),
        Field("account", "账号", width=24),
        Field("amount", "金额（元）", MONEY, 12, "两位小数，如960.00"),
        Field("fen", "金额（分）", WHOLE, 12, "整数，如96000"),
        Field("bank", "开户行", width=20),
        Field("village", "村（社区）", width=16),
        Field("household_no", "户编号", width=12),
        Field("remark", "摘要", width=12, hint="政策简称；特殊家庭的政策只写惠民补贴"),
        Field("date", "日期", width=10, hint="生成文件的日期，如20181009"),
        Field(CONSTANT, "固定文字", width=12, hint="每行都写同样的字"),
    )
}
NEEDED = ("name", "account")
SUMS = ("amount", "fen")
# What the bank prints beside the sum. A policy that tells of a child's death or illness, and any
# that is not listed, has the neutral word: the bank's staff and the family's neighbours read it.
NEUTRAL = "惠民补贴"
REMARKS = {
    "CN-RURAL": "奖励扶助", "SD-ONLY-CHILD": "父母奖励费", "SD-URBAN": "奖励扶助",
    "SD-PENSION": "养老补助", "SD-MEDICAL": "医保补助", "YN-LUMP": "一次性奖励",
    "YN-SCHOLARSHIP": "奖学金", "YN-MEDICAL": "医保补助", "YN-HEALTH-FEE": "保健费",
    "NX-FEWER": "少生快富",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column: the field's key, its heading, and of a constant what it says."""

    field: str
    heading: str
    text: str = ""


@dataclass(frozen=True)
class Layout:
    """A layout as a value: a row's, one of those shipped, or what a file was made with."""

    name: str
    format: str
    encoding: str
    separator: str
    has_heading: bool
    has_totals: bool
    columns: tuple[Column, ...]

    @classmethod
    def of_row(cls, row: BankLayout) -> "Layout":
        return cls.of_data({name: getattr(row, name) for name in cls.__dataclass_fields__})

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> "Layout":
        """As written by as_data(); other keys are passed over."""
        columns = tuple(
            Column(one["field"], one["heading"], one.get("text", "")) for one in data["columns"]
        )
        names = [name for name in cls.__dataclass_fields__ if name != "columns"]
        return cls(**{name: data[name] for name in names}, columns=columns)

    def as_data(self) -> dict[str, Any]:
        """Ready for JSON."""
        columns = [
            {"field": one.field, "heading": one.heading}
            | ({"text": one.text} if one.field == CONSTANT else {})
            for one in self.columns
        ]
        return asdict(self) | {"columns": columns}

    @property
    def is_text(self) -> bool:
        return self.format == BankLayout.Format.TEXT

    @property
    def suffix(self) -> str:
        """How the file's name ends."""
        return "txt" if self.is_text else "xlsx"


def _shipped(name: str, format_: str, fields: Sequence[str], **values) -> Layout:
    columns = tuple(Column(key, FIELDS[key].label.partition("（")[0]) for key in fields)
    usual = {"encoding": "gbk", "separator": "|", "has_heading": True, "has_totals": False}
    return Layout(name, format_, columns=columns, **(usual | values))


# Offered to an office that has none of its own. The first has the headings that banks answer with.
SHIPPED = {
    "xlsx": _shipped(
        "通用代发表（Excel）", "xlsx", ("batch_no", "line_no", "name", "account", "amount")
    ),
    "text": _shipped(
        "代发文本（GBK，竖线分隔）", "text", ("line_no", "account", "name", "amount", "remark"),
        has_heading=False,
    ),
    "text-18030": _shipped(
        "代发文本（GB18030，竖线分隔）", "text",
        ("line_no", "account", "name", "amount", "remark"), has_heading=False, encoding="gb18030",
    ),
}  # fmt: skip


def fault_of(layout: Layout) -> tuple[int | None, str] | None:
    """(the column it is in, counted from 0, or None; what is wrong and what to do) of the first fault."""
    keys = [one.field for one in layout.columns]
    for at, one in enumerate(layout.columns):
        if fault := _column_fault(layout, one, keys[:at]):
            return at, fault
    lacking = [FIELDS[key].label for key in NEEDED if key not in keys]
    if not any(key in keys for key in SUMS):
        lacking.append("金额（元）或金额（分）")
    if lacking:
        return None, f"还缺{'、'.join(lacking)}，银行没有这些列不能入账。"
    if len(keys) > MOST_COLUMNS:
        return None, f"最多{MOST_COLUMNS}列。"
    if layout.is_text and not layout.separator:
        return None, "请选择分隔符。"
    return None


def _column_fault(layout: Layout, column: Column, before: Sequence[str]) -> str:
    if column.field not in FIELDS:
        return "没有这个项目，请从列表里选。"
    if column.field != CONSTANT and column.field in before:
        return f"“{FIELDS[column.field].label}”已经有一列，请去掉重复的。"
    if column.field == CONSTANT and not column.text:
        return "请填写每行要写的文字。"
    if layout.has_heading and not column.heading:
        return "首行写列名时，每列都要有列名。"
    if layout.is_text:
        for words in (column.heading, column.text):
            if fault := text_fault(layout, words):
                return fault
    return ""


def text_fault(layout: Layout, words: str) -> str:
    """Why a text file of this layout cannot hold the words; "" where it can."""
    if layout.separator in words or "\r" in words or "\n" in words:
        return "文字里不能有分隔符或换行，否则银行会读错列。"
    if not encodes(layout.encoding, words):
        return f"文字里有{layout.encoding.upper()}没有的字，请改用GB18030编码。"
    return ""


def encodes(encoding: str, words: str) -> bool:
    """Whether the encoding has every character of the words."""
    try:
        words.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def remark_of(policy: Policy) -> str:
    """The policy in the short word that a bank may print."""
    return NEUTRAL if policy.sensitive else REMARKS.get(policy.code, NEUTRAL)
