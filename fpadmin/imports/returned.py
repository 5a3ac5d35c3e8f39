"""The office's own workbook back, with the wrong rows marked and explained."""

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import openpyxl
import xlsxwriter
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import column_index_from_string, get_column_letter

from fpadmin.imports.kinds import WorkbookKind
from fpadmin.imports.layouts import Layouts, normal_heading
from fpadmin.imports.reader import OWN_HEADINGS, locate, rows_of

REASONS, OLD_ROW = OWN_HEADINGS
# Unpacked. A copy that keeps every format takes openpyxl fifty times this in memory.
_COPIED_UP_TO = 6 << 20
_RED, _PINK, _AMBER = "FFA3271D", "FFF6D9D6", "FFFDF0C8"


@dataclass(frozen=True)
class Problem:
    """One problem, as the check kept it. `cell` is such as E1286, "" for a missing column."""

    row: int
    column: str
    cell: str
    message: str
    error: bool


@dataclass
class _Row:
    letters: dict[str, bool] = field(default_factory=dict)  # column → whether an error
    texts: list[str] = field(default_factory=list)
    error: bool = False


def marked(
    kind: WorkbookKind,
    content: bytes,
    file_name: str,
    problems: Iterable[Problem],
    layouts: Layouts | None = None,
) -> bytes:
    """The whole workbook as xlsx: wrong cells coloured, the reasons in a column after the last.

    A small xlsx keeps its formats and other sheets; of others the values are written anew.
    """
    rows = _by_row(problems)
    sheet_name, heading_row = locate(kind, content, file_name, layouts)
    if file_name.lower().endswith(".xlsx") and _unpacked(content) <= _COPIED_UP_TO:
        copied = _copied(content, sheet_name, heading_row, rows)
        if copied is not None:
            return copied
    table = rows_of(content, file_name, sheet_name)
    return _rewritten(kind, sheet_name, heading_row, table, rows, only_wrong=False)


def wrong_rows(
    kind: WorkbookKind,
    content: bytes,
    file_name: str,
    problems: Iterable[Problem],
    layouts: Layouts | None = None,
) -> bytes:
    """An xlsx of the headings and the rows with errors, to mend and upload again by itself."""
    rows = {number: row for number, row in _by_row(problems).items() if row.error}
    sheet_name, heading_row = locate(kind, content, file_name, layouts)
    table = rows_of(content, file_name, sheet_name)
    return _rewritten(kind, sheet_name, heading_row, table, rows, only_wrong=True)


def name_of(file_name: str, *, only_wrong: bool) -> str:
    """What the returned file is called: the office's own name and what was done."""
    stem = file_name.rpartition(".")[0] or file_name
    return f"{stem}_{'错误行' if only_wrong else '标出错误'}.xlsx"


def _by_row(problems: Iterable[Problem]) -> dict[int, _Row]:
    rows: dict[int, _Row] = {}
    for problem in problems:
        if not problem.row:
            continue
        row = rows.setdefault(problem.row, _Row())
        row.error = row.error or problem.error
        letter = problem.cell.rstrip("0123456789")
        if letter:
            row.letters[letter] = row.letters.get(letter, False) or problem.error
        mark = "" if problem.error else "提示："
        row.texts.append(f"{mark}{problem.column}：{problem.message}")
    return rows


def _unpacked(content: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _copied(
    content: bytes, sheet_name: str, heading_row: int, rows: dict[int, _Row]
) -> bytes | None:
    """The same workbook with marks; None where openpyxl cannot take it, though the reader could."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells what it cannot keep
            book = openpyxl.load_workbook(io.BytesIO(content))
            _mark(book[sheet_name], heading_row, rows)
            book.active = book.sheetnames.index(sheet_name)
            out = io.BytesIO()
            book.save(out)
    except (
        KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, zipfile.BadZipFile,
    ):  # fmt: skip
        return None
    return out.getvalue()


def _mark(sheet, heading_row: int, rows: dict[int, _Row]) -> None:
    reasons = _reasons_column(sheet, heading_row)
    head = sheet.cell(heading_row, reasons, REASONS)
    head.font = Font(bold=True, color=_RED)
    sheet.column_dimensions[get_column_letter(reasons)].width = 60
    for number, row in rows.items():
        for letter, error in row.letters.items():
            cell = sheet[f"{letter}{number}"]
            if not isinstance(cell, openpyxl.cell.cell.MergedCell):
                cell.fill = PatternFill("solid", fgColor=_PINK if error else _AMBER)
        if number == heading_row:  # a column that is left alone; its cell holds our own heading
            continue
        cell = sheet.cell(number, reasons)
        cell.value = "；".join(row.texts)
        cell.data_type = "s"  # whatever the office typed into the message is no formula
        cell.font = Font(color=_RED if row.error else "FF855000")
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _reasons_column(sheet, heading_row: int) -> int:
    """The column of an earlier return, emptied, or the one after the last that is used."""
    last = 0
    for cell in sheet[heading_row]:
        if normal_heading(cell.value) == REASONS:
            for (old,) in sheet.iter_rows(
                min_row=heading_row + 1, min_col=cell.column, max_col=cell.column
            ):
                old.value = None
            return cell.column
    for row in sheet.iter_rows(min_row=heading_row):
        for cell in reversed(row):
            if cell.value not in (None, ""):
                last = max(last, cell.column)
                break
    return last + 1


def _rewritten(
    kind: WorkbookKind,
    sheet_name: str,
    heading_row: int,
    table: tuple[int, Iterator[list]],
    rows: dict[int, _Row],
    *,
    only_wrong: bool,
) -> bytes:
    first_column, lines = table
    out = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        styles = _Styles(book)
        sheet = book.add_worksheet(sheet_name or kind.sheet)
        written = 0
        own: dict[str, int] = {}
        for number, line in enumerate(lines, start=1):
            if number < heading_row:
                if not only_wrong:
                    written = _write(sheet, number - 1, first_column, line, styles, None)
                continue
            if number == heading_row:
                own = _own_columns(line, first_column, only_wrong)
                at = 0 if only_wrong else number - 1
                written = _write(sheet, at, first_column, line, styles, None)
                for name, column in own.items():
                    sheet.write_string(at, column, name, styles.head)
                continue
            row = rows.get(number)
            if only_wrong and row is None:
                continue
            at = written if only_wrong else number - 1
            for column in own.values():
                if column - first_column < len(line):
                    line[column - first_column] = ""
            written = _write(sheet, at, first_column, line, styles, row)
            if row:
                style = styles.reason if row.error else styles.hint
                sheet.write_string(at, own[REASONS], "；".join(row.texts)[:32_000], style)
                if OLD_ROW in own:
                    sheet.write_number(at, own[OLD_ROW], number)
        sheet.set_column(own[REASONS], own[REASONS], 60)
    return out.getvalue()


def _own_columns(headings: list, first_column: int, only_wrong: bool) -> dict[str, int]:
    """Where our own columns stand: where an earlier return had them, else after the last."""
    names = [normal_heading(heading) for heading in headings]
    end = first_column + len(names)
    own = {}
    for name in (REASONS, OLD_ROW)[: 2 if only_wrong else 1]:
        if name in names:
            own[name] = first_column + names.index(name)
        else:
            own[name], end = end, end + 1
    return own


class _Styles:
    """The formats of the rewritten workbook."""

    def __init__(self, book):
        self.text = book.add_format({"num_format": "@"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.head = book.add_format({"bold": True, "font_color": "#A3271D"})
        self.reason = book.add_format({"font_color": "#A3271D", "num_format": "@"})
        self.hint = book.add_format({"font_color": "#855000", "num_format": "@"})
        self.marks = {
            (error, kind): book.add_format(
                {"bg_color": "#F6D9D6" if error else "#FDF0C8", "num_format": kind}
            )
            for error in (True, False)
            for kind in ("@", "General", "yyyy-mm-dd")
        }


def _write(sheet, at: int, first_column: int, line: list, styles: _Styles, row: _Row | None) -> int:
    """One row with its values as they are, strings as text; return the number of the next."""
    marks = (
        {column_index_from_string(letter) - 1: error for letter, error in row.letters.items()}
        if row
        else {}
    )
    for column, value in enumerate(line, start=first_column):
        mark = marks.pop(column, None)
        if isinstance(value, str):
            style = styles.text if mark is None else styles.marks[mark, "@"]
            if value or mark is not None:
                sheet.write_string(at, column, value[:32_767], style)
        elif isinstance(value, date | datetime):
            style = styles.day if mark is None else styles.marks[mark, "yyyy-mm-dd"]
            sheet.write_datetime(at, column, value, style)
        elif isinstance(value, time | timedelta):
            sheet.write_string(at, column, str(value), styles.text)
        else:
            style = None if mark is None else styles.marks[mark, "General"]
            if isinstance(value, bool):
                sheet.write_boolean(at, column, value, style)
            else:
                sheet.write_number(at, column, value, style)
    for column, error in marks.items():
        sheet.write_blank(at, column, None, styles.marks[error, "@"])
    return at + 1
