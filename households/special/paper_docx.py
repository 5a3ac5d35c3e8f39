"""一户一档 as a Word file: A4 upright, the tables of every part, boxes to sign and stamp.

Who made it and when stands at the foot of every page.
"""

import io
import re
from collections.abc import Sequence

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from households.special.sections import PaperTable

FONT = "宋体"
NOTHING = "无"
SIGNATURES = ("建档人（签字）", "审核人（签字）", "单位（盖章）")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def archive_docx(
    *,
    unit: str,
    title: str,
    watermark: str,
    facts: Sequence[tuple[str, str]],
    parts: Sequence[tuple[str, Sequence[PaperTable]]],
) -> bytes:
    """The archive on paper: `facts` on top, then each part's title with its tables."""
    paper = docx.Document()
    _set_up(paper, unit, watermark)
    heading = paper.add_paragraph()
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = heading.add_run(_clean(title))
    run.bold, run.font.size = True, Pt(16)
    _add_facts(paper, facts)
    for name, tables in parts:
        _add_heading(paper, name, 12)
        for table in tables:
            _add_table(paper, table, named=table.title != name)
    _add_signatures(paper)
    target = io.BytesIO()
    paper.save(target)
    return target.getvalue()


def _set_up(paper, unit: str, watermark: str) -> None:
    style = paper.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    style.paragraph_format.space_after = Pt(4)
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(18)
    section.top_margin = section.bottom_margin = Mm(20)
    head = section.header.paragraphs[0]
    head.add_run(_clean(f"{unit}　特殊家庭一户一档")).font.size = Pt(9)
    foot = section.footer.paragraphs[0]
    foot.add_run(_clean(watermark)).font.size = Pt(8)
    pages = section.footer.add_paragraph()
    pages.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for text, field in (("第", "PAGE"), ("页 共", "NUMPAGES"), ("页", "")):
        pages.add_run(text).font.size = Pt(9)
        if field:
            pages._p.append(_field(field))


def _field(name: str):
    """A number that Word counts itself."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), name)
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    return field


def _add_heading(paper, text: str, size: float) -> None:
    paragraph = paper.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    run = paragraph.add_run(_clean(text))
    run.bold, run.font.size = True, Pt(size)


def _add_facts(paper, facts: Sequence[tuple[str, str]]) -> None:
    table = paper.add_table(rows=0, cols=4, style="Table Grid")
    for at in range(0, len(facts), 2):
        cells = table.add_row().cells
        for place, (label, value) in enumerate(facts[at : at + 2]):
            _fill(cells[2 * place], label, bold=True)
            _fill(cells[2 * place + 1], value)


def _add_table(paper, table: PaperTable, *, named: bool) -> None:
    if named:
        _add_heading(paper, table.title, 10.5)
    if not table.rows:
        paper.add_paragraph(NOTHING)
        return
    made = paper.add_table(rows=1, cols=len(table.headings), style="Table Grid")
    for cell, text in zip(made.rows[0].cells, table.headings, strict=True):
        _fill(cell, text, bold=True)
    repeated = OxmlElement("w:tblHeader")  # the headings come again on the next page
    made.rows[0]._tr.get_or_add_trPr().append(repeated)
    for row in table.rows:
        for cell, text in zip(made.add_row().cells, row, strict=True):
            _fill(cell, text)
    paper.add_paragraph()


def _add_signatures(paper) -> None:
    table = paper.add_table(rows=1, cols=len(SIGNATURES), style="Table Grid")
    whole = OxmlElement("w:cantSplit")
    table.rows[0]._tr.get_or_add_trPr().append(whole)
    for cell, label in zip(table.rows[0].cells, SIGNATURES, strict=True):
        _fill(cell, label)
        for _ in range(3):
            cell.add_paragraph()
        cell.add_paragraph("年　　月　　日").alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _fill(cell, text: str, *, bold: bool = False) -> None:
    run = cell.paragraphs[0].add_run(_clean(text))
    run.font.size, run.bold = Pt(9), bold


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return _NOT_XML.sub("", text)
