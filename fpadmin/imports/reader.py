"""Reads an office's workbook into typed columns: finds the sheet and its headings, parses every cell.

Nothing here touches the registry. Whatever is wrong becomes an Issue at the row and column that
Excel shows; only a file that cannot be read as its kind at all raises Unreadable.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

from django.conf import settings
from openpyxl.utils import get_column_letter
from python_calamine import CalamineError, CalamineWorkbook

from fpadmin.imports import gate, widgets
from fpadmin.imports.kinds import Column, Issue, Unreadable, WorkbookKind
from fpadmin.imports.layouts import Layout, Layouts, fingerprint, normal_heading, whole_headings
from fpadmin.imports.widgets import CLEAR, CLEAR_WORD, TICKS, CellError

# Columns that our own returned workbook adds; they are no mistake of the office.
OWN_HEADINGS = ("错误说明", "原行号")
CHUNK = 2_000  # records parsed at a time
MEMO = 20_000  # parsed cells of a column kept for cells that equal them
HEADING_ROWS = 50  # title and blank rows may stand above the headings, within reason
_DIGITS = re.compile(r"\d")
_FLOAT = re.compile(r"^[1-9]\d*\.0+$", re.ASCII)

Progress = Callable[[int, int, str], None]


@dataclass
class Table:
    """A workbook of one kind, parsed. Columns that the file doesn't have are all blank.

    columns[key][i] is the typed value of record i, None where blank or wrong, CLEAR for 清空;
    excel_rows[i] its row number; widgets[key] writes a typed value out. `bad` holds the records
    that have an error of their own.
    """

    kind: WorkbookKind
    sheet_name: str
    heading_row: int
    positions: dict[str, int]  # column key → 0-based column in the user's sheet
    excel_rows: list[int]
    columns: dict[str, list[Any]]
    widgets: dict[str, Any]
    issues: list[Issue] = field(default_factory=list)
    bad: set[int] = field(default_factory=set)
    memos: dict[str, dict] = field(default_factory=dict)  # cell → typed value, while reading
    faults: set[tuple[int, str]] = field(default_factory=set)  # (record, column key) of errors
    skipped: set[int] = field(default_factory=set)  # records that somebody left out; bad, too
    layout: str = ""  # the fingerprint of the learnt layout by which the file was read

    def __len__(self):
        return len(self.excel_rows)

    def good(self) -> list[int]:
        """The records without an error, in order; what it lists may be refused while it is walked."""
        return [index for index in range(len(self)) if index not in self.bad]

    def error(self, index: int, key: str, code: str, message: str) -> None:
        """Record that record `index` cannot come in because of its cell in column `key`."""
        self.bad.add(index)
        self.faults.add((index, key))
        self._add(index, key, code, message, True)

    def hold_back(self, index: int, key: str, code: str, message: str) -> None:
        """Record that record `index` can't come in yet, for no fault of its own."""
        self.bad.add(index)
        self._add(index, key, code, message, False)

    def skip(self, index: int) -> None:
        """Leave record `index` out, as somebody decided."""
        self.bad.add(index)
        self.skipped.add(index)

    def warn(self, index: int, key: str, code: str, message: str) -> None:
        """Record something odd that comes in nevertheless."""
        self._add(index, key, code, message, False)

    def _add(self, index, key, code, message, error, typed=None):
        column = self.kind.column(key)
        value = self.columns[key][index] if typed is None and key in self.columns else typed
        if value not in (None, "") and key in self.widgets and typed is None:
            value = self.widgets[key].render(value) if value is not CLEAR else CLEAR_WORD
        self.issues.append(
            Issue(
                self.excel_rows[index], column.heading, code, message, masked(column, value), error
            )
        )

    def refuse_cell(self, index: int, key: str, typed, error: CellError) -> None:
        """The cell as typed cannot be one of its column."""
        self.bad.add(index)
        self.faults.add((index, key))
        self._add(index, key, error.code, str(error), True, typed)

    def letters(self) -> dict[str, str]:
        """The column of the user's sheet by the template's heading, as Excel letters it."""
        return {
            self.kind.column(key).heading: get_column_letter(position + 1)
            for key, position in self.positions.items()
        }

    def cell(self, issue: Issue) -> str:
        """Where Excel shows the issue, such as E1286; "" where the file has no such column."""
        for key, position in self.positions.items():
            if self.kind.column(key).heading == issue.column and issue.row:
                return f"{get_column_letter(position + 1)}{issue.row}"
        return ""


def masked(column: Column, raw) -> str:
    """What was typed, for a message: identifiers keep their first six and last four characters."""
    if raw in ("", None):
        return "（空）"
    if isinstance(raw, float):
        if abs(raw) >= 1e14:  # Excel has rounded it; six digits identify nobody
            return f"{raw:.5E}"
        text = str(int(raw)) if raw.is_integer() else repr(raw)
    else:
        text = str(raw).strip()
    if column.personal and len(_DIGITS.findall(text)) >= 7:
        text = f"{text[:6]}{'*' * max(len(text) - 10, 1)}{text[-4:]}" if len(text) > 10 else "****"
    return text[:60]


def read_table(
    kind: WorkbookKind,
    content: bytes,
    file_name: str,
    today: date,
    progress: Progress = lambda done, total, step: None,
    layouts: Layouts | None = None,
) -> Table:
    """The file as a Table of `kind`. Raises Unreadable with the cause in the user's words.

    Headings that one of `layouts` knows are read by it, others as the kind names its columns.
    """
    sheets = sheets_of(content, file_name)
    progress(0, 0, "读取")
    found = _found(kind, sheets, layouts or {})
    positions, unknown = _positions(kind, found)
    layout = found.layout
    table = Table(
        kind=kind,
        sheet_name=found.sheet_name,
        heading_row=found.row,
        positions={key: place + found.first_column for key, place in positions.items()},
        excel_rows=[],
        columns={column.key: [] for column in kind.columns},
        widgets={
            key: widgets.widget_for(kind.column(key), today) for key in (*positions, *layout.fixed)
        },
        layout=found.fingerprint,
    )
    for done, chunk in enumerate(_chunks(_records(found.records, found.row))):
        progress(done * CHUNK, 0, "检查格式")
        _parse(table, positions, layout, chunk)
    heading_row = found.row
    del sheets, found  # the parser's own copy of the whole sheet
    _settle_blanks(table)
    for name in unknown:
        table.issues.append(
            Issue(
                heading_row,
                name,
                "unknown_column",
                f"模板没有“{name}”这一列，未导入这一列。",
                "",
                False,
            )
        )
    return table


def locate(
    kind: WorkbookKind, content: bytes, file_name: str, layouts: Layouts | None = None
) -> tuple[str, int]:
    """The sheet's name ("" in a csv) and its heading row, without reading the records."""
    found = _found(kind, sheets_of(content, file_name), layouts or {})
    return found.sheet_name, found.row


def rows_of(content: bytes, file_name: str, sheet_name: str) -> tuple[int, Iterator[list]]:
    """(first column, rows from row 1 on) of one sheet, as the file has them."""
    sheets = sheets_of(content, file_name)
    _, first_column, rows = next(s for s in sheets if s[0] == sheet_name)
    return first_column, iter(rows())


Sheet = tuple[str, int, Callable[[], Iterator[list]]]


def sheets_of(content: bytes, file_name: str) -> list[Sheet]:
    """(name, first column, rows) of every sheet; rows start at the sheet's first row.

    Raises Unreadable where the gate refuses the file.
    """
    if gate.check(content, file_name) == "csv":
        text = gate.csv_text(content)
        return [("", 0, lambda: _csv_rows(text))]
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
    except (CalamineError, OSError, ValueError) as error:
        raise Unreadable(
            "damaged", "文件已损坏，打不开。请用Excel或WPS打开后另存为.xlsx再上传。"
        ) from error
    return [(sheet.name, sheet.start[1] if sheet.start else 0, sheet.iter_rows) for sheet in sheets]


def _csv_rows(text: str) -> Iterator[list]:
    """Its rows; a number that a program wrote as 12.0 is the number that Excel would give us."""
    for row in csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text)):
        yield [float(cell) if _FLOAT.match(cell) else cell for cell in row]


def _dialect(text: str):
    first = text.split("\n", 1)[0]
    return csv.excel_tab if first.count("\t") > first.count(",") else csv.excel


def _aliases(kind: WorkbookKind) -> dict[str, str]:
    """The column's key by each heading, in its normal form, under which an office may write it."""
    return {
        normal_heading(name): column.key
        for column in kind.columns
        for name in (column.heading, *column.aliases)
    }


@dataclass
class _Found:
    """Where the headings stand, and by what they are read. `records` are the rows below."""

    sheet_name: str
    first_column: int
    row: int
    cells: list  # as the file has them
    headings: list[str]  # in their normal form
    records: Iterator[list]
    names: Mapping[str, str]  # normal heading → column key
    layout: Layout
    fingerprint: str = ""


def _found(kind: WorkbookKind, sheets: list[Sheet], layouts: Layouts) -> _Found:
    return _by_layout(sheets, layouts) or _by_names(kind, sheets)


def heading_rows(sheet: Sheet) -> Iterator[tuple[int, list, list, Iterator[list]]]:
    """(number, row above, row, rows below) of the rows of a sheet that may hold the headings."""
    rows = iter(sheet[2]())
    above: list = []
    for number, row in enumerate(islice(rows, HEADING_ROWS), start=1):
        yield number, above, row, rows
        above = row


def _by_layout(sheets: list[Sheet], layouts: Layouts) -> _Found | None:
    """The first row whose headings an office has taught us."""
    if not layouts:
        return None
    for sheet in sheets:
        for number, above, row, rows in heading_rows(sheet):
            names = whole_headings(above, row)
            known = fingerprint(names)
            layout = layouts.get(known)
            if layout:
                return _Found(
                    sheet[0], sheet[1], number, row, names, rows, layout.columns, layout, known
                )
    return None


def _by_names(kind: WorkbookKind, sheets: list[Sheet]) -> _Found:
    """The sheet with the template's title, else the first whose heading row matches.

    A sheet that only shares some headings, such as another kind's, is taken where no sheet has
    every required column: its missing columns are then named.
    """
    aliases = _aliases(kind)
    titled = [s for s in sheets if s[0].strip() == kind.sheet]
    required = {column.key for column in kind.columns if column.required}
    best, partial = 0, None
    for sheet in titled + [s for s in sheets if s not in titled]:
        for number, above, row, rows in heading_rows(sheet):
            headings = _with_merged(aliases, above, row)
            known = {aliases[h] for h in headings if h in aliases}
            best = max(best, len(known))
            if len(known) >= min(3, len(kind.columns)):
                found = _Found(sheet[0], sheet[1], number, row, headings, rows, aliases, Layout())
                if sheet in titled or required <= known:
                    return found
                partial = partial or found
                break
    if partial:
        return partial
    if not best and all(next(iter(rows()), None) is None for _, _, rows in sheets):
        raise Unreadable("empty", "文件里没有内容。请填写后再上传。")
    raise Unreadable(
        "wrong_template",
        f"找不到“{kind.sheet}”的表头。请核对选择的类别，或下载模板后把内容复制进去。",
    )


def _with_merged(aliases: Mapping[str, str], above: list, row: list) -> list[str]:
    """The headings of a row; a blank one may be merged with the cell above where that is known."""
    names = [normal_heading(cell) for cell in row]
    upper = [normal_heading(cell) for cell in above[: len(names)]]
    for place, name in enumerate(upper):
        if not names[place] and name in aliases:
            names[place] = name
    return names


def _positions(kind: WorkbookKind, found: _Found) -> tuple[dict[str, int], list[str]]:
    """Column key → its place among the headings; and the headings that nobody knows."""
    positions: dict[str, int] = {}
    unknown, doubled = [], []
    for position, name in enumerate(found.headings):
        key = found.names.get(name)
        if key is None:
            if name and name not in OWN_HEADINGS and not found.fingerprint:
                unknown.append(plain(found.cells[position]))
        elif key in positions:
            doubled.append(kind.column(key).heading)
        else:
            positions[key] = position
    if doubled:
        raise Unreadable(
            "doubled_column", f"这些列出现了两次：{'、'.join(doubled)}。请各留一列后再上传。"
        )
    there = positions.keys() | found.layout.fixed.keys()
    missing = [c.heading for c in kind.columns if c.required and c.key not in there]
    if missing:
        raise Unreadable("missing_column", f"缺少必填列：{'、'.join(missing)}。请补上后再上传。")
    if len(found.headings) > settings.IMPORT_MAX_COLUMNS:
        raise Unreadable(
            "too_many_columns",
            f"列数超过{settings.IMPORT_MAX_COLUMNS}列。请删去不用的列后再上传。",
        )
    return positions, unknown


TOTALS = ("合计", "总计")


def _is_total(row: list) -> bool:
    """Whether the row begins with 合计, or has the bare word in any cell, as banks write it."""
    words = [normal_heading(cell) for cell in filter(plain, row)]
    return words[0].startswith(TOTALS) or any(word in TOTALS for word in words)


def _records(rows: Iterator[list], heading_row: int) -> Iterator[tuple[int, list]]:
    """(Excel row, cells) without blank rows and without a closing 合计 row."""
    held: tuple[int, list] | None = None
    count = 0
    for number, row in enumerate(rows, start=heading_row + 1):
        if not any(map(plain, row)):
            continue
        if held:
            count += 1
            if count > settings.IMPORT_MAX_ROWS:
                break
            yield held
        held = number, row
    if held and not _is_total(held[1]):
        count += 1
        yield held
    if count > settings.IMPORT_MAX_ROWS:
        raise Unreadable(
            "too_many_rows",
            f"超过{settings.IMPORT_MAX_ROWS:,}行。请拆成几个文件分别上传。",
        )


def _chunks(records: Iterator[tuple[int, list]]) -> Iterator[list[tuple[int, list]]]:
    while chunk := list(islice(records, CHUNK)):
        yield chunk


def _parse(
    table: Table, positions: dict[str, int], layout: Layout, chunk: list[tuple[int, list]]
) -> None:
    """Append the typed cells of some records, column by column."""
    first = len(table)
    table.excel_rows.extend(number for number, _ in chunk)
    for column in table.kind.columns:
        values = table.columns[column.key]
        place = positions.get(column.key)
        if place is not None:
            cells = [row[place] if place < len(row) else "" for _, row in chunk]
        elif column.key in layout.fixed:
            cells = [layout.fixed[column.key]] * len(chunk)
        else:
            values.extend([None] * len(chunk))
            continue
        words = {**column.synonyms, **layout.words.get(column.key, {})}
        _parse_cells(table, column, cells, first, words)


def _parse_cells(
    table: Table, column: Column, cells: list, first: int, words: Mapping[str, str]
) -> None:
    """Equal cells are parsed once: ID numbers across all their columns, others within one."""
    widget, append = table.widgets[column.key], table.columns[column.key].append
    memo = table.memos.setdefault("idno" if column.type == "idno" else column.key, {})
    if column.type != "idno" and len(memo) > MEMO:
        memo.clear()
    for index, cell in enumerate(cells, start=first):
        if cell == "" or cell is None:
            append(None)
            continue
        key = cell if type(cell) is str else (type(cell), cell)
        try:
            value = memo[key]
        except KeyError:
            value = memo[key] = _clean(widget, _translated(cell, words) if words else cell)
        if type(value) is CellError:
            append(None)
            table.refuse_cell(index, column.key, cell, value)
        else:
            append(value)


def _settle_blanks(table: Table) -> None:
    """A blank required cell is an error; a blank beside √ in the same column is a 否."""
    for column in table.kind.columns:
        values = table.columns[column.key]
        memo = table.memos.get(column.key, {})
        if column.type == "bool" and not column.required and any(c in TICKS for c in memo):
            table.columns[column.key] = [
                False if v is None and (i, column.key) not in table.faults else v
                for i, v in enumerate(values)
            ]
        if column.required:
            for index, value in enumerate(values):
                blank = value is None and (index, column.key) not in table.faults
                if blank or value is CLEAR:
                    table.error(index, column.key, "required", "不能为空。请填写。")
    table.memos.clear()


def plain(cell) -> str:
    """What the cell shows, without white space around it."""
    return str(cell).strip() if cell is not None else ""


def _translated(cell, words: Mapping[str, str]):
    """Our word for another department's, where the office has said which it is."""
    return words.get(shown(cell), cell)


def shown(cell) -> str:
    """A cell as words are compared: a number without its point."""
    try:
        return widgets.plain_text(cell)
    except CellError:
        return ""


def _clean(widget, cell):
    """The typed value, None for blank, CLEAR, or the CellError itself so that it can be kept."""
    if isinstance(cell, str):
        if len(cell) > settings.IMPORT_MAX_CELL:
            return CellError("too_long", f"单元格超过{settings.IMPORT_MAX_CELL}个字。请缩短。")
        text = cell.strip()
        if not text:
            return None
        if text == CLEAR_WORD:
            return CLEAR
    try:
        value = widget.clean(cell)
    except CellError as error:
        return error.with_traceback(None)
    if value == cell and type(cell) is str:
        return cell  # one copy in memory, not two
    return None if value == "" else value
