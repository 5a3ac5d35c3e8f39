"""The bank's file as an Excel workbook whose bytes depend on nothing but what it says.

XlsxWriter makes the empty workbook; the rows are put in here one by one, since its own way to write
many keeps people's accounts in temporary files that would lie open on the disk after a crash. The parts
are stored as they are: compressed bytes differ between builds of zlib, and the file has to come out
the same years later. Every string is a text cell, an amount is a number shown with two decimals.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import BinaryIO

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from fpadmin.exports.workbook import FONT, text_xml
from subsidies.bank_files.layouts import FIELDS, MONEY, TEXT, WHOLE, Layout

SHEET = "代发"
_PART = "xl/worksheets/sheet1.xml"
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed mark in the file's properties, no moment
_ZIPPED = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say
_UNIX = 3  # what made the zip, on whatever it was made
_FORMATS = {TEXT: "@", WHOLE: "0", MONEY: "0.00"}
Cell = str | int | Decimal


def write(target: BinaryIO, layout: Layout, rows: Iterable[Sequence[Cell]], count: int) -> None:
    """Write the workbook into `target`, which is seekable. `count` is how many rows there will be."""
    first = 1 + layout.has_heading
    skeleton = zipfile.ZipFile(io.BytesIO(_skeleton(layout)))
    last = f"{xl_col_to_name(len(layout.columns) - 1)}{max(first + count - 1, 1)}"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as book:
        for name in skeleton.namelist():
            content, entry = skeleton.read(name), zipfile.ZipInfo(name, _ZIPPED)
            entry.create_system = _UNIX
            if name != _PART:
                book.writestr(entry, content)
                continue
            before, sample, after = re.split(
                rf'(<row r="{first}"[^>]*>.*?</row>)', content.decode()
            )
            styles = re.findall(r'<c r="[A-Z]+\d+" s="(\d+)"/>', sample)
            before = re.sub(r'<dimension ref="[^"]*"/>', f'<dimension ref="A1:{last}"/>', before)
            with book.open(entry, "w") as sheet:
                sheet.write(before.encode())
                for line in _lines(rows, styles, first):
                    sheet.write(line.encode())
                sheet.write(after.encode())


def _lines(rows: Iterable[Sequence[Cell]], styles: Sequence[str], first: int) -> Iterable[str]:
    heads = [(f'<c r="{xl_col_to_name(at)}', f'" s="{style}"') for at, style in enumerate(styles)]
    for number, row in enumerate(rows, start=first):
        cells = [
            f"{letter}{number}{style}{_value(value)}</c>"
            for (letter, style), value in zip(heads, row, strict=True)
            if value != ""
        ]
        yield f'<row r="{number}">{"".join(cells)}</row>'


def _value(value: Cell) -> str:
    if type(value) is str:
        return f' t="inlineStr"><is>{text_xml(value)}</is>'
    if type(value) is Decimal:
        return f"><v>{value:.2f}</v>"
    return f"><v>{value}</v>"


def _skeleton(layout: Layout) -> bytes:
    """The workbook with its heading and one empty line in the columns' formats."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _MADE})
    page = book.add_worksheet(SHEET)
    base = {"font_name": FONT, "font_size": 11}
    top = book.add_format(base | {"bold": True, "bottom": 1})
    formats = {kind: book.add_format(base | {"num_format": f}) for kind, f in _FORMATS.items()}
    for at, column in enumerate(layout.columns):
        field = FIELDS[column.field]
        if layout.has_heading:
            page.write_string(0, at, column.heading, top)
        page.write_blank(int(layout.has_heading), at, None, formats[field.kind])
        page.set_column(at, at, field.width)
    book.close()
    return buffer.getvalue()
