"""An Excel workbook written row by row into a stream: a hundred thousand rows take a few megabytes.

XlsxWriter makes the workbook with its head, formats and page layout; only the rows are put in here.
Its own way to write many rows keeps them in temporary files, where people's names would lie open
on the disk after a crash.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

FONT = "宋体"
MOST_ROWS = 1_000_000  # a sheet has 1,048,576 lines
_SHEET = "xl/worksheets/sheet1.xml"
_HEAD_LINES = 5
# What XML cannot hold or would read as markup, and what Excel would read as an escape.
_UNSAFE = re.compile("[&<>\x00-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": "\n", "\t": "\t"}
_FIRST_DAY = date(1900, 3, 1)  # before, Excel counts a 29 February that never was
_DAY_ZERO = 693_594
_COMPRESSION = 3  # a third of the time of the usual 6, a tenth more bytes


@dataclass(frozen=True)
class SheetColumn:
    """A column of the sheet; `kind` as of listing.ListColumn, age apart."""

    label: str
    kind: str = "text"
    width: int = 12


@dataclass(frozen=True)
class SheetHead:
    """The lines above the rows, and where the file comes from: in cells and in its properties."""

    title: str
    region: str
    conditions: str
    as_of: str
    by: str
    trace: str

    @property
    def watermark(self) -> str:
        return (
            f"{self.region}　{self.by}　{self.as_of}导出　仅供工作使用，不得转发　编号{self.trace}"
        )


def write(
    target: BinaryIO,
    head: SheetHead,
    columns: Sequence[SheetColumn],
    chunks: Iterable[list[tuple]],
    rows: int,
) -> int:
    """Write the workbook into `target`, which need not be seekable; return how many rows it has.

    `chunks` are lists of rows of values: str, int, date, aware datetimes made local, or None.
    `rows` is how many are expected. Every string is a text cell, whatever it begins with.
    """
    skeleton = zipfile.ZipFile(io.BytesIO(_skeleton(head, columns, rows)))
    written = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as book:
        for entry in skeleton.namelist():
            content = skeleton.read(entry)
            if entry != _SHEET:
                book.writestr(entry, content)
                continue
            before, styles, after = _split(content.decode(), len(columns), rows)
            writers = [_writer(c.kind, at, styles[at]) for at, c in enumerate(columns)]
            with book.open(entry, "w", force_zip64=True) as sheet:
                sheet.write(before.encode())
                for chunk in chunks:
                    sheet.write(_lines(chunk, writers, written + _HEAD_LINES + 1))
                    written += len(chunk)
                sheet.write(after.encode())
    return written


def _skeleton(head: SheetHead, columns: Sequence[SheetColumn], rows: int) -> bytes:
    """The workbook with its head and one empty line in the columns' formats."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties(
        {
            "title": head.title, "author": head.by, "company": head.region,
            "comments": head.watermark, "keywords": head.trace,
        }
    )  # fmt: skip
    page = book.add_worksheet("名单")
    base = {"font_name": FONT, "font_size": 10.5}
    title = book.add_format(base | {"font_size": 16, "bold": True})
    plain = book.add_format(base)
    faint = book.add_format(base | {"font_color": "#586974"})
    top = book.add_format(
        base | {"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter"}
    )
    formats = {
        "text": plain,
        "code": book.add_format(base | {"num_format": "@"}),
        "number": book.add_format(base | {"num_format": "#,##0"}),
        "money": book.add_format(base | {"num_format": "#,##0.00"}),
        "date": book.add_format(base | {"num_format": "yyyy-mm-dd", "align": "left"}),
        "time": book.add_format(base | {"num_format": "yyyy-mm-dd hh:mm", "align": "left"}),
    }
    page.write_string(0, 0, head.title, title)
    page.write_string(1, 0, f"单位：{head.region}　条件：{head.conditions}", plain)
    page.write_string(2, 0, f"截至{head.as_of}　共{rows:,}行　导出人：{head.by}", plain)
    page.write_string(3, 0, head.watermark, faint)
    for at, column in enumerate(columns):
        page.write_string(4, at, column.label, top)
        page.write_blank(_HEAD_LINES, at, None, formats[column.kind])
        page.set_column(at, at, column.width)
    page.freeze_panes(_HEAD_LINES, 1)
    page.autofilter(4, 0, _HEAD_LINES - 1 + max(rows, 1), len(columns) - 1)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(4)
    page.set_footer(f"&L{head.trace}　{head.by}&R第&P页 共&N页")
    book.close()
    return buffer.getvalue()


def _split(sheet: str, columns: int, rows: int) -> tuple[str, list[str], str]:
    """What stands before and after the rows, and the number of each column's format."""
    before, sample, after = re.split(rf'(<row r="{_HEAD_LINES + 1}"[^>]*>.*?</row>)', sheet)
    styles = re.findall(r'<c r="[A-Z]+\d+" s="(\d+)"/>', sample)
    last = f"{xl_col_to_name(columns - 1)}{_HEAD_LINES + max(rows, 1)}"
    return (
        re.sub(r'<dimension ref="[^"]*"/>', f'<dimension ref="A1:{last}"/>', before),
        styles,
        after,
    )


def _lines(chunk: list[tuple], writers: Sequence[Callable], first: int) -> bytes:
    """Rows as XML, made column by column: each column's cells in one comprehension."""
    numbers = range(first, first + len(chunk))
    cells = [
        write(values, numbers)
        for write, values in zip(writers, zip(*chunk, strict=True), strict=True)
    ]
    rows = (f'<row r="{n}">{"".join(r)}</row>' for n, *r in zip(numbers, *cells, strict=True))
    return "".join(rows).encode()


def _writer(kind: str, at: int, style: str) -> Callable[[Sequence, range], list[str]]:
    """What turns a column's values into cells. An empty one has no cell."""
    letters = xl_col_to_name(at)
    begin, number, text = (
        f'<c r="{letters}',
        f'" s="{style}"><v>',
        f'" s="{style}" t="inlineStr"><is>',
    )

    def texts(values: Sequence, numbers: range) -> list[str]:
        return [
            f"{begin}{n}{text}{text_xml(v)}</is></c>" if v else ""
            for v, n in zip(values, numbers, strict=True)
        ]

    def figures(values: Sequence, numbers: range) -> list[str]:
        return [
            f"{begin}{n}{number}{v}</v></c>" if v is not None else ""
            for v, n in zip(values, numbers, strict=True)
        ]

    def days(values: Sequence, numbers: range) -> list[str]:
        return [
            "" if v is None
            else f"{begin}{n}{number}{_serial(v)}</v></c>" if _is_countable(v)
            else f"{begin}{n}{text}<t>{v}</t></is></c>"
            for v, n in zip(values, numbers, strict=True)
        ]  # fmt: skip

    kinds = {"number": figures, "money": figures, "date": days, "time": days}
    return kinds.get(kind, texts)


def text_xml(value: str) -> str:
    """The inside of an inline string that stays what it is: no formula, no escape, no markup."""
    if _UNSAFE.search(value):
        value = _UNSAFE.sub(_escaped, value)
    if value[0].isspace() or value[-1].isspace() or "\n" in value:
        return f'<t xml:space="preserve">{value}</t>'
    return f"<t>{value}</t>"


def _escaped(found: re.Match) -> str:
    part = found[0]
    if part in _MARKUP:
        return _MARKUP[part]
    if len(part) > 1:
        return f"_x005F_{part[1:]}"
    return f"_x{ord(part):04X}_" if part < " " else "\ufffd"


def _is_countable(day: Any) -> bool:
    return (day.date() if isinstance(day, datetime) else day) >= _FIRST_DAY


def _serial(day: date | datetime) -> str:
    number = day.toordinal() - _DAY_ZERO
    if isinstance(day, datetime):
        return f"{number + (day.hour * 3600 + day.minute * 60 + day.second) / 86400:.10f}"
    return str(number)
