"""The office's own workbook back: marks, reasons, safe text, and a second round that works."""

import io
from datetime import date

import openpyxl
import pytest
from openpyxl.styles import Font

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.imports import models, returned, runs, services
from fpadmin.imports.kinds import KINDS
from fpadmin.imports.returned import Problem
from households.models import Resident

from .conftest import HEADINGS, Context, person, residents
from .files import xls

KIND = KINDS["residents"]
WRONG = "539981198005010010"
PROBLEMS = [
    Problem(4, "公民身份号码", "D4", "校验位不符。请对照证件核对。", True),
    Problem(4, "文化程度", "I4", "=1+1", False),
]


def opened(content: bytes):
    return openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]


def rows(sheet) -> list[list]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def office_file() -> bytes:
    """A title row, a styled heading, a second sheet, texts that look like formulas, a number."""
    book = openpyxl.load_workbook(
        io.BytesIO(residents(person("段光超", "1"), person("马明武", "2", 公民身份号码=WRONG)))
    )
    sheet = book.active
    sheet.insert_rows(1)
    sheet["A1"] = "禄脿街道居民登记表"
    sheet["A2"].font = Font(name="宋体", bold=True)
    sheet["C3"] = "=HYPERLINK(1)"
    sheet["C3"].data_type = "s"
    sheet["I3"] = 12
    sheet["I4"] = "+1+1"
    book.create_sheet("别的")["A1"] = "留着"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_small_workbook_keeps_its_looks_and_gains_marks_and_reasons():
    content = returned.marked(KIND, office_file(), "居民.xlsx", PROBLEMS)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Sheet1", "别的"]
    sheet = book["Sheet1"]
    assert sheet["A2"].font.name == "宋体"
    assert sheet["J2"].value == returned.REASONS
    assert sheet["J3"].value is None
    assert sheet["J4"].value == "公民身份号码：校验位不符。请对照证件核对。；提示：文化程度：=1+1"
    assert sheet["D4"].fill.fgColor.rgb == returned._PINK
    assert sheet["I4"].fill.fgColor.rgb == returned._AMBER
    assert sheet["D3"].fill.fgColor.rgb == "00000000"
    assert sheet["D4"].value == WRONG


@pytest.mark.parametrize("copied_up_to", [returned._COPIED_UP_TO, 0], ids=["copied", "rewritten"])
def test_an_unknown_column_leaves_our_own_heading_in_its_place(copied_up_to, monkeypatch):
    monkeypatch.setattr(returned, "_COPIED_UP_TO", copied_up_to)
    unknown = Problem(2, "序号", "A2", "模板没有这一列。", False)

    content = returned.marked(KIND, office_file(), "居民.xlsx", [unknown, *PROBLEMS])

    headings = rows(opened(content))[1]
    assert [h for h in headings if h not in HEADINGS] == [returned.REASONS]


def test_text_that_looks_like_a_formula_stays_text():
    for content in (
        returned.marked(KIND, office_file(), "居民.xlsx", PROBLEMS),
        returned.wrong_rows(
            KIND, office_file(), "居民.xlsx", [Problem(3, "姓名", "C3", "=A1", True)]
        ),
    ):
        cells = [c for row in opened(content).iter_rows() for c in row if c.value is not None]
        assert "=HYPERLINK(1)" in {c.value for c in cells}
        assert [c.coordinate for c in cells if c.data_type == "f"] == []


@pytest.mark.parametrize("ending", ["xls", "csv", "large xlsx"])
def test_other_formats_come_back_as_xlsx_with_the_same_rows(ending, monkeypatch):
    table = [["标题"], HEADINGS, person("段光超", "1"), person("马明武", "2", 公民身份号码=WRONG)]
    if ending == "xls":
        content, name = xls(table), "居民.xls"
    elif ending == "csv":
        text = "\n".join(",".join(row + [""] * (9 - len(row))) for row in table)
        content, name = text.encode("gb18030"), "居民.csv"
    else:
        monkeypatch.setattr(returned, "_COPIED_UP_TO", 0)
        content, name = residents(*table[2:], above=[["标题"]]), "居民.xlsx"
    sheet = opened(returned.marked(KIND, content, name, PROBLEMS))
    assert sheet["A1"].value == "标题"
    assert [c.value for c in sheet[2]] == [*HEADINGS, returned.REASONS]
    assert [c.value for c in sheet[4]][:9] == table[3]
    assert sheet["D4"].data_type == "s"
    assert sheet["D4"].number_format == "@"
    assert sheet["D4"].fill.fgColor.rgb == returned._PINK
    assert "校验位不符" in sheet["J4"].value


def test_numbers_and_dates_keep_their_kind_when_rewritten(monkeypatch):
    monkeypatch.setattr(returned, "_COPIED_UP_TO", 0)
    row = person("段光超", "1")
    row[1], row[7], row[8] = 17, "", date(2018, 9, 3)
    problem = Problem(2, "婚姻状况", "H2", "不能为空。", True)
    sheet = opened(returned.marked(KIND, residents(row), "居民.xlsx", [problem]))
    assert (sheet["B2"].value, sheet["B2"].data_type) == (17, "n")
    assert sheet["I2"].is_date
    assert sheet["H2"].fill.fgColor.rgb == returned._PINK  # a blank cell is marked too


def test_the_wrong_rows_alone_have_headings_reasons_and_their_old_number():
    content = residents(
        person("段光超", "1"),
        person("马明武", "2", 公民身份号码=WRONG),
        person("乔翠", "3"),
        above=[["标题"]],
    )
    sheet = opened(returned.wrong_rows(KIND, content, "居民.xlsx", PROBLEMS))
    found = rows(sheet)
    assert found[0] == [*HEADINGS, returned.REASONS, returned.OLD_ROW]
    assert len(found) == 2
    assert (found[1][2], found[1][10]) == ("马明武", 4)


def test_rows_that_are_only_odd_are_not_returned_alone():
    problems = [Problem(3, "文化程度", "I3", "少见。", False), PROBLEMS[0]]
    content = residents(person("段光超", "1"), person("马明武", "2"), above=[["标题"]])
    assert len(rows(opened(returned.wrong_rows(KIND, content, "居民.xlsx", problems)))) == 2


def test_a_second_return_uses_the_same_columns_and_forgets_the_old_reasons(monkeypatch):
    once = returned.marked(KIND, office_file(), "居民.xlsx", PROBLEMS)
    twice = returned.marked(KIND, once, "居民.xlsx", [Problem(3, "姓名", "C3", "新的。", True)])
    sheet = opened(twice)
    assert [c.value for c in sheet[2]].count(returned.REASONS) == 1
    assert (sheet["J3"].value, sheet["J4"].value) == ("姓名：新的。", None)
    monkeypatch.setattr(returned, "_COPIED_UP_TO", 0)
    sheet = opened(
        returned.marked(KIND, once, "居民.xlsx", [Problem(3, "姓名", "C3", "新的。", True)])
    )
    assert [c.value for c in sheet[2]].count(returned.REASONS) == 1
    assert (sheet["J3"].value, sheet["J4"].value) == ("姓名：新的。", None)


@pytest.mark.django_db
@pytest.mark.parametrize("only_wrong", [True, False])
def test_fix_and_upload_again_adds_only_what_was_missing(only_wrong, committed, checked, clerk):
    good = [person(f"居民{i}", f"{i:05d}") for i in range(7)]
    bad = [person(f"退回{i}", f"{i:05d}", 公民身份号码=WRONG) for i in range(100, 103)]
    batch = committed(residents(*good, *bad), good_rows=True)
    assert (Resident.objects.count(), batch.refused) == (7, 3)
    name, content = services.returned_file(batch=batch, only_wrong=only_wrong, by=clerk)
    assert AuditEvent.objects.filter(type="import.file-opened", target_id=str(batch.pk)).exists()
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    for row in sheet.iter_rows(min_row=2):
        if row[3].value == WRONG:
            row[3].value = person("", "")[3]
    out = io.BytesIO()
    book.save(out)
    again = checked(out.getvalue(), name)
    assert (again.created, again.refused, again.warnings) == (3, 0, 0)
    assert again.unchanged == (0 if only_wrong else 7)


@pytest.mark.django_db
def test_there_is_nothing_to_return_without_errors(checked, clerk):
    batch = checked(residents(person("段光超", "1")))
    with pytest.raises(RuleViolation):
        services.returned_file(batch=batch, only_wrong=False, by=clerk)


@pytest.mark.django_db
def test_a_large_file_is_made_by_a_job_once_for_each_person(checked, clerk, monkeypatch):
    batch = checked(residents(person("马明武", "1", 公民身份号码=WRONG)))
    monkeypatch.setattr(models, "RETURNED_AT_ONCE", 0)
    assert batch.is_large
    job = services.request_returned(batch=batch, only_wrong=True, by=clerk)
    assert services.request_returned(batch=batch, only_wrong=True, by=clerk) == job
    assert services.request_returned(batch=batch, only_wrong=False, by=clerk) != job
    context = Context(clerk, batch=batch, only_wrong=True)
    runs.make_returned(context)
    assert list(context.files) == ["居民_错误行.xlsx"]
    assert len(rows(opened(context.files["居民_错误行.xlsx"]))) == 2
