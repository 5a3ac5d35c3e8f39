"""Backup and restore drill: into an empty place, equal to the last row, or refused with nothing written."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.deploy import backups, sealing, services
from fpadmin.deploy.management.commands.backup import is_due
from fpadmin.invariants import Result
from tests.database import database_url
from tests.factories.accounts import make_user
from tests.guards.source import ROOT

NOW = datetime(2018, 10, 9, 18, 30, tzinfo=UTC)
BY = log.SystemJob("试验")
CANARY = "金丝雀测试员"


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    """Files and backups of this test alone."""
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.BACKUP_DIR = tmp_path / "backups"
    (settings.MEDIA_ROOT / "imports").mkdir(parents=True)
    (settings.MEDIA_ROOT / "imports" / "a.bin").write_bytes(b"sealed workbook")
    (settings.MEDIA_ROOT / "imports" / "b.part").write_bytes(b"half")
    return tmp_path


@pytest.fixture(scope="module")
def pair():
    return sealing.new_pair()


@pytest.fixture
def key_file(pair, tmp_path):
    (tmp_path / "restore.key").write_text(f"# of the county\n{pair[1]}\n", encoding="utf-8")
    return tmp_path / "restore.key"


@pytest.fixture
def backup(pair, settings, township, sign_in):
    """A backup of a database with regions, an account that is signed in, and some events in it."""
    sign_in(make_user("clerk", township, name=CANARY))
    for number in range(3):
        log.record("audit.verified", by=BY, count=number)
    made, _ = services.make_backup(
        directory=settings.BACKUP_DIR, recipient=pair[0], keep_days=30, now=NOW, by=BY
    )
    return made.path


@pytest.fixture
def empty_database(tmp_path):
    """DATABASE_URL of a database with nothing in it, of the same kind as the tests'."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.sqlite3"
        return
    name = f"drill_{uuid.uuid4().hex[:10]}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    own = connection.settings_dict["NAME"]
    yield database_url().removesuffix(own) + name
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def restore(url: str, tmp_path: Path, *arguments, given: str = "", **environment):
    """`manage.py restore` as a process of its own, on another database and file folder."""
    return subprocess.run(
        [sys.executable, "manage.py", "restore", *map(str, arguments)],
        env=os.environ
        | {"DATABASE_URL": url, "MEDIA_ROOT": f"{tmp_path}/restored", "BACKUP_DIR": f"{tmp_path}/backups"}
        | environment,
        capture_output=True, text=True, check=False, cwd=ROOT, input=given,
    )  # fmt: skip


def has_tables(url: str) -> bool:
    script = (
        "import django; django.setup(); from django.db import connection; "
        "print(len(connection.introspection.table_names()))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "fpadmin.settings"},
    )  # fmt: skip
    return run.stdout.strip() != "0"


@pytest.mark.django_db(transaction=True)
def test_drill_restores_every_row_and_file_and_proves_it(
    backup, empty_database, key_file, tmp_path, reviewer
):
    """As docs/county.md has it. The reviewer's account is made after the backup: it is not in it."""
    name = empty_database.removeprefix("sqlite:///")
    name = name if connection.vendor == "sqlite" else name.rpartition("/")[2]
    key = key_file.read_text(encoding="utf-8")
    run = restore(database_url(), tmp_path, "--database", name, "--identity", "-", given=key)
    assert run.returncode == 0, run.stdout + run.stderr
    manifest = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    rows = sum(manifest["tables"].values())
    assert f"正常 {len(manifest['tables'])}张表{rows}行，与备份时相同" in run.stdout
    assert manifest["tables"]["accounts_user"] == 1
    assert f"正常 审计记录{manifest['tables']['audit_auditevent']}条" in run.stdout
    assert "正常 INV6" in run.stdout
    assert "异常" not in run.stdout
    restored = tmp_path / "restored" / "imports"
    assert {p.name: p.read_bytes() for p in restored.iterdir()} == {"a.bin": b"sealed workbook"}

    again = restore(empty_database, tmp_path, "--identity", key_file)
    assert again.returncode == 1
    assert "目标数据库不是空的" in again.stderr


@pytest.mark.django_db(transaction=True)
def test_restored_database_refuses_changes_of_the_trail_and_has_nobody_signed_in(
    backup, empty_database, key_file, tmp_path
):
    """Triggers come back with the data, sessions don't."""
    assert restore(empty_database, tmp_path, "--identity", key_file).returncode == 0
    script = (
        "import django; django.setup(); from fpadmin.audit.models import AuditEvent as E; "
        "from django.contrib.sessions.models import Session as S; "
        "print(E.objects.filter(type='backup.restored').count(), S.objects.count(), flush=True); "
        "E.objects.all()._raw_delete('default')"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT,
        env=os.environ | {"DATABASE_URL": empty_database, "DJANGO_SETTINGS_MODULE": "fpadmin.settings"},
    )  # fmt: skip
    manifest = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["tables"]["django_session"] == 1
    assert run.stdout == "1 0\n"
    assert "audit events" in run.stderr


@pytest.mark.django_db(transaction=True)
def test_nothing_personal_can_be_read_in_a_backup(backup):
    everything = b"".join(path.read_bytes() for path in backup.iterdir())
    assert CANARY.encode() not in everything
    assert b"sealed workbook" not in everything
    assert {path.stat().st_mode & 0o777 for path in backup.iterdir()} == {0o600}


@pytest.mark.django_db(transaction=True)
def test_damaged_and_foreign_backups_are_refused_with_nothing_written(
    backup, empty_database, key_file, tmp_path, settings
):
    def refused(*arguments, **environment):
        run = restore(empty_database, tmp_path, *arguments, "--identity", key_file, **environment)
        assert run.returncode == 1
        return run.stderr

    cut = shutil.copytree(backup, tmp_path / "cut")
    (cut / "database.age").write_bytes((backup / "database.age").read_bytes()[:-1])
    assert "database.age的内容被改动或残缺" in refused(cut)

    other_key = tmp_path / "other.key"
    other_key.write_text(sealing.new_pair()[1], encoding="utf-8")
    run = restore(empty_database, tmp_path, "--identity", other_key)
    assert "恢复私钥不对" in run.stderr

    assert "AUDIT_KEY不是备份时的那一个" in refused(backup, AUDIT_KEY="Ux" + settings.AUDIT_KEY[2:])
    assert not has_tables(empty_database)
    assert not (tmp_path / "restored").exists()


@pytest.mark.django_db(transaction=True)
def test_check_reads_all_of_a_backup_and_writes_nothing(backup, key_file, capsys):
    before = AuditEvent.objects.count()
    call_command("restore", str(backup), "--identity", str(key_file), "--check")
    assert "可以恢复" in capsys.readouterr().out
    assert AuditEvent.objects.count() == before


def manifest_with(backup: Path, target: Path, *, sign: bool, **changes) -> Path:
    """A copy whose manifest says something else, under a valid code or not."""
    shutil.copytree(backup, target)
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    mac = manifest.pop("mac")
    manifest |= changes
    manifest["mac"] = backups._mac(manifest) if sign else mac
    (target / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return target


@pytest.mark.django_db(transaction=True)
def test_manifest_that_says_something_else_is_refused(backup, tmp_path):
    backups.check(backup)
    cases = [
        ("a", False, {"tables": {}}, "校验码不对"),
        ("b", True, {"format": 2}, "格式不认识"),
        ("c", True, {"migrations": ["accounts.9999_later"]}, "更新的程序版本"),
        ("d", True, {"vendor": "oracle"}, "oracle"),
        ("e", True, {"parts": {"database.age": "0" * 64}}, "改动或残缺"),
        ("f", True, {"parts": {"more.age": "0" * 64}}, "缺少more.age"),
    ]
    for name, sign, change, message in cases:
        with pytest.raises(backups.BackupFailed, match=message):
            backups.check(manifest_with(backup, tmp_path / name, sign=sign, **change))
    (tmp_path / "a" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(backups.BackupFailed, match="不是完整的备份"):
        backups.check(tmp_path / "a")


@pytest.mark.django_db(transaction=True)
def test_a_table_with_other_rows_than_in_the_backup_is_named(backup, other_village):
    """Compared here, where a region was added since."""
    assert "accounts_region" in backups.differing_tables(backups.check(backup))


@pytest.mark.django_db(transaction=True)
def test_backup_records_who_and_what(backup):
    event = AuditEvent.objects.filter(type="backup.made").get()
    assert event.actor == "系统：试验"
    assert event.changes == {"backup": backup.name, "dropped": 0}
    manifest = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    assert event.count == sum(manifest["tables"].values())


@pytest.mark.django_db(transaction=True)
def test_a_backup_that_fails_leaves_nothing_and_removes_nothing(
    pair, backup, settings, monkeypatch, tmp_path
):
    old = manifest_with(backup, settings.BACKUP_DIR / "fpadmin-20100101T000000Z", sign=True)
    events = AuditEvent.objects.count()

    def full(target):
        raise OSError(28, "No space left on device", "files.age")

    monkeypatch.setattr(backups, "_pack", full)
    with pytest.raises(backups.BackupFailed, match="No space left"):
        services.make_backup(
            directory=settings.BACKUP_DIR, recipient=pair[0], keep_days=1,
            now=NOW + timedelta(days=9), by=BY,
        )  # fmt: skip
    assert sorted(settings.BACKUP_DIR.iterdir()) == sorted([backup, old])
    assert AuditEvent.objects.count() == events

    with pytest.raises(backups.BackupFailed, match="BACKUP_RECIPIENT"):
        backups.make(directory=settings.BACKUP_DIR, recipient="age1slip", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_backup_that_cannot_be_recorded_is_an_error(pair, settings, monkeypatch, township):
    def broken(*arguments, **fields):
        raise RuntimeError("audit")

    monkeypatch.setattr(log, "record", broken)
    with pytest.raises(RuntimeError, match="audit"):
        services.make_backup(
            directory=settings.BACKUP_DIR, recipient=pair[0], keep_days=30, now=NOW, by=BY
        )


def test_outcome_is_good_only_when_everything_agrees():
    whole = log.Verification(end_id=1, end_hash="", done=True)
    fine, bad = Result("A", "", [], 0), Result("B", "", ["x"], 1)
    assert services.Restored(None, [], whole, [fine]).ok
    assert not services.Restored(None, ["accounts_user"], whole, [fine]).ok
    assert not services.Restored(None, [], replace(whole, broken_id=1), [fine]).ok
    assert not services.Restored(None, [], whole, [fine, bad]).ok


def named(directory: Path, *days: int) -> None:
    for day in days:
        folder = directory / (NOW - timedelta(days=day)).strftime(backups.NAME)
        folder.mkdir(parents=True)
        (folder / "manifest.json").touch()


def ages(directory: Path) -> list[int]:
    return [(NOW - backups.made_at(path)).days for path in backups.names(directory)]


@pytest.mark.parametrize(
    ("there", "kept"),
    [
        ([0, 1, 29, 30, 31, 60], [30, 29, 1, 0]),
        ([40, 50, 60, 70], [60, 50, 40]),
        ([40], [40]),
        ([], []),
    ],
    ids=["old ones go", "three stay", "one stays", "none"],
)
def test_retention(tmp_path, there, kept):
    named(tmp_path / "b", *there)
    dropped = backups.drop_old(directory=tmp_path / "b", before=NOW - timedelta(days=30))
    assert ages(tmp_path / "b") == kept
    assert dropped == len(there) - len(kept)


def test_retention_touches_nothing_else(tmp_path):
    named(tmp_path, 50, 51, 52, 53)
    (tmp_path / "fpadmin-notes").mkdir()
    (tmp_path / "other").touch()
    abandoned = tmp_path / ".fpadmin-20180101T000000Z.part"
    abandoned.mkdir()
    os.utime(abandoned, (0, 0))
    backups.drop_old(directory=tmp_path, before=NOW)
    assert {path.name for path in tmp_path.iterdir()} >= {"fpadmin-notes", "other"}
    assert not abandoned.exists()
    assert len(backups.names(tmp_path)) == 3


@pytest.mark.parametrize(
    ("hour", "minute", "newest", "due"),
    [
        (2, 29, None, True),
        (2, 29, timedelta(hours=23), False),
        (2, 30, timedelta(hours=23), True),
        (2, 31, timedelta(seconds=59), False),
        (2, 31, timedelta(seconds=61), True),
        (1, 0, timedelta(hours=23), True),
    ],
    ids=["first", "before its time", "its time", "done", "done too early", "missed yesterday"],
)
def test_a_backup_is_due_once_a_day(hour, minute, newest, due):
    now = datetime(2018, 10, 9, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert is_due(now, "02:30", newest and now - newest) is due


def test_check_tells_when_the_newest_is_too_old(settings):
    with pytest.raises(CommandError, match="最近26小时没有备份"):
        call_command("backup", "--check")
    fresh = settings.BACKUP_DIR / datetime.now(UTC).strftime(backups.NAME)
    fresh.mkdir(parents=True)
    with pytest.raises(CommandError):  # without a manifest it is none
        call_command("backup", "--check")
    (fresh / "manifest.json").touch()
    call_command("backup", "--check")
    fresh.rename(
        settings.BACKUP_DIR / (datetime.now(UTC) - timedelta(hours=27)).strftime(backups.NAME)
    )
    with pytest.raises(CommandError):
        call_command("backup", "--check")


def test_command_without_a_key_makes_no_backup(settings):
    settings.BACKUP_RECIPIENT = ""
    with pytest.raises(CommandError, match="BACKUP_RECIPIENT"):
        call_command("backup")
    assert not settings.BACKUP_DIR.exists()
