"""The reader: finds the sheet and the headings of an office's own files, whatever stands around."""

import csv
import io
from datetime import date, datetime

import openpyxl
import pytest
import xlwt

from fpadmin.imports.kinds import KINDS, Unreadable
from fpadmin.imports.reader import masked, read_table
from tests.factories.workbooks import TODAY, make_workbook

HEADINGS = ["区划代码", "名称", "级别", "上级代码", "城乡分类"]
ROW = ["539981001201", "庄科村", "村", "539981001", "乡村"]


def read(content: bytes, name="区划.xlsx"):
    return read_table(KINDS["regions"], content, name, TODAY)


def test_plain_template_is_read():
    table = read(make_workbook(HEADINGS, [ROW], title="行政区划"))
    assert table.columns["code"] == ["539981001201"]
    assert (table.heading_row, table.excel_rows) == (1, [2])


def test_title_rows_blank_rows_and_total_are_no_records():
    content = make_workbook(
        HEADINGS,
        [ROW, [], ["539981001202", "安丰营村", "村", "", ""], ["合 计", "2", "", "", ""]],
        above=[["禄脿街道行政区划表"], []],
    )
    table = read(content)
    assert table.heading_row == 3
    assert table.excel_rows == [4, 6]
    assert table.columns["name"] == ["庄科村", "安丰营村"]


def test_total_in_the_middle_is_a_record():
    table = read(make_workbook(HEADINGS, [["合计", "x", "村", "", ""], ROW]))
    assert len(table) == 2


def test_shuffled_aliased_and_decorated_headings():
    content = make_workbook(
        ["名 称*", "级\n别", "备用", "行政区划代码（12位）", "代码"],
        [["庄科村", "村", "x", "y", "539981001201"]],
    )
    table = read(content)
    assert table.columns["code"] == ["539981001201"]
    warnings = [i for i in table.issues if not i.error]
    assert [i.column for i in warnings] == ["备用", "行政区划代码（12位）"]
    assert {i.code for i in warnings} == {"unknown_column"}


def test_sheet_name_is_no_matter_and_titled_sheet_wins():
    workbook = openpyxl.load_workbook(io.BytesIO(make_workbook(["说明"], [["请填写"]])))
    for name, code in (("第二页", "539981001202"), ("行政区划", "539981001201")):
        sheet = workbook.create_sheet(name)
        sheet.append(HEADINGS)
        sheet.append([code, *ROW[1:]])
    buffer = io.BytesIO()
    workbook.save(buffer)
    assert read(buffer.getvalue()).columns["code"] == ["539981001201"]
    del workbook["行政区划"]
    buffer = io.BytesIO()
    workbook.save(buffer)
    assert read(buffer.getvalue()).columns["code"] == ["539981001202"]


def test_data_that_starts_in_another_column_is_placed_as_excel_shows():
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for offset, heading in enumerate(HEADINGS):
        sheet.cell(5, 3 + offset, heading)
        sheet.cell(6, 3 + offset, ["错误", *ROW[1:]][offset])
    buffer = io.BytesIO()
    workbook.save(buffer)
    table = read(buffer.getvalue())
    issue = next(i for i in table.issues if i.error)
    assert (issue.row, table.cell(issue)) == (6, "C6")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_of_each_encoding(encoding):
    buffer = io.StringIO()
    csv.writer(buffer).writerows([HEADINGS, ROW])
    table = read(buffer.getvalue().encode(encoding), "区划.csv")
    assert table.columns["name"] == ["庄科村"]


def test_old_xls():
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Sheet1")
    for r, row in enumerate([HEADINGS, ROW]):
        for c, cell in enumerate(row):
            sheet.write(r, c, cell)
    buffer = io.BytesIO()
    workbook.save(buffer)
    assert read(buffer.getvalue(), "区划.xls").columns["code"] == ["539981001201"]


@pytest.mark.parametrize(
    ("last", "records"),
    [
        (["", "合计", "", "", ""], 1),
        (["2", "总 计", "", "", ""], 1),
        (["539981001202", "合计村", "村", "", ""], 2),
    ],
)
def test_total_may_stand_in_any_cell_of_the_last_row(last, records):
    assert len(read(make_workbook(HEADINGS, [ROW, last]))) == records


@pytest.mark.parametrize(
    ("headings", "rows", "code"),
    [
        (["区划代码", "名称", "城乡分类"], [["1", "2", "3"]], "missing_column"),
        ([*HEADINGS, "代码"], [[*ROW, "1"]], "doubled_column"),
        (["甲", "乙", "丙"], [["1", "2", "3"]], "wrong_template"),
        ([], [], "empty"),
    ],
)
def test_unreadable_file_says_why(headings, rows, code):
    with pytest.raises(Unreadable) as error:
        read(make_workbook(headings, rows))
    assert error.value.code == code


def test_missing_and_doubled_columns_are_named():
    with pytest.raises(Unreadable, match="级别"):
        read(make_workbook(["区划代码", "名称", "城乡分类"], [["1", "2", "3"]]))
    with pytest.raises(Unreadable, match="区划代码"):
        read(make_workbook([*HEADINGS, "代码"], [[*ROW, "1"]]))


def test_too_many_rows_are_refused_with_the_limit(settings):
    settings.IMPORT_MAX_ROWS = 2
    with pytest.raises(Unreadable, match="2行"):
        read(make_workbook(HEADINGS, [ROW] * 3))
    assert len(read(make_workbook(HEADINGS, [ROW, ROW, ["合计"]]))) == 2


def test_number_in_a_code_column_loses_its_point():
    assert read(make_workbook(HEADINGS, [[539981001201, *ROW[1:]]])).columns["code"] == [
        "539981001201"
    ]


def test_text_that_looks_like_a_formula_stays_text():
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(HEADINGS)
    sheet.append(ROW)
    sheet["B2"].value = "=1+1"
    sheet["B2"].data_type = "s"
    buffer = io.BytesIO()
    workbook.save(buffer)
    assert read(buffer.getvalue()).columns["name"] == ["=1+1"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (datetime(2018, 9, 3, 8), date(2018, 9, 3)),
        ("2018-9-3", date(2018, 9, 3)),
        ("２０１８年９月３日", date(2018, 9, 3)),
        (20180903, date(2018, 9, 3)),
        (43346, date(2018, 9, 3)),
        ("2018-9-3 00:00:00", date(2018, 9, 3)),
    ],
)
def test_dates_of_every_kind(cell, value):
    content = make_workbook(
        ["母亲身份证号", "性别", "出生日期", "孩次", "符合政策", "存活状况"],
        [["539981198001010020", "女", cell, 1, "是", "存活"]],
    )
    table = read_table(KINDS["births"], content, "生育.xlsx", TODAY)
    assert table.columns["birth_date"] == [value]


def test_messages_mask_identifiers():
    column = KINDS["residents"].column("idno")
    assert masked(column, "539981198001010012") == "539981********0012"
    assert masked(column, 5.39981e17) == "5.39981E+17"
    assert masked(KINDS["residents"].column("bank_account"), "6299992590153999935").count("*") > 5


def test_csv_number_that_a_program_wrote_loses_its_point():
    text = "区划代码,名称,级别\n539981001201.0,庄科村,村\n53998100120101.00,1组,组\n"
    table = read(text.encode(), name="区划.csv")
    assert table.columns["code"] == ["539981001201", "53998100120101"]


def test_csv_number_with_lost_digits_is_refused():
    table = read("区划代码,名称,级别\n539981200001010000.0,庄科村,村\n".encode(), name="区划.csv")
    assert [issue.code for issue in table.issues] == ["digits_lost"]


def test_sheet_that_shares_only_some_headings_is_passed_over():
    workbook = openpyxl.Workbook()
    workbook.active.append(["区划代码", "上级代码", "城乡分类", "面积"])
    wanted = workbook.create_sheet("Sheet2")
    wanted.append(HEADINGS)
    wanted.append(ROW)
    out = io.BytesIO()
    workbook.save(out)
    table = read(out.getvalue())
    assert (table.sheet_name, table.columns["code"]) == ("Sheet2", ["539981001201"])
