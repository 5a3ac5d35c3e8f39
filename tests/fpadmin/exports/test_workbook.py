"""The workbook of an export: typed cells, text that stays text, where it came from."""

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from fpadmin.exports import workbook
from fpadmin.exports.workbook import SheetColumn, SheetHead

HEAD = SheetHead("居民", "庄科村", "无", "2018-10-09 10:00", "段某（duan）", "181009ABCDEF")
DANGEROUS = [
    "=1+1", "==1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1+1", "|calc", "%0A", "=HYPERLINK(\"x\")",
    "<b>&amp;</b>", "_x0041_", "𠮷㼆䶮", " 前后 ", "\ufeff=1", "a\x00b", "110101199003077774",
]  # fmt: skip


def written(columns, rows, expected=None):
    buffer = io.BytesIO()
    count = workbook.write(buffer, HEAD, columns, [rows] if rows else [], expected or len(rows))
    assert count == len(rows)
    return buffer.getvalue()


def sheet_of(content: bytes):
    return openpyxl.load_workbook(io.BytesIO(content)).active


@pytest.mark.parametrize("kind", ["text", "code"])
def test_every_string_is_a_text_cell_whatever_it_begins_with(kind):
    sheet = sheet_of(written([SheetColumn("甲", kind)], [(text,) for text in DANGEROUS]))
    cells = [sheet.cell(6 + n, 1) for n in range(len(DANGEROUS))]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [unescape(cell.value) for cell in cells] == DANGEROUS


def test_cells_have_their_types_and_an_empty_one_is_empty():
    columns = [SheetColumn(k, k) for k in ("text", "number", "date", "time", "code")]
    rows = [
        ("张三", 0, date(1980, 5, 1), datetime(2018, 10, 9, 9, 30), "00012"),
        ("", None, None, None, ""),
        ("李四", 38, date(1899, 12, 31), None, "6299"),
    ]
    sheet = sheet_of(written(columns, rows))
    first = [sheet.cell(6, at) for at in range(1, 6)]
    assert [cell.value for cell in first] == [
        "张三", 0, datetime(1980, 5, 1), datetime(2018, 10, 9, 9, 30), "00012",
    ]  # fmt: skip
    assert [cell.data_type for cell in first] == ["s", "n", "d", "d", "s"]
    assert first[4].number_format == "@"
    assert [sheet.cell(7, at).value for at in range(1, 6)] == [None] * 5
    # Excel's calendar begins in 1900: an older day stays readable as text.
    assert sheet.cell(8, 3).value == "1899-12-31"


def test_money_is_a_figure_with_two_places():
    sheet = sheet_of(written([SheetColumn("金额", "money")], [(Decimal("960.00"),), (None,)]))
    cell = sheet.cell(6, 1)
    assert (cell.value, cell.data_type, cell.number_format) == (960, "n", "#,##0.00")
    assert sheet.cell(7, 1).value is None


def test_rows_of_several_chunks_follow_each_other():
    buffer = io.BytesIO()
    chunks = [[("一",), ("二",)], [("三",)]]
    assert workbook.write(buffer, HEAD, [SheetColumn("名")], chunks, 3) == 3
    sheet = sheet_of(buffer.getvalue())
    assert [sheet.cell(6 + n, 1).value for n in range(3)] == ["一", "二", "三"]
    assert sheet.dimensions == "A1:A8"


def test_head_and_properties_say_where_the_file_comes_from():
    content = written([SheetColumn("姓名")], [("张三",)])
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.active
    assert sheet["A1"].value == "居民"
    assert sheet["A2"].value == "单位：庄科村　条件：无"
    assert sheet["A3"].value == "截至2018-10-09 10:00　共1行　导出人：段某（duan）"
    assert "仅供工作使用" in sheet["A4"].value
    assert "181009ABCDEF" in sheet["A4"].value
    assert sheet["A5"].value == "姓名"
    assert (book.properties.keywords, book.properties.creator) == ("181009ABCDEF", "段某（duan）")
    assert "181009ABCDEF" in sheet.oddFooter.left.text


def test_target_need_not_be_seekable():
    class Pipe(io.RawIOBase):
        content = b""

        def writable(self):
            return True

        def write(self, data):
            self.content += bytes(data)
            return len(data)

    pipe = Pipe()
    workbook.write(pipe, HEAD, [SheetColumn("姓名")], [[("张三",)]], 1)
    assert zipfile.ZipFile(io.BytesIO(pipe.content)).testzip() is None
    assert sheet_of(pipe.content)["A6"].value == "张三"
