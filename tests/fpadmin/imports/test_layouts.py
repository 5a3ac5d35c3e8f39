"""Another department's headings: learnt once, recognised again, nothing personal kept."""

import json
import re
from datetime import date

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.imports import outline, runs, services
from fpadmin.imports.kinds import KINDS
from fpadmin.imports.layouts import Layout, fingerprint, whole_headings
from fpadmin.imports.models import HeadingLayout, ImportBatch
from fpadmin.imports.reader import locate, read_table
from households.models import Resident
from tests.factories.accounts import make_region, make_user
from tests.factories.households import make_id_number

from .conftest import TODAY, VILLAGE, Context
from .files import workbook, xls

pytestmark = pytest.mark.django_db
State = ImportBatch.State
POLICE = [
    "人员编号",
    "姓名",
    "公民身份证件号",
    "性别代码",
    "户籍户号",
    "与户主称谓",
    "婚姻代码",
    "民族名称",
]
FIXED = {"village_code": VILLAGE, "hukou": "农业", "residence": "常住"}


def police_rows(count=4) -> list[list]:
    return [
        [
            f"P{n}", f"赵{'甲乙丙丁戊己'[n]}", make_id_number(date(1980 + n, 5, 1)), "1", f"0000{n}",
            "本人", "10", "汉族",
        ]
        for n in range(count)
    ]  # fmt: skip


def police(rows=None, above=()) -> bytes:
    return workbook([POLICE, *(rows or police_rows())], above=above)


@pytest.fixture
def client(sign_in, clerk):
    return sign_in(clerk)


@pytest.fixture
def mapped(checked, client, village):
    """mapped(content) → (batch, answer) after the guesses were saved with the fixed values."""

    def put(content, **changed):
        batch = checked(content)
        page = client.get(reverse("imports:batch-columns", args=[batch.pk]))
        form = page.context["form"]
        data = {name: form[name].initial or "" for name in form.fields}
        data |= {"name": "公安导出", "at": "0"} | {f"f_{k}": v for k, v in FIXED.items()} | changed
        answer = client.post(reverse("imports:batch-columns", args=[batch.pk]), data)
        return batch, answer

    return put


def checked_again(batch, by) -> ImportBatch:
    batch.refresh_from_db()
    runs.check(Context(by, batch=batch))
    batch.refresh_from_db()
    return batch


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_unknown_headings_are_offered_with_guesses_and_masked_samples(checked, client, village):
    rows = police_rows()
    batch = checked(police(rows, above=[["某派出所人员名册"], []]))
    assert (batch.state, batch.failure_code) == (State.UNREADABLE, "wrong_template")
    assert "说明各列对应什么" in text(client.get(batch.get_absolute_url()))
    page = client.get(reverse("imports:batch-columns", args=[batch.pk]))
    form = page.context["form"]
    assert len(page.context["candidates"]) == 1  # a person's row is no heading
    fixed = {field.name for field in form.fixed_fields()}
    assert "f_village_code" in fixed
    assert "f_sex" not in fixed
    guessed = {form.fields[f"c{n}"].label: form[f"c{n}"].initial for n in range(len(POLICE))}
    assert guessed == {
        "人员编号": "", "姓名": "name", "公民身份证件号": "idno", "性别代码": "sex",
        "户籍户号": "household_no", "与户主称谓": "relation", "婚姻代码": "marital",
        "民族名称": "ethnicity",
    }  # fmt: skip
    shown = text(page)
    assert rows[0][2] not in shown
    assert f"{rows[0][2][:6]}********{rows[0][2][-4:]}" in shown
    assert "赵甲" not in shown
    words = {row.heading.name: [f.initial for f in row.fields] for row in form.words_rows()}
    assert words == {"性别代码": ["男"], "与户主称谓": ["户主"], "婚姻代码": ["未婚"]}


def test_a_saved_mapping_is_previewed_written_and_recognised_again(mapped, checked, clerk, client):
    batch, answer = mapped(police())
    assert answer.status_code == 302, answer.context["form"].errors
    batch = checked_again(batch, clerk)
    assert (batch.state, batch.created, batch.refused) == (State.CHECKED, 4, 0)
    assert "按“公安导出”的列对应读取" in text(client.get(batch.get_absolute_url()))
    services.confirm(batch=batch, good_rows=False, by=clerk)
    runs.commit(Context(clerk, batch=batch))
    person = Resident.objects.get(name="赵甲")
    assert (person.sex, person.relation, person.marital, person.ethnicity, person.hukou) == (
        "男", "户主", "未婚", "汉", "农业",
    )  # fmt: skip
    shuffled = [[row[i] for i in (3, 0, 1, 2, 4, 5, 6, 7)] for row in [POLICE, *police_rows(6)[4:]]]
    again = checked(workbook(shuffled), "下月.xlsx")
    assert (again.state, again.created, again.layout.name) == (State.CHECKED, 2, "公安导出")


def test_the_layout_holds_no_personal_data_and_is_recorded(mapped, clerk):
    rows = police_rows()
    batch, _ = mapped(police(rows))
    layout = HeadingLayout.objects.get()
    kept = json.dumps([layout.columns, layout.fixed, layout.words], ensure_ascii=False)
    assert not any(row[1] in kept or row[2] in kept or row[4] in kept for row in rows)
    assert layout.words == {
        "sex": {"1": "男"}, "relation": {"本人": "户主"}, "marital": {"10": "未婚"},
    }  # fmt: skip
    event = AuditEvent.objects.get(type="import.layout-learnt")
    assert (event.actor_id, event.region_path) == (clerk.pk, batch.office.path)
    with pytest.raises(RuleViolation, match="不是列名"):
        services.learn_layout(
            batch=batch, fingerprint="x", name="错行", by=clerk,
            layout=Layout({"539981198005010012": "idno"}),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": ""}, "请给这种表起个名称"),
        ({"f_village_code": ""}, "还缺必填列：村居代码"),
        ({"f_village_code": "村 一"}, "代码只能由数字、字母和短横组成"),
        ({"c0": "name"}, "“姓名”已对应别的列"),
        ({"f_ethnicity": "彝"}, "文件里已有这一列"),
    ],
)
def test_a_mapping_that_cannot_be_read_by_says_why(mapped, changed, says):
    _, answer = mapped(police(), **changed)
    assert answer.status_code == 200
    assert says in text(answer)
    assert HeadingLayout.objects.count() == 0


def test_words_of_a_column_chosen_just_now_are_asked_for(checked, client, village):
    rows = [[*row[:3], "1", *row[4:], "农村户口"] for row in police_rows()]
    batch = checked(workbook([[*POLICE, "类别"], *rows]))
    address = reverse("imports:batch-columns", args=[batch.pk])
    form = client.get(address).context["form"]
    data = {name: form[name].initial or "" for name in form.fields} | {
        "name": "公安", "c8": "hukou", "f_village_code": VILLAGE, "f_residence": "常住",
    }  # fmt: skip
    answer = client.post(address, data)
    assert "有些写法系统不认识" in text(answer)
    assert "类别“农村户口”" in text(answer)
    form = answer.context["form"]
    name = next(n for n in form.fields if n.startswith("w8_"))
    assert client.post(address, data | {name: "农业"}).status_code == 302
    assert HeadingLayout.objects.get().words["hukou"] == {"农村户口": "农业"}


def test_changing_a_layout_retires_the_old_and_forgetting_ends_it(mapped, checked, clerk, client):
    batch, _ = mapped(police())
    batch = checked_again(batch, clerk)
    first = batch.layout
    page = client.get(reverse("imports:batch-columns", args=[batch.pk]))
    form = page.context["form"]
    assert form["name"].initial == "公安导出"
    assert form["f_hukou"].initial == "农业"
    data = {name: form[name].initial or "" for name in form.fields} | {"f_hukou": "非农业"}
    assert client.post(reverse("imports:batch-columns", args=[batch.pk]), data).status_code == 302
    first.refresh_from_db()
    assert first.retired_at
    batch = checked_again(batch, clerk)
    assert batch.layout.fixed["hukou"] == "非农业"
    forget = reverse("imports:batch-forget", args=[batch.pk])
    assert "不再使用" in text(client.get(forget))
    client.post(forget)
    batch = checked_again(batch, clerk)
    assert batch.state == State.UNREADABLE
    assert checked(police(police_rows(2)), "又.xlsx").state == State.UNREADABLE
    assert AuditEvent.objects.filter(type="import.layout-forgotten").count() == 1


def test_a_layout_belongs_to_its_office_and_kind(mapped, checked, village):
    mapped(police())
    make_region("539981100201")
    elsewhere = make_user("clerk", make_region("539981100"))
    assert checked(police(police_rows(2)), by=elsewhere).state == State.UNREADABLE


def test_learning_through_a_failing_event_keeps_nothing(checked, clerk, village, monkeypatch):
    batch = checked(police())

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(services.log, "record", fail)
    with pytest.raises(RuntimeError):
        services.learn_layout(
            batch=batch, fingerprint="x", name="n", by=clerk, layout=Layout({"姓名": "name"})
        )
    batch.refresh_from_db()
    assert (HeadingLayout.objects.count(), batch.state) == (0, State.UNREADABLE)


def test_the_returned_file_finds_the_learnt_headings(mapped, clerk):
    rows = police_rows()
    rows[1][2] = "539981198005010010"
    batch, _ = mapped(police(rows))
    batch = checked_again(batch, clerk)
    assert (batch.refused, batch.issues.get(severity="error").cell) == (1, "C3")
    name, content = services.returned_file(batch=batch, only_wrong=True, by=clerk)
    assert content[:2] == b"PK"


# Headings ----------------------------------------------------------------------------------------


def test_merged_headings_take_the_name_above_and_its_group():
    above = ["姓名", "户籍地", "", "现居地", ""]
    row = ["", "省", "县", "省", "县"]
    assert whole_headings(above, row) == ["姓名", "户籍地省", "户籍地县", "现居地省", "现居地县"]
    assert whole_headings(["某某表", "", ""], ["", "甲", "甲"]) == ["", "甲", "甲(2)"]


def test_old_xls_with_merged_headings_is_read_by_its_layout():
    rows = [
        ["人口信息表", "", "", ""],
        ["姓名", "证件", "", "家庭"],
        ["", "种类", "号码", "户号"],
        ["赵甲", "身份证", "539981198001010012", "00001"],
    ]
    names = ["姓名", "种类", "号码", "户号"]
    layout = Layout(
        {"姓名": "name", "号码": "idno", "户号": "household_no"},
        FIXED | {"relation": "户主", "marital": "未婚"},
    )
    layouts = {fingerprint(names): layout}
    content = xls(rows)
    table = read_table(KINDS["residents"], content, "旧.xls", TODAY, layouts=layouts)
    assert table.issues == []
    assert table.columns["name"] == ["赵甲"]
    assert table.columns["hukou"] == ["农业"]
    assert (table.heading_row, table.excel_rows) == (3, [4])
    assert locate(KINDS["residents"], content, "旧.xls", layouts)[1] == 3


def test_a_required_heading_merged_with_the_row_above_is_found():
    content = workbook(
        [
            ["区划代码", "名称", "级别", "上级"],
            ["", "", "", "上级代码"],
            ["539981001201", "庄科村", "村", "539981001"],
        ]
    )
    table = read_table(KINDS["regions"], content, "区划.xlsx", TODAY)
    assert table.columns["parent_code"] == ["539981001"] or table.heading_row == 1


def test_samples_show_words_that_repeat_and_hide_what_may_be_a_person():
    rows = [[f"李{n}四", "在册", "13800001111", "19800501"] for n in range(5)]
    content = workbook([["姓名", "状态", "电话", "生日"], *rows])
    (candidate, *_) = outline.outline(KINDS["residents"], content, "a.xlsx", TODAY)
    samples = {h.name: h.samples for h in candidate.headings}
    assert samples["状态"] == ["在册"]
    assert samples["姓名"][0] == "李**"
    assert samples["电话"] == ["138000*1111"]
    assert samples["生日"] == ["1980****"]
    assert outline.unpacked(outline.packed([candidate])) == [candidate]
