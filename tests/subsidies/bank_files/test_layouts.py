"""Layouts: every field, order, headings, totals, encodings; what is refused; typed cells."""

import hashlib
import io
from dataclasses import replace
from decimal import Decimal

import openpyxl
import pytest
from django.db import IntegrityError, transaction

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import EditConflict, RuleViolation
from subsidies.bank_files import writing
from subsidies.bank_files.layout_list import choices_for
from subsidies.bank_files.layouts import (
    CONSTANT,
    FIELDS,
    NEUTRAL,
    REMARKS,
    SHIPPED,
    Column,
    Layout,
    fault_of,
    remark_of,
)
from subsidies.models import BankLayout
from subsidies.policies import catalogue
from subsidies.services import bank_layouts

pytestmark = pytest.mark.django_db
XLSX, TEXT = SHIPPED["xlsx"], SHIPPED["text"]
DANGEROUS = [
    "=1+1", "+1+1", "-2+3", "@SUM(A1)", "＝1+1", "_x0041_", "<b>&amp;</b>", "=HYPERLINK(\"x\")",
]  # fmt: skip


def of(*fields, **values) -> Layout:
    columns = tuple(Column(key, FIELDS[key].label, "代发" * (key == CONSTANT)) for key in fields)
    return replace(TEXT, columns=columns, **values)


def sheet_of(content: bytes):
    return openpyxl.load_workbook(io.BytesIO(content)).active


def test_shipped_layouts_are_sound():
    assert [fault_of(layout) for layout in SHIPPED.values()] == [None] * len(SHIPPED)
    assert [c.heading for c in XLSX.columns] == ["批次号", "序号", "户名", "账号", "金额"]


def test_text_has_each_field_in_the_order_asked_for(approved, content):
    batch = approved("陶有田")
    line = batch.lines.get()
    layout = of(*FIELDS, separator="|")
    (row,) = content(batch, layout).decode("gbk").splitlines()
    assert row.split("|") == [
        batch.number, "1", "陶有田", line.account, "960.00", "96000", "农村信用社", "庄科村",
        line.household_no, "奖励扶助", "20181009", "代发",
    ]  # fmt: skip
    back = of(*reversed(FIELDS), separator="|")
    assert content(batch, back).decode("gbk").strip().split("|") == row.split("|")[::-1]


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8"])
def test_text_is_in_its_encoding_with_windows_line_ends(approved, content, encoding):
    batch = approved("陶有田", "宋桂兰")
    layout = of("name", "account", "amount", encoding=encoding, has_heading=True)
    raw = content(batch, layout)
    assert raw.endswith("|960.00\r\n".encode(encoding))
    assert raw.decode(encoding).split("\r\n")[:2] == [
        "户名|账号|金额（元）", f"陶有田|{batch.lines.get(line_no=1).account}|960.00",
    ]  # fmt: skip


def test_rare_name_is_written_in_gb18030(approved, content):
    batch = approved("𠮷兰")
    raw = content(batch, of("name", "account", "fen", encoding="gb18030"))
    assert raw.decode("gb18030").startswith("𠮷兰|")
    with pytest.raises(RuleViolation, match="第1行"):
        content(batch, of("name", "account", "fen"))


def test_separator_inside_a_name_is_refused_in_text_and_kept_in_excel(approved, content):
    batch = approved("陶|田")
    with pytest.raises(RuleViolation, match="第1行.*分隔符"):
        content(batch, TEXT)
    assert sheet_of(content(batch, XLSX))["C2"].value == "陶|田"


def test_many_lines_that_cannot_be_written_are_named_up_to_ten(approved, content):
    batch = approved(*(f"𠮷{at}" for at in range(12)))
    with pytest.raises(RuleViolation, match="第1、2、3、4、5、6、7、8、9、10等12行"):
        content(batch, TEXT)


@pytest.mark.parametrize("key", ["amount", "fen"])
def test_totals_close_the_file(approved, content, key):
    batch = approved("陶有田", "宋桂兰")
    layout = of("line_no", "name", "account", key, has_totals=True)
    last = content(batch, layout).decode("gbk").splitlines()[-1]
    assert last == f"2|合计||{ {'amount': '1920.00', 'fen': '192000'}[key] }"


def test_excel_has_typed_cells_and_no_formula(approved, content):
    batch = approved(*DANGEROUS)
    sheet = sheet_of(content(batch, replace(XLSX, has_totals=True)))
    names = [sheet.cell(row, 3) for row in range(2, 2 + len(DANGEROUS))]
    assert {cell.data_type for cell in names} == {"s"}
    assert {openpyxl.utils.escape.unescape(cell.value) for cell in names} == set(DANGEROUS)
    account, amount = sheet["D2"], sheet["E2"]
    assert (account.data_type, account.number_format) == ("s", "@")
    assert (amount.value, amount.data_type, amount.number_format) == (960, "n", "0.00")
    assert account.value == batch.lines.get(line_no=1).account
    assert sheet["E10"].value == 960 * len(DANGEROUS)
    assert sheet.dimensions == "A1:E10"


def test_excel_without_heading_begins_with_the_first_line(approved, content):
    batch = approved("陶有田")
    sheet = sheet_of(content(batch, replace(XLSX, has_heading=False)))
    assert [cell.value for cell in sheet[1]][1:3] == [1, "陶有田"]


def test_bytes_do_not_change_with_time_machine_or_database():
    """Where this digest has to change, files that were sealed before can't be made again."""
    words = writing.Words("20181009", "奖励扶助", {})
    lines = [
        writing.Line(1, "陶有田", "6229000012345678", Decimal("960.00"), "", "庄科村", "1"),
        writing.Line(2, "=1+1", "6229000012345679", Decimal("480.5"), "", "庄科村", "2"),
    ]
    target = io.BytesIO()
    layout = replace(XLSX, has_totals=True)
    writing.write(target, layout, words, "539981001-2018-001", iter(lines), 2)
    digest = "e621166809c4345f7becc1e3f79dcbaa5e24a7c01e27b645691faf024f24423a"
    assert hashlib.sha256(target.getvalue()).hexdigest() == digest


def test_remark_never_names_a_loss():
    for code in catalogue.sensitive_codes():
        assert code not in REMARKS
        assert remark_of(catalogue.policy(code)) == NEUTRAL
    assert remark_of(catalogue.policy("CN-RURAL")) == "奖励扶助"


def test_file_of_a_sensitive_policy_says_nothing_of_it(approved, content):
    batch = approved("陶有田", code="CN-SPECIAL-DEATH")
    text = content(batch, TEXT).decode("gbk")
    assert text.endswith("|惠民补贴\r\n")
    assert "特别扶助" not in text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"columns": XLSX.columns[:3]}, "还缺账号、金额"),
        ({"columns": (*XLSX.columns, Column("name", "又一个"))}, "已经有一列"),
        ({"columns": (*XLSX.columns, Column(CONSTANT, "常数"))}, "每行要写的文字"),
        ({"columns": (*XLSX.columns, Column("id_number", "身份证号"))}, "没有这个项目"),
        ({"columns": (*XLSX.columns, Column("bank", ""))}, "都要有列名"),
        ({"format": "text", "separator": ""}, "分隔符"),
        ({"format": "text", "columns": (*XLSX.columns, Column("bank", "开|户"))}, "分隔符"),
        ({"format": "text", "columns": (*XLSX.columns, Column("bank", "𠮷"))}, "GB18030"),
        ({"columns": XLSX.columns + (Column(CONSTANT, "甲", "乙"),) * 8}, "最多12列"),
    ],
)
def test_layout_that_no_bank_could_read_is_refused(clerk, township, changed, words):
    with pytest.raises(RuleViolation, match=words):
        bank_layouts.add_layout(by=clerk, region=township, layout=replace(XLSX, **changed))
    assert not BankLayout.objects.exists()


def test_layout_is_added_and_changed_on_the_record(clerk, township):
    row = bank_layouts.add_layout(by=clerk, region=township, layout=XLSX)
    assert Layout.of_row(row) == XLSX
    changed = replace(XLSX, has_totals=True)
    bank_layouts.edit_layout(by=clerk, row=row, row_version=0, layout=changed, is_active=True)
    row.refresh_from_db()
    assert (Layout.of_row(row), row.row_version) == (changed, 1)
    assert AuditEvent.objects.filter(type="bank-layout.added", actor_id=clerk.pk).count() == 1
    assert AuditEvent.objects.get(type="bank-layout.changed").changes == {
        "has_totals": [False, True]
    }
    with pytest.raises(EditConflict):
        bank_layouts.edit_layout(by=clerk, row=row, row_version=0, layout=XLSX, is_active=True)


def test_layout_rolls_back_when_the_event_fails(clerk, township, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(bank_layouts.log, "record", refuse)
    with pytest.raises(RuntimeError), transaction.atomic():
        bank_layouts.add_layout(by=clerk, region=township, layout=XLSX)
    assert not BankLayout.objects.exists()


def test_two_layouts_of_a_place_have_two_names(clerk, township, county):
    row = bank_layouts.add_layout(by=clerk, region=township, layout=XLSX)
    with pytest.raises(RuleViolation, match="同名"):
        bank_layouts.add_layout(by=clerk, region=township, layout=XLSX)
    with pytest.raises(IntegrityError), transaction.atomic():
        BankLayout.objects.create(region=township, name=row.name)
    BankLayout.objects.create(region=county, name=row.name)


def test_nobody_sets_a_layout_above_their_place_or_without_the_right(
    clerk, reviewer, county_user, county, township, other_township
):
    for by, region in (
        (clerk, county), (clerk, other_township), (reviewer, township),
    ):  # fmt: skip
        with pytest.raises(RuleViolation, match="不能设定"):
            bank_layouts.add_layout(by=by, region=region, layout=XLSX)
    bank_layouts.add_layout(by=county_user, region=township, layout=XLSX)


def test_office_chooses_from_its_own_and_the_countys_or_the_shipped(
    clerk, county_user, county, township, other_township
):
    assert list(choices_for(township).values()) == list(SHIPPED.values())
    bank_layouts.add_layout(by=county_user, region=county, layout=replace(XLSX, name="县"))
    own = bank_layouts.add_layout(by=clerk, region=township, layout=replace(XLSX, name="街道"))
    off = bank_layouts.add_layout(by=clerk, region=township, layout=TEXT, is_active=False)
    assert [one.name for one in choices_for(township).values()] == ["街道", "县"]
    assert [one.name for one in choices_for(other_township).values()] == ["县"]
    assert own.pk != off.pk
