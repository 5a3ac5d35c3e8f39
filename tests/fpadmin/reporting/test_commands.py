"""indicators and make_return: JSON on stdout in every exit case, an event by the command's name."""

import json

import openpyxl
import pytest
from django.core.management import call_command

from fpadmin.audit.models import AuditEvent
from fpadmin.reporting.models import ReturnVersion
from households.indicators import BIRTHS, POPULATION
from households.special.figures import SPECIAL
from subsidies.policies import catalogue
from subsidies.returns.figures import PLAIN, SENSITIVE
from subsidies.returns.forms import return_code
from subsidies.returns.payments_figures import PLAIN as PAID
from subsidies.returns.payments_figures import SENSITIVE as PAID_FEW
from subsidies.returns.payments_forms import return_code as payment_code

pytestmark = pytest.mark.django_db


def answer(capsys, *arguments):
    """(exit code, what was printed on stdout as JSON)"""
    code = 0
    try:
        call_command(*arguments)
    except SystemExit as stop:
        code = stop.code
    return code, json.loads(capsys.readouterr().out)


def test_indicators_gives_every_figure_of_the_statistical_year(small, capsys):
    code, found = answer(
        capsys,
        "indicators",
        "--region",
        "539981001",
        "--as-of",
        "2018-09-30",
        "--children",
        "--json",
    )
    assert code == 0
    assert list(found) == ["539981001", "539981001201", "539981001202"]
    assert list(found["539981001"]) == [
        *(i.code for i in (*POPULATION, *BIRTHS, *SPECIAL)),
        *PLAIN.codes,
        *SENSITIVE.codes,
        *PAID.codes,
        *PAID_FEW.codes,
    ]
    assert found["539981001"]["population"] == 13
    assert found["539981001"]["within_policy_rate"] == 75
    assert found["539981001202"]["sex_ratio_at_birth"] is None


def test_indicators_of_some_codes_from_a_day(small, capsys):
    code, found = answer(
        capsys, "indicators", "--region", "539981001", "--as-of", "2018-09-30", "--from", "2018-09-01",
        "--codes", "births, deaths",
    )  # fmt: skip
    assert (code, found) == (0, {"539981001": {"deaths": 1, "births": 2}})
    event = AuditEvent.objects.get(type="figures.computed")
    assert event.actor == "系统：indicators"


def test_indicators_lists_what_was_counted_and_records_it(small, capsys):
    code, found = answer(
        capsys,
        "indicators",
        "--region",
        "539981001",
        "--as-of",
        "2018-09-30",
        "--list",
        "households",
    )
    assert code == 0
    assert found[0] == {"village_code": "539981001201", "household_no": "00001", "name": "王强"}
    event = AuditEvent.objects.get(type="figure.listed")
    assert (event.count, event.actor) == (3, "系统：indicators")


def test_indicators_of_a_region_without_residents_are_zero(village, capsys):
    _, found = answer(capsys, "indicators", "--region", "539981", "--as-of", "2018-09-30")
    assert found["539981"]["population"] == 0
    assert found["539981"]["within_policy_rate"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("indicators", "--region", "999", "--as-of", "2018-09-30"),
        ("indicators", "--region", "539981001", "--as-of", "2018-9-31"),
        ("indicators", "--region", "539981001", "--as-of", "2018-09-30", "--codes", "nothing"),
        ("indicators", "--region", "539981001", "--as-of", "2018-09-30", "--list", "nothing"),
        ("indicators", "--region", "539981001", "--as-of", "2018-09-30", "--from", "2018-10-01"),
        ("make_return",),
        ("make_return", "nothing", "--region", "539981001", "--period", "2018", "--out", "x.xlsx"),
        ("make_return", "population-annual", "--region", "539981001", "--period", "2018"),
        ("make_return", "population-annual", "--region", "539981001", "--period", "2018Q3", "--out",
         "x.json"),
        ("make_return", "population-annual", "--region", "539981001", "--period", "2018", "--out",
         "x.pdf"),
        ("make_return", "population-annual", "--region", "539981001", "--period", "2018", "--out",
         "/no/such/place/x.json"),
    ],
)  # fmt: skip
def test_commands_say_what_is_wrong_as_json(village, capsys, arguments):
    code, found = answer(capsys, *arguments, "--json")
    assert code == 2
    assert list(found) == ["error"]
    assert ReturnVersion.objects.count() == (1 if "/no/such/place/x.json" in arguments else 0)


def test_wrong_arguments_are_json_too(capsys):
    from fpadmin.reporting.management.commands.indicators import Command

    with pytest.raises(SystemExit) as stop:
        Command().run_from_argv(["manage.py", "indicators", "--json", "--nonsense"])
    assert stop.value.code == 2
    assert "error" in json.loads(capsys.readouterr().out)


def test_make_return_lists_the_returns(capsys):
    assert answer(capsys, "make_return", "--list", "--json") == (
        0,
        [
            {"code": "population-monthly", "name": "人口与出生情况月报", "cycle": "month"},
            {"code": "population-annual", "name": "人口与出生情况年报", "cycle": "year"},
            {"code": "population-ledger", "name": "总人口账", "cycle": "month"},
            {"code": "special-families-monthly", "name": "特殊家庭联系服务月报", "cycle": "month"},
            {"code": "special-families-annual", "name": "特殊家庭联系服务年报", "cycle": "year"},
            *(
                {
                    "code": return_code(code),
                    "name": f"{policy.name}目标人群汇总表",
                    "cycle": "calendar_year",
                }
                for code, policy in catalogue.policies().items()
            ),
            *(
                {
                    "code": payment_code(code),
                    "name": f"{policy.name}资金发放汇总表",
                    "cycle": "calendar_year",
                }
                for code, policy in catalogue.policies().items()
                if not policy.in_kind
            ),
        ],
    )


@pytest.mark.parametrize("suffix", ["xlsx", "docx", "json"])
def test_make_return_writes_the_file_and_one_version(small, tmp_path, capsys, suffix):
    out = tmp_path / f"return.{suffix}"
    arguments = (
        "population-monthly",
        "--region",
        "539981001",
        "--period",
        "2018-09",
        "--out",
        str(out),
    )
    code, found = answer(capsys, "make_return", *arguments)
    assert (code, found["version"], found["new"], found["balances"]) == (0, 1, True, True)
    assert list(tmp_path.iterdir()) == [out]
    if suffix == "xlsx":
        assert openpyxl.load_workbook(out).active["B5"].value == 14
    if suffix == "json":
        assert json.loads(out.read_text())["rows"][0]["figures"]["opening"] == 14
    _, again = answer(capsys, "make_return", *arguments)
    assert (again["version"], again["new"]) == (1, False)
    assert AuditEvent.objects.filter(type="return.made", actor="系统：make_return").count() == 2
