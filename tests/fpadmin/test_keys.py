"""The installation's keys: made once, kept apart from others' eyes, weak ones refused."""

import os
import stat
import subprocess
import sys

import pytest

from fpadmin import keys
from fpadmin.checks import key_faults
from tests.guards.source import ROOT

GOOD = "Zx8v" * 3 + "Qm3Lr7Tn1Wp9Ks5Hd2Fg6Jb4Yc0Uo8Ei"


@pytest.fixture
def no_environment(monkeypatch):
    for name in keys.NAMES:
        monkeypatch.delenv(name, raising=False)


def test_missing_keys_are_made_once_with_one_line(no_environment, tmp_path, capsys):
    first = keys.load(tmp_path / "var")
    said = capsys.readouterr()
    assert set(first) == set(keys.NAMES)
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert keys.load(tmp_path / "var") == first
    assert capsys.readouterr().err == ""
    path = tmp_path / "var" / "keys.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(value in said.err for value in first.values())


def test_environment_comes_before_the_file(no_environment, tmp_path, monkeypatch):
    keys.load(tmp_path)
    monkeypatch.setenv("DIGEST_KEY", GOOD)
    assert keys.load(tmp_path)["DIGEST_KEY"] == GOOD


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "changeme"),
        ("SECRET_KEY", "x" * 60),
        ("SECRET_KEY", "django-insecure-" + GOOD),
        ("DIGEST_KEY", "short"),
        ("AUDIT_KEY", "password" + GOOD),
        ("FIELD_ENCRYPTION_KEYS", "k1:AAAA"),
        ("FIELD_ENCRYPTION_KEYS", f"k2:{GOOD},k1:123456"),
    ],
)
def test_weak_value_stops_the_program(name, value, no_environment, tmp_path, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(keys.WeakKey, match=name):
        keys.load(tmp_path)


def test_weak_value_in_the_environment_ends_every_command(tmp_path):
    outcome = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {"SECRET_KEY": "changeme", "FPADMIN_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert outcome.returncode != 0
    assert "SECRET_KEY" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_deployment_check_is_clean_with_only_a_database_named(tmp_path):
    outcome = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "manage.py",
            "check",
            "--deploy",
            "--fail-level",
            "WARNING",
        ],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "FPADMIN_VAR": str(tmp_path),
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        },
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stderr


def test_deployment_check_refuses_the_demonstration(tmp_path):
    outcome = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "check", "--deploy"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "FPADMIN_VAR": str(tmp_path), "FPADMIN_DEMO": "True"},
        capture_output=True,
        text=True,
    )
    assert outcome.returncode != 0
    assert "fpadmin.E003" in outcome.stderr


def test_key_faults_are_found(tmp_path, no_environment):
    made = keys.load(tmp_path)
    fields, digest = made["FIELD_ENCRYPTION_KEYS"], made["DIGEST_KEY"]
    audit, secret = made["AUDIT_KEY"], made["SECRET_KEY"]
    assert key_faults(fields, digest, audit, secret) == []
    assert "32 bytes" in key_faults("k1:AAAA", digest, audit, secret)[0]
    assert "id of its own" in key_faults(f"{fields},{fields}", digest, audit, secret)[0]
    assert "differ" in key_faults(fields, digest, digest, secret)[0]
