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
from fpadmin.crypto import decryptor
from fpadmin.errors import RuleViolation
from subsidies.bank_files import workbook
from subsidies.bank_files.layouts import CONSTANT, Layout, encodes, remark_of
from subsidies.models import PaymentBatch, PaymentLine

NEWLINE = "\r\n"
TOTALS = "合计"
CHUNK = 5_000
SHOWN = 10  # line numbers that a refusal names
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
    sums = _Sums()
    lines = sums.counted(_lines(batch, words), progress, count)
    content = io.BytesIO()
    write(content, layout, words, batch.number, lines, count, sums)
    sha256 = hashlib.sha256(content.getbuffer()).hexdigest()
    content.seek(0)
    return Made(content, sha256, content.getbuffer().nbytes, sums.count, sums.total)


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
    sums: "_Sums",
) -> None:
    """Heading, lines and totals in the layout's format. Refuses what a text file cannot hold."""
    cells = _cells(layout, words, batch_no)
    if not layout.is_text:
        rows = _with_totals(layout, ([cell(line) for cell in cells] for line in lines), sums)
        workbook.write(target, layout, rows, count + layout.has_totals)
        return
    faults = _Faults(layout)

    def looked() -> Iterator[list]:
        for line in lines:
            row = [cell(line) for cell in cells]
            faults.look(line.number, row)
            yield row

    join, encoding = layout.separator.join, layout.encoding
    if layout.has_heading:
        target.write((join(c.heading for c in layout.columns) + NEWLINE).encode(encoding))
    for row in _with_totals(layout, looked(), sums):
        target.write((join(map(_text, row)) + NEWLINE).encode(encoding, "replace"))
    faults.refuse()


class _Sums:
    """Counts and adds what goes through."""

    def __init__(self):
        self.count, self.total = 0, Decimal(0)

    def counted(self, lines: Iterator[Line], progress: Progress, whole: int) -> Iterator[Line]:
        for line in lines:
            if self.count % CHUNK == 0:
                progress(self.count, whole, "写入文件")
            self.count += 1
            self.total += line.amount
            yield line


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
    """In their order; accounts are opened as they are read."""
    opened = decryptor(PaymentLine._meta.get_field("account").context())
    rows = going(batch).annotate(sealed=ExpressionWrapper(F("account"), output_field=TextField()))
    columns = ("line_no", "name", "sealed", "amount", "bank", "village", "household_no")
    values = rows.order_by("line_no").values_list(*columns)
    for number, name, sealed, amount, bank, village, household_no in values.iterator(CHUNK):
        yield Line(
            number, name, opened(sealed) if opens_accounts else "", amount, bank,
            words.villages[str(village)], household_no,
        )  # fmt: skip


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


def _with_totals(layout: Layout, rows: Iterator[list], sums: _Sums) -> Iterator[list]:
    yield from rows
    if layout.has_totals:
        said = {
            "name": TOTALS, "line_no": sums.count, "amount": sums.total, "fen": _fen(sums.total),
        }  # fmt: skip
        yield [said.get(column.field, "") for column in layout.columns]


def _fen(amount: Decimal) -> int:
    return int((amount * 100).to_integral_value())


def _text(value: workbook.Cell) -> str:
    return f"{value:.2f}" if type(value) is Decimal else str(value)
