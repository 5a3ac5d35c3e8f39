"""The bytes of a batch's file: the same lines, layout and words give the same bytes on any machine.

In the file are the lines that were agreed and not held when it was made, in their order. What could
change meanwhile - the day, the remark, the villages' names - is handed in, and kept beside the file.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import ExpressionWrapper, F, QuerySet, TextField

from fpadmin.accounts.models import Region
from fpadmin.crypto import decryptor, digest
from fpadmin.errors import RuleViolation
from subsidies.bank_files import workbook
from subsidies.bank_files.layouts import CONSTANT, REMARKS, Layout, encodes, remark_of
from subsidies.models import PaymentBatch, PaymentLine

NEWLINE = "\r\n"
TOTALS = "合计"
CHUNK = 5_000
SHOWN = 10  # line numbers that a refusal names
OTHER_ACCOUNT = "第{number}行的账号不是批准时的账号，没有生成文件。请不要送银行，联系技术支持。"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Words:
    """What a file says besides its lines and could change later: kept with it."""

    day: str  # 20181009
    remark: str
    villages: Mapping[str, str]  # key of the village → its name


@dataclass(frozen=True)
class Line:
    """A payment as the bank gets it."""

    number: int
    name: str
    account: str
    amount: Decimal
    bank: str
    village: str
    household_no: str


_INVENTED = (
    Line(1, "陶某田", "6229000000000000011", Decimal("960.00"), "农村信用社", "上村", "0001"),
    Line(2, "宋某兰", "6229000000000000029", Decimal("960.00"), "农村信用社", "上村", "0002"),
    Line(3, "李某", "6229000000000000037", Decimal("480.50"), "农村信用社", "下村", "0003"),
)


@dataclass(frozen=True)
class Made:
    """The content, and what proves it."""

    content: io.BytesIO
    sha256: str
    size: int
    count: int
    total: Decimal


def words_of(batch: PaymentBatch, day: date) -> Words:
    """As they are now."""
    villages = Region.objects.filter(pk__in=going(batch).order_by().values("village"))
    names = {str(pk): name for pk, name in villages.order_by("pk").values_list("pk", "name")}
    return Words(f"{day:%Y%m%d}", remark_of(batch.policy), names)


def as_data(layout: Layout, words: Words) -> dict[str, Any]:
    """What makes the file again, ready for JSON."""
    return layout.as_data() | {"words": asdict(words)}


def of_data(data: Mapping[str, Any]) -> tuple[Layout, Words]:
    """What as_data() wrote."""
    return Layout.of_data(data), Words(**data["words"])


def going(batch: PaymentBatch) -> QuerySet:
    """The lines of the file. A held line says why, and says so still when its batch is given up."""
    return batch.lines.filter(is_agreed=True, hold_reason="")


def make(
    batch: PaymentBatch,
    layout: Layout,
    words: Words,
    progress: Progress = lambda done, total, step: None,
) -> Made:
    """The file's content. Refuses a batch without lines, and what the layout cannot hold."""
    count = going(batch).count()
    if not count:
        raise RuleViolation("这个批次没有可以发的明细，可能都暂缓了。")
    content = io.BytesIO()
    lines = _told(_lines(batch, words), progress, count)
    total = write(content, layout, words, batch.number, lines, count)
    sha256 = hashlib.sha256(content.getbuffer()).hexdigest()
    content.seek(0)
    return Made(content, sha256, content.getbuffer().nbytes, count, total)


def check(batch: PaymentBatch, layout: Layout, words: Words) -> None:
    """Refuse what make() would, without an account being opened."""
    if layout.is_text:
        faults = _Faults(layout)
        cells = _cells(layout, words, batch.number)
        for line in _lines(batch, words, opens_accounts=False):
            faults.look(line.number, [cell(line) for cell in cells])
        faults.refuse()


def write(
    target: io.BytesIO,
    layout: Layout,
    words: Words,
    batch_no: str,
    lines: Iterator[Line],
    count: int,
) -> Decimal:
    """Heading, `count` lines and totals in the layout's format; returns what the lines come to.

    Refuses what a text file cannot hold.
    """
    sums = _Sums()
    cells = _cells(layout, words, batch_no)
    faults = _Faults(layout)
    rows = _rows(layout, lines, cells, sums, faults.look if layout.is_text else None)
    if not layout.is_text:
        workbook.write(target, layout, rows, count + layout.has_totals)
    else:
        join, encoding = layout.separator.join, layout.encoding
        if layout.has_heading:
            target.write((join(c.heading for c in layout.columns) + NEWLINE).encode(encoding))
        for row in rows:
            target.write((join(map(_text, row)) + NEWLINE).encode(encoding, "replace"))
        faults.refuse()
    return sums.total


def preview(layout: Layout) -> list[list[str]]:
    """The first lines of a file with invented people, heading and totals as asked for."""
    words = Words("20181009", REMARKS["CN-RURAL"], {})
    cells = _cells(layout, words, "539981001-2018-001")
    rows = _rows(layout, iter(_INVENTED), cells, _Sums())
    heading = [[column.heading for column in layout.columns]] if layout.has_heading else []
    return [*heading, *([_text(cell) for cell in row] for row in rows)]


@dataclass
class _Sums:
    """What the lines come to so far."""

    count: int = 0
    total: Decimal = Decimal(0)


class _Faults:
    """Lines that a text file cannot hold, by why."""

    def __init__(self, layout: Layout):
        self._layout = layout
        self._unknown: list[int] = []
        self._broken: list[int] = []

    def look(self, number: int, row: Sequence) -> None:
        words = "".join(cell for cell in row if type(cell) is str)
        if not encodes(self._layout.encoding, words):
            self._unknown.append(number)
        if self._layout.separator in words or "\n" in words or "\r" in words:
            self._broken.append(number)

    def refuse(self) -> None:
        """Raises where there is one; names the lines and what to do."""
        if self._unknown:
            raise RuleViolation(
                f"第{_numbers(self._unknown)}行有{self._layout.encoding.upper()}编码写不出的字，银行会看到"
                "问号。请改用编码是GB18030的格式，或者Excel格式。",
                field="layout",
            )
        if self._broken:
            raise RuleViolation(
                f"第{_numbers(self._broken)}行的文字里有分隔符或换行，银行会读错列。请改用Excel格式，"
                "或者换一个分隔符。",
                field="layout",
            )


def _numbers(found: Sequence[int]) -> str:
    shown = "、".join(map(str, found[:SHOWN]))
    return f"{shown}等{len(found):,}" if len(found) > SHOWN else shown


def _lines(batch: PaymentBatch, words: Words, *, opens_accounts: bool = True) -> Iterator[Line]:
    """In their order; accounts are opened as they are read.

    Refuses an account that is not the one of the list that was approved: its digest stands in what three
    people agreed to, its ciphertext may be written anew.
    """
    opened = decryptor(PaymentLine._meta.get_field("account").context())
    rows = going(batch).annotate(sealed=ExpressionWrapper(F("account"), output_field=TextField()))
    columns = (
        "line_no", "name", "sealed", "account_digest", "amount", "bank", "village", "household_no",
    )  # fmt: skip
    values = rows.order_by("line_no").values_list(*columns)
    for number, name, sealed, agreed, amount, bank, village, household_no in values.iterator(CHUNK):
        account = opened(sealed) if opens_accounts else ""
        if opens_accounts and digest(account) != agreed:
            raise RuleViolation(OTHER_ACCOUNT.format(number=number))
        yield Line(number, name, account, amount, bank, words.villages[str(village)], household_no)


def _cells(layout: Layout, words: Words, batch_no: str) -> list[Callable[[Line], workbook.Cell]]:
    """What makes each column's cell of a line."""
    known: dict[str, Callable[[Line], workbook.Cell]] = {
        "batch_no": lambda line: batch_no,
        "line_no": lambda line: line.number,
        "name": lambda line: line.name,
        "account": lambda line: line.account,
        "amount": lambda line: line.amount,
        "fen": lambda line: _fen(line.amount),
        "bank": lambda line: line.bank,
        "village": lambda line: line.village,
        "household_no": lambda line: line.household_no,
        "remark": lambda line: words.remark,
        "date": lambda line: words.day,
    }
    return [
        (lambda line, text=column.text: text) if column.field == CONSTANT else known[column.field]
        for column in layout.columns
    ]


def _rows(
    layout: Layout,
    lines: Iterator[Line],
    cells: Sequence[Callable[[Line], workbook.Cell]],
    sums: _Sums,
    look: Callable[[int, Sequence], None] | None = None,
) -> Iterator[list]:
    """The cells of every line, and of the totals where asked for; each line is added up and looked at."""
    for line in lines:
        row = [cell(line) for cell in cells]
        sums.count += 1
        sums.total += line.amount
        if look:
            look(line.number, row)
        yield row
    if layout.has_totals:
        said = {
            "name": TOTALS, "line_no": sums.count, "amount": sums.total, "fen": _fen(sums.total),
        }  # fmt: skip
        yield [said.get(column.field, "") for column in layout.columns]


def _told(lines: Iterator[Line], progress: Progress, count: int) -> Iterator[Line]:
    for done, line in enumerate(lines):
        if done % CHUNK == 0:
            progress(done, count, "写入文件")
        yield line


def _fen(amount: Decimal) -> int:
    return int((amount * 100).to_integral_value())


def _text(value: workbook.Cell) -> str:
    return f"{value:.2f}" if type(value) is Decimal else str(value)
