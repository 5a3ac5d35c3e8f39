"""Sheets as files: numbers are numbers, texts are texts, heads are merged, ratios keep n and interval."""

import io
import json
from dataclasses import replace
from datetime import date

import docx
import openpyxl
import pytest

from fpadmin.dates import parse_period
from fpadmin.reporting import rendering, sheets
from fpadmin.reporting.registry import RETURNS, ListRow, Span, group_of
from fpadmin.reporting.rendering import Signature, half_up, shown
from fpadmin.reporting.sheets import SheetColumn, SheetRow
from tests.factories.households import make_birth

SIGNED = Signature("罗晓梅", "2018-10-09")
FORMULAS = ["=1+1", "==1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "＝1", "%0", "|x"]


def sheet_of(code, region, period):
    return sheets.build(RETURNS[code], region, parse_period(period))


def opened(content):
    return openpyxl.load_workbook(io.BytesIO(content)).active


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.125, "0.13"), (97.365, "97.37"), (100.0, "100.00"), (114.4736842, "114.47")],
)
def test_half_up_rounds_as_offices_do(number, text):
    assert str(half_up(number)) == text


def test_shown_writes_each_kind_with_what_belongs_to_it():
    figures = {
        "n": 163, "done": 37, "rate": 97.368421, "r": 114.4736, "r_low": 84.252, "r_high": 155.536,
        "minus": -1234, "none": None,
    }  # fmt: skip
    row = SheetRow("1", "村", 5, False, figures)

    def column(code, kind="count", parts=()):
        return SheetColumn(code, "", "", "", kind, list(parts))

    assert shown(row, column("minus")) == "−1,234"
    assert shown(row, column("rate", "rate", ("done", "n"))) == "97.37%（37/163）"
    assert shown(row, column("r", "ratio", ("n",))) == "114.47（n=163，95%区间84.25–155.54）"
    assert shown(row, column("none", "rate")) == "—"


def test_monthly_workbook_has_head_foot_merged_heads_and_numbers(small):
    page = opened(
        rendering.as_xlsx(sheet_of("population-monthly", small.township, "2018-09"), SIGNED)
    )
    assert page["A1"].value == "人口与出生情况月报（2018年9月）"
    assert page["A2"].value == "填报单位：禄脿街道"
    merged = {str(r) for r in page.merged_cells.ranges}
    assert {"A1:P1", "A3:A4", "B3:B4", "C3:H3", "K3:L3", "N3:P3"} <= merged
    assert [c.value for c in page[3]] == [
        "村（社区）", "期初", "本月出生", None, None, None, None, None, "其他增加", "死亡", "其他减少",
        None, "期末", "总人口账", None, None,
    ]  # fmt: skip
    assert [c.value for c in page[4]][2:8] == ["合计", "男", "女", "一孩", "二孩", "多孩"]
    assert [c.value for c in page[5]] == ["合计", 14, 2, 2, 0, 0, 1, 1, 1, 1, 3, 1, 13, 14, 0, 0]
    assert {c.data_type for c in page[5][1:]} == {"n"}
    foot = [c.value for c in page[9] if c.value]
    assert foot == ["填报人：罗晓梅", "负责人：", "日期：2018-10-09"]


def test_annual_workbook_never_shows_a_ratio_without_n_and_interval(small):
    page = opened(rendering.as_xlsx(sheet_of("population-annual", small.township, "2018"), SIGNED))
    headings = {c.value: c.column for row in page["A3:Z5"] for c in row if c.value}
    start = headings["出生人口性别比（女=100）"]
    assert [page.cell(5, start + n).value for n in range(4)] == [
        "比值",
        "n",
        "95%区间下限",
        "95%区间上限",
    ]
    assert [page.cell(6, start + n).value for n in range(2)] == [300, 4]
    assert page.cell(6, start).data_type == "n"
    assert page.cell(6, start + 2).value == pytest.approx(43.0, abs=0.1)
    # Girls are missing in the other village: nothing to divide by.
    assert [page.cell(8, start + n).value for n in range(4)] == ["—", 1, "—", "—"]
    assert {"B3:O3", "P3:AA3"} <= {str(r) for r in page.merged_cells.ranges}


def test_texts_that_look_like_formulas_stay_texts(small):
    sheet = sheet_of("population-monthly", small.township, "2018-09")
    rows = [replace(sheet.rows[0], name=name, is_total=False) for name in FORMULAS]
    page = opened(rendering.as_xlsx(replace(sheet, rows=rows, region_name="=1+1"), SIGNED))
    assert [page.cell(5 + n, 1).value for n in range(len(FORMULAS))] == FORMULAS
    people = [ListRow("539981001201", text, text, facts={"原因": text}) for text in FORMULAS]
    listed = opened(rendering.list_as_xlsx("=x", "@y", people, {}))
    assert [listed.cell(4 + n, 5).value for n in range(len(FORMULAS))] == FORMULAS
    for sheet_page in (page, listed):
        assert not [c for row in sheet_page.iter_rows() for c in row if c.data_type == "f"]


def test_word_file_has_a_table_for_each_section(small):
    content = rendering.as_docx(sheet_of("population-annual", small.township, "2018"), SIGNED)
    paper = docx.Document(io.BytesIO(content))
    people, births = paper.tables
    assert people.cell(0, 0).text == "村（社区）"
    assert people.cell(0, 1).text == people.cell(0, 4).text == "总人口"
    assert people.cell(2, 1).text == "13"
    assert births.rows[2].cells[-1].text.startswith("300.00（n=4，95%区间")
    text = "\n".join(p.text for p in paper.paragraphs)
    assert "填报单位：禄脿街道" in text
    assert "填报人：罗晓梅" in text


def test_json_file_has_region_period_and_figures_by_row(small):
    content = json.loads(
        rendering.as_json(sheet_of("population-monthly", small.township, "2018-09"), SIGNED)
    )
    assert content["region"] == {"code": "539981001", "name": "禄脿街道"}
    assert (content["from"], content["as_of"]) == ("2018-09-01", "2018-09-30")
    assert content["rows"][0]["total"] is True
    assert content["rows"][2]["figures"]["closing"] == 4


def test_file_leaves_out_a_villages_ratio_of_too_few_births(small):
    make_birth(small.widow, date(2018, 3, 3), sex="女", order=3)
    make_birth(small.widow, date(2018, 3, 4), sex="女", order=4)
    sheet = sheet_of("population-annual", small.township, "2018")
    assert sheet.rows[1].figures["births"] == 5
    leaving = sheets.for_file(sheet)
    township, first, second = (row.figures for row in leaving.rows)
    assert township["sex_ratio_at_birth"] == sheet.rows[0].figures["sex_ratio_at_birth"]
    assert first["sex_ratio_at_birth"] == sheet.rows[1].figures["sex_ratio_at_birth"]
    assert second["sex_ratio_at_birth"] == "样本量不足"
    assert second["sex_ratio_at_birth_low"] is None
    assert second["births_boys"] == 1
    assert "不足5人" in leaving.notes[0]
    page = opened(rendering.as_xlsx(leaving, SIGNED))
    assert "样本量不足" in [c.value for c in page[8]]
    whole = sheets.for_file(sheet_of("population-annual", small.township.parent, "2018"))
    assert all(r.figures["sex_ratio_at_birth"] != "样本量不足" for r in whole.rows)


def test_stored_content_reads_back_equal(small):
    sheet = sheet_of("population-annual", small.township, "2018")
    content = json.loads(json.dumps(sheets.to_json(sheet)))
    assert sheets.from_json(content) == sheet
    assert sheets.sha256_of(content) == sheets.sha256_of(sheets.to_json(sheet))


def test_list_of_a_figure_as_workbook_has_its_facts(small):
    span = Span(date(2018, 9, 1), date(2018, 9, 30))
    rows = group_of("deaths").people("deaths", small.township, span)
    page = opened(rendering.list_as_xlsx("死亡", "2018年9月", rows, {small.village.code: "庄科村"}))
    assert [c.value for c in page[3]] == [
        "序号", "村（社区）代码", "村（社区）", "户编号", "姓名", "性别", "出生日期", "死亡日期"
    ]  # fmt: skip
    assert [c.value for c in page[4]] == [
        1, small.village.code, "庄科村", "00002", "赵老", "男", "1940-01-01", "2018-09-10"
    ]  # fmt: skip
