"""The workbook of rolls (利益导向在册名册): every rule of the contract, by record."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fpadmin.accounts.permissions import ROLE_PERMISSIONS, Permission
from fpadmin.audit.models import AuditEvent
from fpadmin.imports.kinds import KINDS, Unreadable
from households.models import Resident
from subsidies.models import Enrolment, EnrolmentChange, Suspension
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.households import make_household, make_id_number, make_resident
from tests.factories.workbooks import make_workbook, run_import, workbook_of
from tests.subsidies.imports.books import ROLL, counts, found, line, look, odd, take

pytestmark = pytest.mark.django_db

START = date(2015, 1, 1)


@pytest.fixture
def couple(village, county):
    """A couple of 庄科村 who qualify for CN-RURAL, which the county has switched on."""
    switch_on("CN-RURAL", county)
    return make_old_couple(village)


@pytest.fixture
def head(couple):
    return couple[0]


def lines() -> list[tuple]:
    rows = Enrolment.objects.order_by("resident", "policy_code", "start_month")
    return list(rows.values_list("resident__name", "start_month", "end_month", "end_reason"))


# New lines ----------------------------------------------------------------------------------------


def test_lines_of_a_roll_come_in_as_they_stand(township, couple):
    head, wife = couple
    outcome = take(
        township,
        line(head, start_month="2010年1月", amount=960),
        line(wife, start_month="201001", exit_month="2012-12", exit_reason="迁出", amount="960.00"),
        line(wife, start_month=datetime(2014, 1, 1), amount=960.0),
    )
    assert (counts(outcome), odd(outcome)) == ((3, 0, 0, []), [])
    assert lines() == [
        ("陶有田", date(2010, 1, 1), None, ""),
        ("宋桂兰", date(2010, 1, 1), date(2012, 12, 1), "迁出"),
        ("宋桂兰", date(2014, 1, 1), None, ""),
    ]
    first = Enrolment.objects.earliest("pk")
    assert (first.grade, first.decision, first.version, first.row_version) == ("", {}, None, 0)


def test_same_file_again_changes_nothing(township, couple):
    head, wife = couple
    rows = [
        line(head, amount=960),
        line(wife, exit_month="2017-12", exit_reason="户口性质变更"),
        line(wife, start_month="2018-01"),
    ]
    assert take(township, *rows).created == 3
    before, events = lines(), AuditEvent.objects.exclude(type="import.committed").count()
    assert counts(take(township, *rows)) == (0, 0, 3, [])
    assert lines() == before
    assert AuditEvent.objects.exclude(type="import.committed").count() == events


def test_file_of_an_office_with_its_own_words(township, head):
    content = make_workbook(
        ["政策编码", "享受人", "身份证号", "起始月份", "终止年月", "退出原因", "标准", "备注"],
        [
            [
                "ＣＮ-RURAL",
                " 陶 有田 ",
                f"'{head.id_number}",
                "２０１５年１月",
                "",
                "",
                "９６０",
                "甲",
            ],
            ["合计", "", "", "", "", "", 960, ""],
        ],
        above=[["2018年奖励扶助名册"], []],
    )
    outcome = run_import(ROLL, content, township)
    assert (outcome.rows, outcome.created, found(outcome)) == (1, 1, [])
    assert odd(outcome) == [(3, "备注", "unknown_column")]


@pytest.mark.parametrize(
    ("month", "first"),
    [
        (datetime(2015, 3, 1), date(2015, 3, 1)),
        ("2015-03", date(2015, 3, 1)),
        ("2015-3", date(2015, 3, 1)),
        ("2015年3月", date(2015, 3, 1)),
        ("2015年03月", date(2015, 3, 1)),
        (201503, date(2015, 3, 1)),
        ("２０１５年３月", date(2015, 3, 1)),
        ("2015.10", date(2015, 10, 1)),
        ("2015年3月8日", date(2015, 3, 1)),
        ("20150308", date(2015, 3, 1)),
        (42064, date(2015, 3, 1)),
        ("2018-10", date(2018, 10, 1)),
    ],
)
def test_months_in_every_writing(township, head, month, first):
    assert found(take(township, line(head, start_month=month))) == []
    assert Enrolment.objects.get().start_month == first


def test_number_of_fifteen_digits_finds_its_person(township, village):
    person = make_resident(make_household(village), birth_date=date(1950, 3, 4))
    old = person.id_number[:6] + person.id_number[8:17]
    assert counts(take(township, line(person, idno=old))) == (1, 0, 0, [])


def test_long_name_with_another_dot_is_the_same(township, village):
    person = make_resident(make_household(village), "阿依·买买提", birth_date=date(1950, 3, 4))
    assert found(look(township, line(person, name="阿依•买买提"))) == []
    assert found(look(township, line(person, name="阿依买买提"))) == [(2, "姓名", "name_differs")]


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"policy_code": ""}, "政策代码", "required"),
        ({"policy_code": "清空"}, "政策代码", "required"),
        ({"policy_code": "奖励扶助"}, "政策代码", "code"),
        ({"policy_code": "CN-RURL"}, "政策代码", "unknown_policy"),
        ({"policy_code": "cn-rural"}, "政策代码", "unknown_policy"),
        ({"name": ""}, "姓名", "required"),
        ({"name": "陶有"}, "姓名", "name_differs"),
        ({"idno": ""}, "公民身份号码", "required"),
        ({"idno": "539981195003040011"}, "公民身份号码", "idno_check"),
        ({"idno": 539981195003040010}, "公民身份号码", "digits_lost"),
        ({"start_month": ""}, "起始年月", "required"),
        ({"start_month": "2018-13"}, "起始年月", "month"),
        ({"start_month": "今年"}, "起始年月", "month"),
        ({"start_month": 2015.1}, "起始年月", "month"),
        ({"start_month": "2018-11"}, "起始年月", "date_future"),
        ({"exit_month": "2017-12"}, "退出原因", "required"),
        ({"exit_reason": "死亡"}, "退出年月", "required"),
        ({"exit_month": "2014-12", "exit_reason": "其他"}, "退出年月", "exit_before_start"),
        ({"exit_month": "2017", "exit_reason": "其他"}, "退出年月", "month"),
        ({"exit_month": "2017-12", "exit_reason": "去世"}, "退出原因", "choice"),
        ({"amount": "九百六"}, "月标准或年标准", "money"),
        ({"amount": -960}, "月标准或年标准", "money"),
    ],
)
def test_impossible_record_is_refused_where_excel_shows_it(
    township, couple, head, cells, column, code
):
    outcome = take(township, line(couple[1]), line(head) | cells)
    assert found(outcome) == [(3, column, code)]
    assert not outcome.written
    assert Enrolment.objects.count() == 0


def test_unknown_policy_names_those_that_are_near(township, head):
    (issue,) = look(township, line(head, policy_code="cn-specialdeth")).errors
    assert "CN-SPECIAL-DEATH（" in issue.message
    (issue,) = look(township, line(head, policy_code="9")).errors
    assert "政策页" in issue.message


def test_people_come_before_their_lines(township, village, far_village):
    number = make_id_number(date(1950, 1, 1))
    outcome = look(township, {"policy_code": "CN-RURAL", "name": "某人", "idno": number,
                              "start_month": "2015-01"})  # fmt: skip
    assert found(outcome) == [(2, "公民身份号码", "resident_missing")]
    assert "请先导入居民登记表" in outcome.errors[0].message
    assert number not in outcome.errors[0].message + outcome.errors[0].value
    away = make_resident(make_household(far_village), "远人")
    (issue,) = look(township, line(away, name="近人")).errors
    assert issue.code == "outside_office"
    assert "远人" not in issue.message


def test_wrong_name_says_whose_the_number_is(township, head):
    (issue,) = look(township, line(head, name="别人")).errors
    assert "“陶有田”" in issue.message


def test_both_rows_of_a_duplicate_are_refused_and_other_rows_come_in(township, couple):
    head, wife = couple
    outcome = take(
        township, line(head), line(wife), line(head, start_month="2015年1月"), good_rows=True
    )
    assert found(outcome) == [(r, "起始年月", "duplicate_in_file") for r in (2, 4)]
    assert (outcome.created, outcome.refused) == (1, 2)


def test_row_with_a_fault_of_its_own_makes_no_error_elsewhere(township, head):
    outcome = take(
        township, line(head, exit_reason="死亡"), line(head, start_month="2016-01"), good_rows=True
    )
    assert found(outcome) == [(2, "退出年月", "required")]
    assert outcome.created == 1


# Overlaps -----------------------------------------------------------------------------------------


def test_lines_of_one_person_on_one_roll_do_not_overlap(township, couple):
    head, wife = couple
    ended = {"exit_month": "2015-12", "exit_reason": "迁出"}
    outcome = take(
        township,
        line(head, **ended),
        line(head, start_month="2015-12"),
        line(wife, **ended),
        line(wife, start_month="2016-01"),
        line(head, policy_code="CN-SPECIAL-DEATH"),
    )
    assert found(outcome) == [(r, "起始年月", "line_overlap") for r in (2, 3)]
    assert "第3行（2015-12至今）" in outcome.errors[0].message


def test_new_line_does_not_overlap_a_registered_one(township, head):
    make_enrolment(head, start=START)
    outcome = take(township, line(head), line(head, start_month="2010-01"))
    assert found(outcome) == [(3, "起始年月", "line_overlap")]
    assert "第2行" in outcome.errors[0].message
    outcome = take(township, line(head, start_month="2010-01"))
    assert found(outcome) == [(2, "起始年月", "line_overlap")]
    assert "已登记的一条（2015-01至今）" in outcome.errors[0].message


def test_every_line_inside_a_long_one_is_refused(township, head):
    inside = [
        line(head, start_month=f"{year}-01", exit_month=f"{year}-12", exit_reason="其他")
        for year in (2012, 2014)
    ]
    outcome = take(township, line(head, start_month="2010-01"), *inside)
    assert found(outcome) == [(r, "起始年月", "line_overlap") for r in (2, 3, 4)]


def test_line_that_was_never_paid_leaves_room(township, head):
    make_enrolment(head, start=START, end_month=date(2014, 12, 1), end_reason="其他")
    assert counts(take(township, line(head), line(head, start_month="2015-06"))) == (1, 0, 1, [])


def test_one_file_ends_a_line_and_begins_the_next(township, head):
    make_enrolment(head, start=START)
    outcome = take(
        township,
        line(head, start_month="2018-01"),
        line(head, exit_month="2016-12", exit_reason="户口性质变更"),
    )
    assert counts(outcome) == (1, 1, 0, [])
    assert lines() == [
        ("陶有田", START, date(2016, 12, 1), "户口性质变更"),
        ("陶有田", date(2018, 1, 1), None, ""),
    ]


def test_one_file_moves_the_open_end_from_one_line_to_another(township, head):
    """The later one ends before the earlier one opens, whatever their order in the file."""
    make_enrolment(head, start=START, end_month=date(2015, 12, 1), end_reason="迁出")
    make_enrolment(head, start=date(2010, 1, 1))
    Enrolment.objects.filter(start_month=date(2010, 1, 1)).update(
        end_month=date(2014, 12, 1), end_reason="迁出"
    )
    outcome = take(
        township,
        line(head, exit_month="清空", exit_reason="清空"),
        line(head, start_month="2010-01"),
    )
    assert counts(outcome) == (0, 1, 1, [])
    outcome = take(
        township,
        line(head, start_month="2010-01", exit_month="2013-12", exit_reason="迁出"),
        line(head, exit_month="2018-12", exit_reason="死亡"),
    )
    assert counts(outcome) == (0, 2, 0, [])


# Corrections --------------------------------------------------------------------------------------


def test_changed_exit_is_a_correction_on_record(township, village, head):
    make_enrolment(head, start=START, end_month=date(2017, 12, 1), end_reason="死亡")
    row = line(head, exit_month="2018-06", exit_reason="迁出")
    (month, reason) = look(township, row).changes
    assert (month.heading, month.old, month.new) == ("退出年月", "2017-12", "2018-06")
    assert (reason.target, reason.place) == (
        "陶有田 农村部分计划生育家庭奖励扶助", "庄科村"
    )  # fmt: skip
    assert counts(take(township, row)) == (0, 1, 0, [])
    assert lines() == [("陶有田", START, date(2018, 6, 1), "迁出")]
    stored = Enrolment.objects.get()
    assert stored.row_version == 1
    event = AuditEvent.objects.get(type="enrolment.imported")
    assert (event.target_id, event.region_path) == (str(stored.pk), village.path)
    assert event.changes == {"fields": ["end_month", "end_reason"]}


def test_empty_cell_keeps_and_the_word_clears_both(township, head):
    make_enrolment(head, start=START, end_month=date(2017, 12, 1), end_reason="死亡")
    assert counts(take(township, line(head))) == (0, 0, 1, [])
    assert counts(take(township, line(head, exit_month="2018-12"))) == (0, 1, 0, [])
    assert lines() == [("陶有田", START, date(2018, 12, 1), "死亡")]
    assert found(take(township, line(head, exit_month="清空"))) == [(2, "退出年月", "required")]
    assert counts(take(township, line(head, exit_month="清空", exit_reason="清空"))) == (
        0,
        1,
        0,
        [],
    )
    assert lines() == [("陶有田", START, None, "")]


def test_correction_lifts_no_suspension_and_decides_no_proposal(township, head, clerk):
    enrolment = make_enrolment(head, start=START)
    Suspension.objects.create(enrolment=enrolment, from_month=date(2018, 3, 1), reason="账号核对")
    EnrolmentChange.objects.create(
        enrolment=enrolment, kind="resume", month=date(2018, 9, 1), note="已核对",
        proposed_by=clerk, proposed_at=enrolment.created_at,
    )  # fmt: skip
    ended = line(head, exit_month="2018-06", exit_reason="迁出")
    assert counts(take(township, ended)) == (0, 1, 0, [])
    reopened = line(head, exit_month="清空", exit_reason="清空")
    assert counts(take(township, reopened)) == (0, 1, 0, [])
    suspension = Suspension.objects.get()
    assert (suspension.from_month, suspension.until_month) == (date(2018, 3, 1), None)
    assert EnrolmentChange.objects.get().decision == ""


def test_somebody_who_saved_meanwhile_is_not_overwritten(township, head, monkeypatch):
    make_enrolment(head, start=START)
    kind = KINDS[ROLL]

    def plan(table, ground):
        made = kind.plan(table, ground)
        Enrolment.objects.update(row_version=7)
        return made

    monkeypatch.setitem(KINDS, ROLL, replace(kind, plan=plan))
    with pytest.raises(Unreadable, match="改动"):
        take(township, line(head, exit_month="2018-06", exit_reason="迁出"))
    assert lines() == [("陶有田", START, None, "")]


# Many rows, and who may ---------------------------------------------------------------------------


def test_more_rows_cost_no_more_queries(township, village, county):
    switch_on("CN-RURAL", county)
    people = [one for _ in range(10) for one in make_old_couple(village)]
    with CaptureQueriesContext(connection) as few:
        take(township, *(line(one, amount=1) for one in people[:2]))
    with CaptureQueriesContext(connection) as many:
        take(township, *(line(one, amount=1) for one in people[2:]))
    assert len(many) <= len(few)
    assert Enrolment.objects.count() == 20


def test_only_those_who_may_know_of_every_roll_import_it():
    """The preview names people beside policies that tell of a child's death."""
    permission = KINDS[ROLL].permission
    importers = [
        role for role, own in ROLE_PERMISSIONS.items() if {permission, Permission.IMPORT} <= own
    ]
    assert importers == ["clerk"]
    assert all(Permission.SPECIAL_LIST in ROLE_PERMISSIONS[role] for role in importers)


def test_template_names_the_columns_of_the_contract():
    assert [c.heading for c in KINDS[ROLL].columns] == [
        "政策代码", "姓名", "公民身份号码", "起始年月", "退出年月", "退出原因", "月标准或年标准",
    ]  # fmt: skip
    required = {c.key for c in KINDS[ROLL].columns if c.required}
    assert required == {"policy_code", "name", "idno", "start_month"}


def test_sample_of_the_template_could_come_in(township, village):
    sample = KINDS[ROLL].sample
    make_resident(
        make_household(village), "示例", id_number=sample["idno"], birth_date=date(1950, 1, 1),
        death_date=date(2017, 5, 1),
    )  # fmt: skip
    outcome = run_import(ROLL, workbook_of(ROLL, [sample]), township)
    assert (counts(outcome), [i.code for i in outcome.warnings]) == ((1, 0, 0, []), ["policy_off"])
    assert Resident.objects.get().enrolments.count() == 1
