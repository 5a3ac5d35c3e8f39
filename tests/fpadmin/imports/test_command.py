"""import_workbook and the workbook of regions: exit codes, JSON, and the office's own tree."""

import json

import pytest
from django.core.management import call_command, get_commands, load_command_class

from fpadmin.accounts.models import Region
from fpadmin.audit.models import AuditEvent
from households.models import Resident
from tests.factories.workbooks import resident, run_import, workbook_of

pytestmark = pytest.mark.django_db
ROWS = [
    {"code": "53", "name": "云南省", "level": "省"},
    {"code": "5399", "name": "昆明市", "level": "市"},
    {"code": "539981", "name": "安宁市", "level": "县"},
    {"code": "539981001", "name": "禄脿街道", "level": "乡", "urban_rural": "城镇"},
    {"code": "539981001201", "name": "庄科村", "level": "村"},
    {"code": "53998100120101", "name": "1组", "level": "组"},
]


@pytest.fixture
def run(tmp_path, capsys):
    """run(kind, content, *arguments) → (exit code, the JSON on stdout)."""

    def command(kind, content, *arguments, office="539981001", name="表.xlsx"):
        path = tmp_path / name
        path.write_bytes(content)
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            call_command(
                "import_workbook", kind, str(path), "--office", office, "--json", *arguments
            )
        return stop.value.code, json.loads(capsys.readouterr().out)

    return command


def test_regions_on_an_empty_database_bring_the_offices_ancestors(run):
    code, result = run("regions", workbook_of("regions", ROWS))
    assert (code, result["created"], result["errors"]) == (0, 6, [])
    assert Region.objects.get(code="53998100120101").path == (
        "53.5399.539981.539981001.539981001201.53998100120101."
    )
    code, again = run("regions", workbook_of("regions", ROWS))
    assert (code, again["unchanged"]) == (0, 6)


def test_region_is_renamed(run):
    run("regions", workbook_of("regions", ROWS))
    code, result = run("regions", workbook_of("regions", [ROWS[4] | {"name": "庄科社区"}]))
    assert (code, result["updated"]) == (0, 1)
    assert Region.objects.get(code="539981001201").name == "庄科社区"


@pytest.mark.parametrize(
    ("record", "column", "code"),
    [
        ({"code": "5399810012"}, "区划代码", "region_code"),
        ({"level": "乡"}, "级别", "level_conflict"),
        ({"level": "区"}, "级别", "choice"),
        ({"code": "539981100201"}, "区划代码", "outside_office"),
        ({"code": "539981001202", "parent_code": "539981009"}, "上级代码", "unknown_parent"),
        ({"name": ""}, "名称", "required"),
    ],
)
def test_wrong_region_is_refused(run, record, column, code):
    run("regions", workbook_of("regions", ROWS))
    exit_code, result = run("regions", workbook_of("regions", [ROWS[4] | record]))
    assert exit_code == 1
    assert [(e["row"], e["column"], e["code"]) for e in result["errors"]] == [(2, column, code)]


def test_child_of_a_refused_region_waits_without_an_error(run):
    rows = [*ROWS[:4], ROWS[4] | {"level": "乡"}, ROWS[5]]
    code, result = run("regions", workbook_of("regions", rows), "--good-rows")
    assert (code, result["created"], len(result["errors"])) == (0, 4, 1)
    assert [w["code"] for w in result["warnings"]] == ["parent_refused"]
    assert result["created"] + 2 == result["rows"]


def test_errors_write_nothing_and_exit_1(run, village):
    records = [resident(village), resident(village, "00002", relation="朋友")]
    code, result = run("residents", workbook_of("residents", records))
    assert (code, result["rows"], len(result["errors"])) == (1, 2, 1)
    assert set(result["errors"][0]) == {"row", "column", "code", "message"}
    assert not Resident.objects.exists()


def test_good_rows_are_written_and_exit_0(run, village):
    records = [resident(village), resident(village, "00002", relation="朋友")]
    code, result = run("residents", workbook_of("residents", records), "--good-rows")
    assert (code, result["created"]) == (0, 1)
    assert Resident.objects.count() == 1


def test_dry_run_writes_nothing(run, village):
    content = workbook_of("residents", [resident(village)])
    code, result = run("residents", content, "--dry-run")
    assert (code, result["created"]) == (0, 1)
    assert not Resident.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("kind", "content", "arguments", "code"),
    [
        ("residents", b"", {}, "empty"),
        ("residents", b"hello", {}, "wrong_type"),
        ("nothing", b"x", {}, "unknown_kind"),
        ("residents", b"x", {"office": "539981777"}, "unknown_office"),
        ("residents", b"x", {"office": "五三"}, "unknown_office"),
    ],
)
def test_unreadable_is_json_too_and_exit_2(run, village, kind, content, arguments, code):
    exit_code, result = run(kind, content, **arguments)
    assert exit_code == 2
    assert [e["code"] for e in result["errors"]] == [code]
    assert result["errors"][0]["message"].endswith("。")


def test_missing_file_is_said(capsys, village):
    with pytest.raises(SystemExit) as stop:
        call_command(
            "import_workbook", "residents", "/无此文件.xlsx", "--office", "539981001", "--json"
        )
    assert stop.value.code == 2
    assert json.loads(capsys.readouterr().out)["errors"][0]["code"] == "no_file"


def test_import_is_recorded_once_with_its_counts(township, village):
    run_import("residents", workbook_of("residents", [resident(village)]), township)
    event = AuditEvent.objects.get(type="import.committed")
    assert (event.actor, event.count, event.changes["created"]) == ("系统：test", 1, 1)


def test_import_that_cannot_be_recorded_is_not_written(township, village, monkeypatch):
    def refuse(entries, by):
        raise RuntimeError

    monkeypatch.setattr("fpadmin.imports.engine.log.record_many", refuse)
    with pytest.raises(RuntimeError):
        run_import("residents", workbook_of("residents", [resident(village)]), township)
    assert not Resident.objects.exists()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("import_workbook", ["regions"]),
        ("import_workbook", ["regions", "表.xlsx", "--office", "53", "--bogus"]),
        ("check_invariants", ["--bogus"]),
        ("demo", ["--residents", "many"]),
    ],
)
def test_wrong_arguments_are_json_on_stdout_too(name, arguments, capsys):
    command = load_command_class(get_commands()[name], name)
    with pytest.raises(SystemExit) as stop:
        command.run_from_argv(["manage.py", name, *arguments, "--json"])
    result = json.loads(capsys.readouterr().out)
    assert stop.value.code == 2
    if name == "import_workbook":
        assert [error["code"] for error in result["errors"]] == ["arguments"]
    else:
        assert result["error"]
