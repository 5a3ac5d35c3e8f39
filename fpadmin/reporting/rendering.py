"""Sheets and lists as Excel, Word and JSON files, and the text of one cell. Knows kinds, no returns."""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby

import docx
import xlsxwriter
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from fpadmin.reporting.registry import ListRow
from fpadmin.reporting.sheets import Sheet, SheetColumn, SheetRow

NOTHING = "—"
FONT = "宋体"
# A text that starts like a formula stays a text, and a number typed as text one too.
TEXT_IS_TEXT = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@dataclass(frozen=True)
class Signature:
    """Who filled the form in and when: its foot. Blank where it is signed by hand."""

    filled_by: str = ""
    on: str = ""


@dataclass(frozen=True)
class HeadCell:
    """One cell of a head of two or three lines."""

    text: str
    columns: int
    lines: int
    is_leaf: bool
    leads: bool = False  # a line before it, where another group of columns begins


def half_up(number: float, places: int = 2) -> Decimal:
    """As offices round: 0.125 is 0.13. Rounds the shortest decimal that means the same number."""
    return Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def shown(row: SheetRow, column: SheetColumn) -> str:
    """The cell as text. A rate has its numerator and denominator, a ratio its n and 95 % interval."""
    figures = row.figures
    value = figures[column.code]
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if column.kind == "rate":
        done, whole = (_number(figures[part]) for part in column.parts)
        return f"{half_up(value)}%（{done}/{whole}）"
    if column.kind == "money":
        return f"{half_up(value):,}".replace("-", "−")
    if column.kind == "ratio":
        low, high = half_up(figures[f"{column.code}_low"]), half_up(figures[f"{column.code}_high"])
        return f"{half_up(value)}（n={figures[column.parts[0]]:,}，95%区间{low}–{high}）"
    return f"{value:,}".replace("-", "−")


def _number(value: int | float) -> str:
    """A count as it is, a sum of yuan with its fen where it has any."""
    return f"{value:,}" if isinstance(value, int) else f"{half_up(value):,}"


def head(columns: Sequence[SheetColumn], corner: str = "") -> list[list[HeadCell]]:
    """The lines of the head: merged over a group's columns, or down where a column has no group."""
    flat = [(c.group, c.heading) for c in columns]
    deep = any(group for group, _ in flat)
    first = [HeadCell(corner, 1, 2 if deep else 1, True)] if corner else []
    second, after_group = [], False
    for (group, _), members in groupby(enumerate(flat), key=lambda m: (m[1][0], m[1][0] or m[0])):
        headings = [heading for _, (_, heading) in members]
        if not group:
            first.append(HeadCell(headings[0], 1, 2 if deep else 1, True, after_group))
        else:
            leads = len(first) > 1
            first.append(HeadCell(group, len(headings), 1, False, leads))
            second += [HeadCell(h, 1, 1, True, leads and not n) for n, h in enumerate(headings)]
        after_group = bool(group)
    return [first, second] if deep else [first]


# JSON --------------------------------------------------------------------------------------------


def as_json(sheet: Sheet, signature: Signature) -> bytes:
    """Region, period, columns, figures by region and the checks, as UTF-8 JSON."""
    content = {
        "code": sheet.code,
        "name": sheet.name,
        "region": {"code": sheet.region_code, "name": sheet.region_name},
        "period": sheet.period,
        "from": sheet.start,
        "as_of": sheet.as_of,
        "unit": sheet.unit,
        "filled_by": signature.filled_by,
        "made_on": signature.on,
        "columns": [asdict(c) for c in sheet.columns],
        "rows": [
            {"code": r.code, "name": r.name, "total": r.is_total, "figures": r.figures}
            for r in sheet.rows
        ],
        "checks": [asdict(c) for c in sheet.checks],
        "notes": sheet.notes,
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


# Excel -------------------------------------------------------------------------------------------


def as_xlsx(sheet: Sheet, signature: Signature) -> bytes:
    """One worksheet: title, 单位 and 期间, merged heads, the figures as numbers, foot and notes.

    A ratio takes four columns, so that it stays a number and never stands without n and interval.
    Sections whose columns are alike stand below one another under one head, others side by side.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, TEXT_IS_TEXT)
    page = book.add_worksheet(sheet.name[:31])
    base = {"font_name": FONT, "font_size": 10.5, "valign": "vcenter"}
    boxed = base | {"border": 1}
    heading = book.add_format(base | {"font_size": 16, "bold": True, "align": "center"})
    plain = book.add_format(base)
    right = book.add_format(base | {"align": "right"})
    top = book.add_format(boxed | {"align": "center", "text_wrap": True})
    label = book.add_format(boxed | {"align": "left"})
    formats = {
        "count": book.add_format(boxed | {"num_format": "#,##0"}),
        "rate": book.add_format(boxed | {"num_format": "0.00"}),
        "money": book.add_format(boxed | {"num_format": "#,##0.00"}),
        "text": book.add_format(boxed | {"align": "right"}),
    }
    blocks = _blocks(sheet)
    columns = blocks[0][1]
    last = len(columns)
    page.merge_range(0, 0, 0, last, f"{sheet.name}（{sheet.period_label}）", heading)
    page.set_row(0, 30)
    page.write_string(1, 0, f"填报单位：{sheet.region_name}", plain)
    middle = max(last // 2, 1)
    page.write_string(1, middle, f"期间：{sheet.start}至{sheet.as_of}", plain)
    page.write_string(1, last, f"单位：{sheet.unit}", right)
    first = line = _write_head(page, columns, top)
    for title, members in blocks:
        if title:
            _merge(page, line, 0, 1, last + 1, title, top)
            line += 1
        for row in sheet.rows:
            page.write_string(line, 0, "合计" if row.is_total else row.name, label)
            for at, column in enumerate(members, 1):
                _write_value(page, line, at, row.figures[column.code], column.kind, formats)
            line += 1
    for at, text in (
        (0, f"填报人：{signature.filled_by}"),
        (middle, "负责人："),
        (max(last - 1, 1), f"日期：{signature.on}"),
    ):
        page.write_string(line + 1, at, text, plain)
    for count, note in enumerate(sheet.notes, line + 2):
        page.write_string(count, 0, f"注：{note}", plain)
    page.set_column(0, 0, 16)
    page.set_column(1, last, 10)
    page.freeze_panes(first, 1)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.set_footer("&C第&P页 共&N页")
    book.close()
    return buffer.getvalue()


def list_as_xlsx(title: str, meta: str, rows: Iterable[ListRow], places: dict[str, str]) -> bytes:
    """The records behind a figure; `places` names the villages by code."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, TEXT_IS_TEXT)
    page = book.add_worksheet("名单")
    bold = book.add_format({"bold": True})
    page.write_string(0, 0, title, bold)
    page.write_string(1, 0, meta)
    headings = ["序号", "村（社区）代码", "村（社区）", "户编号", "姓名"]
    for line, row in enumerate(rows, 3):
        page.write_number(line, 0, line - 2)
        page.write_string(line, 1, row.village_code)
        page.write_string(line, 2, places.get(row.village_code, ""))
        page.write_string(line, 3, row.household_no)
        page.write_string(line, 4, row.name)
        for heading, value in row.facts.items():
            if heading not in headings:
                headings.append(heading)
            at = headings.index(heading)
            if isinstance(value, int | Decimal):
                page.write_number(line, at, value)
            else:
                page.write_string(line, at, value)
    for at, heading in enumerate(headings):
        page.write_string(2, at, heading, bold)
    page.set_column(1, len(headings), 16)
    page.freeze_panes(3, 0)
    book.close()
    return buffer.getvalue()


def _blocks(sheet: Sheet) -> list[tuple[str, list[SheetColumn]]]:
    """Sections that stand below one another, or one block without a title of all columns."""
    parts = [(name, [c for c in sheet.columns if c.section == name]) for name in sheet.sections]
    heads = {tuple((c.group, c.heading, c.kind) for c in columns) for _, columns in parts}
    if len(parts) == 1 or len(heads) > 1:
        return [("", list(_spread(sheet.columns)))]
    return [(name, list(_spread(columns))) for name, columns in parts]


def _spread(columns: Sequence[SheetColumn]) -> Iterable[SheetColumn]:
    """Columns of a workbook: a ratio becomes itself, the number it rests on and its two bounds."""
    for column in columns:
        if column.kind != "ratio":
            yield column
            continue
        parts = (
            (column.code, "比值", "rate"),
            (column.parts[0], "n", "count"),
            (f"{column.code}_low", "95%区间下限", "rate"),
            (f"{column.code}_high", "95%区间上限", "rate"),
        )
        for code, heading, kind in parts:
            yield SheetColumn(code, heading, column.heading, column.section, kind, [])


def _write_head(page, columns: Sequence[SheetColumn], style) -> int:
    """Sections (where there are several), groups and headings from the third line on; the next line."""
    line, at = 2, 1
    sections = [(name, list(members)) for name, members in groupby(columns, lambda c: c.section)]
    lines = head(columns, "村（社区）")
    deep = len(lines)
    if len(sections) > 1:
        for name, members in sections:
            _merge(page, line, at, 1, len(members), name, style)
            at += len(members)
        _merge(page, line, 0, deep + 1, 1, "村（社区）", style)
        line += 1
    taken: set[int] = set()
    for count, cells in enumerate(lines):
        at = 0
        for cell in cells:
            while count and at in taken:
                at += 1
            if at or len(sections) == 1:
                _merge(page, line + count, at, cell.lines, cell.columns, cell.text, style)
            if not count and cell.lines == deep:
                taken.add(at)
            at += cell.columns
    page.set_row(line + deep - 1, 32)
    return line + deep


def _merge(page, line: int, at: int, lines: int, columns: int, text: str, style) -> None:
    if lines == columns == 1:
        page.write_string(line, at, text, style)
    else:
        page.merge_range(line, at, line + lines - 1, at + columns - 1, text, style)


def _write_value(page, line: int, at: int, value, kind: str, formats: dict) -> None:
    if value is None:
        page.write_string(line, at, NOTHING, formats["text"])
    elif isinstance(value, str):
        page.write_string(line, at, value, formats["text"])
    elif kind == "count":
        page.write_number(line, at, value, formats["count"])
    else:
        style = formats["money" if kind == "money" else "rate"]
        page.write_number(line, at, float(half_up(value)), style)


# Word --------------------------------------------------------------------------------------------


def as_docx(sheet: Sheet, signature: Signature) -> bytes:
    """An A4 sheet across: title, 单位 and 期间, a table for each section, foot and notes."""
    paper = docx.Document()
    style = paper.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(9)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    section = paper.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.left_margin = section.right_margin = Mm(12)
    section.top_margin = section.bottom_margin = Mm(15)
    title = paper.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = title.add_run(f"{sheet.name}（{sheet.period_label}）")
    run.bold, run.font.size = True, Pt(16)
    paper.add_paragraph(
        f"填报单位：{sheet.region_name}　　期间：{sheet.start}至{sheet.as_of}　　单位：{sheet.unit}"
    )
    for name in sheet.sections:
        if len(sheet.sections) > 1:
            paper.add_paragraph().add_run(name).bold = True
        _add_table(paper, sheet, [c for c in sheet.columns if c.section == name])
    paper.add_paragraph()
    paper.add_paragraph(
        f"填报人：{signature.filled_by}　　　　　　负责人：　　　　　　日期：{signature.on}"
    )
    for note in sheet.notes:
        paper.add_paragraph(f"注：{note}")
    buffer = io.BytesIO()
    paper.save(buffer)
    return buffer.getvalue()


def _add_table(paper, sheet: Sheet, columns: Sequence[SheetColumn]) -> None:
    lines = head(columns, "村（社区）")
    table = paper.add_table(rows=len(lines) + len(sheet.rows), cols=len(columns) + 1)
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    grid = [list(row.cells) for row in table.rows]
    taken: set[int] = set()
    for count, cells in enumerate(lines):
        at = 0
        for cell in cells:
            while count and at in taken:
                at += 1
            last = grid[count + cell.lines - 1][at + cell.columns - 1]
            target = grid[count][at]
            if last is not target:
                target = target.merge(last)
            _set_text(target, cell.text, WD_ALIGN_PARAGRAPH.CENTER)
            if not count and cell.lines == len(lines):
                taken.add(at)
            at += cell.columns
    for cells, row in zip(grid[len(lines) :], sheet.rows, strict=True):
        _set_text(cells[0], "合计" if row.is_total else row.name, WD_ALIGN_PARAGRAPH.LEFT)
        for cell, column in zip(cells[1:], columns, strict=True):
            _set_text(cell, shown(row, column), WD_ALIGN_PARAGRAPH.RIGHT)


def _set_text(cell, text: str, alignment) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = alignment
    paragraph.add_run(text)


RENDERERS = {"xlsx": as_xlsx, "docx": as_docx, "json": as_json}
