"""The command `eligibility`: who qualifies and why, as JSON, also for what it refuses."""

import json
from datetime import date

import pytest
from django.core.management import call_command

from fpadmin.audit.models import AuditEvent
from tests.factories.benefits import make_old_couple
from tests.factories.households import make_birth, make_household, make_resident

pytestmark = pytest.mark.django_db


def answer(capsys, *arguments):
    code = 0
    try:
        call_command("eligibility", *arguments)
    except SystemExit as stop:
        code = stop.code
    return code, json.loads(capsys.readouterr().out)


def asked(*more, policy="CN-RURAL", day="2018-12-31"):
    return ("--policy", policy, "--as-of", day, *more)


def test_lists_who_qualifies_of_a_policy_that_is_off_in_order(village, other_village, capsys):
    make_old_couple(other_village, "00002")
    make_old_couple(village, "00001")
    code, found = answer(capsys, *asked("--region", "539981001", "--json"))
    assert code == 0
    assert found == [
        {"village_code": village.code, "household_no": "00001", "name": "宋桂兰"},
        {"village_code": village.code, "household_no": "00001", "name": "陶有田"},
        {"village_code": other_village.code, "household_no": "00002", "name": "宋桂兰"},
        {"village_code": other_village.code, "household_no": "00002", "name": "陶有田"},
    ]
    event = AuditEvent.objects.get(type="eligibility.listed")
    assert event.count == 4
    assert "RURAL" not in json.dumps(event.changes)


def test_explains_one_person(village, capsys):
    household = make_household(village, "00001")
    person = make_resident(household, "宋桂兰", sex="女", birth_date=date(1959, 5, 8))
    make_birth(person, date(1986, 1, 2))
    where = f"{village.code}/00001/宋桂兰"
    code, case = answer(capsys, *asked("--explain", where, "--json"))
    assert code == 0
    assert (case["qualifies"], case["candidate"], case["version"]) == (False, False, 1)
    failing = [one for one in case["criteria"] if one["holds"] is False]
    assert failing == [
        {
            "key": "age", "text": "年满60周岁", "holds": False,
            "value": "1959-05-08出生，2018-12-31满59周岁",
            "basis": "国办发〔2004〕21号; 国人口发〔2004〕36号",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (asked("--region", "539981001", policy="CN-NONE"), "没有代码为CN-NONE的政策"),
        (asked("--region", "000000000"), "没有代码为000000000的区划"),
        (asked(), "请用 --region 写明区划代码"),
        (asked("--region", "539981001", day="2018-13-01"), "日期“2018-13-01”不对"),
        (asked("--explain", "539981001201"), "村居代码/户编号/姓名"),
        (asked("--explain", "539981001201/00001/无此人"), "没有登记"),
        (("--as-of", "2018-12-31"), "--policy"),
    ],
)
def test_refusals_are_json_and_exit_2(village, capsys, arguments, words):
    code, found = answer(capsys, *arguments)
    assert code == 2
    assert words in found["error"]


def test_two_of_one_name_in_a_household_are_not_guessed(village, capsys):
    household = make_household(village, "00001")
    make_resident(household, "宋桂兰")
    make_resident(household, "宋桂兰", relation="其他")
    code, found = answer(capsys, *asked("--explain", f"{village.code}/00001/宋桂兰"))
    assert code == 2
    assert "2个同名的人" in found["error"]
