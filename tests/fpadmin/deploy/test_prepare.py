"""The secrets of a new installation, and that the services of docker-compose.yml take them."""

import os
import signal
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg2
import pytest
import redis
import yaml
from cryptography import x509
from psycopg2 import sql

from fpadmin import keys
from fpadmin.checks import key_faults
from fpadmin.deploy import sealing
from fpadmin.deploy.prepare import prepare
from fpadmin.jobs import processes
from tests.fpadmin.jobs.test_faults import until
from tests.guards.source import ROOT


@pytest.fixture
def secrets(tmp_path) -> Path:
    prepare(tmp_path / "secrets", host="fp.example.gov.cn,other")
    return tmp_path / "secrets"


@pytest.fixture
def server() -> str:
    """A PostgreSQL server on which roles and databases may be made."""
    url = os.environ.get("TEST_POSTGRESQL_URL") or os.environ["DATABASE_URL"]
    if not url.startswith("postgres"):
        pytest.skip("no PostgreSQL: make test brings one")
    return url.replace("postgres://", "postgresql://")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_secrets_are_strong_and_each_is_another(secrets):
    made = {name: read(secrets / name.lower()) for name in keys.NAMES}
    for name, value in made.items():
        keys._refuse_weak(name, value)
    order = ("FIELD_ENCRYPTION_KEYS", "DIGEST_KEY", "AUDIT_KEY", "SECRET_KEY")
    assert key_faults(*(made[name] for name in order)) == []
    password = read(secrets / "database_password")
    assert len(password) == 48
    assert f":{password}@" in read(secrets / "database_url")
    assert read(secrets / "broker_conf").split()[1] in read(secrets / "broker_url")
    assert read(secrets / "database_superuser_password") != password
    sealing.check_recipient(read(secrets / "backup_recipient"))


def test_secrets_are_made_once(secrets):
    before = {path.name: read(path) for path in secrets.iterdir()}
    assert prepare(secrets, host="x") == []
    (secrets / "digest_key").unlink()
    (secrets / "tls.key").unlink()
    assert prepare(secrets, host="x") == ["digest_key"], "half a pair is not made anew"
    after = {path.name: read(path) for path in secrets.iterdir()}
    assert {n for n in before if before[n] != after.get(n)} == {"digest_key", "tls.key"}


def test_nobody_else_on_the_host_can_read_them(secrets):
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()}
    assert modes.pop("restore.key") == 0o400
    assert set(modes.values()) == {0o444}


def test_certificate_is_for_the_first_host(secrets):
    certificate = x509.load_pem_x509_certificate((secrets / "tls.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["fp.example.gov.cn"]


def test_command_needs_no_settings(tmp_path):
    """It runs before there is a key or a database."""
    run = subprocess.run(
        [sys.executable, "-m", "fpadmin.deploy.prepare", tmp_path / "s"],
        capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}, cwd=ROOT,
    )  # fmt: skip
    assert "database_url" in run.stdout.split()
    assert read(tmp_path / "s" / "database_password") not in run.stdout
    bare = [sys.executable, "-m", "fpadmin.deploy.prepare"]
    assert subprocess.run(bare, capture_output=True, check=False, cwd=ROOT).returncode == 2


def test_a_setting_is_read_from_the_file_that_is_named(monkeypatch, tmp_path):
    (tmp_path / "url").write_text("postgres://x\n", encoding="utf-8")
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    assert keys.given("DATABASE_URL") == "postgres://x"

    monkeypatch.setenv("DATABASE_URL", "postgres://y")
    with pytest.raises(SystemExit, match="Both DATABASE_URL and DATABASE_URL_FILE"):
        keys.given("DATABASE_URL")

    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit, match="cannot be read"):
        keys.given("DATABASE_URL")

    monkeypatch.delenv("DATABASE_URL_FILE")
    assert keys.given("DATABASE_URL", "default") == "default"


@pytest.mark.broker
def test_broker_asks_for_the_password_and_keeps_its_queue_when_killed(secrets, tmp_path):
    """The command of docker-compose.yml, with the places of this test."""
    command = yaml.safe_load(read(ROOT / "docker-compose.yml"))["services"]["broker"]["command"]
    socket = tmp_path / "broker.sock"
    places = {
        "valkey-server": processes.broker_command(socket)[0],
        "/run/secrets/broker_conf": str(secrets / "broker_conf"),
        "/data": str(tmp_path),
    }
    assert places.keys() <= set(command)
    command = [places.get(word, word) for word in command]
    command += ["--port", "0", "--unixsocket", str(socket)]
    password = read(secrets / "broker_conf").split()[1]

    def start():
        child = processes.start(command, environment={}, log=tmp_path / "log")
        until(socket.exists)
        return child

    first = start()
    try:
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(unix_socket_path=str(socket)).ping()
        with redis.Redis(unix_socket_path=str(socket), password=password) as client:
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            client.rpush("queue", "job")
            assert client.waitaof(1, 0, 5000)[0] == 1  # on the disk
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        socket.unlink()
        second = start()
        with redis.Redis(unix_socket_path=str(socket), password=password) as client:
            until(lambda: client.lrange("queue", 0, -1) == [b"job"])
        processes.stop([second], patience=5)
    finally:
        processes.stop([first], patience=5)


@pytest.mark.postgresql
def test_database_belongs_to_a_role_that_is_no_superuser_and_can_migrate(server, secrets, tmp_path):
    """database.sql as PostgreSQL's image runs it, under a name of this test."""
    name = f"county_{uuid.uuid4().hex[:10]}"
    script = read(ROOT / "fpadmin/deploy/database.sql").replace("fpadmin", name)
    script = script.replace("/run/secrets/database_password", str(secrets / "database_password"))
    owner = psycopg2.connect(server)
    owner.autocommit = True
    try:
        subprocess.run(
            ["psql", "-qX", "-d", server, "-f", "-"], input=script, text=True, check=True
        )
        with owner.cursor() as cursor:
            cursor.execute(
                "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname=%s", [name]
            )
            assert cursor.fetchone() == (False, False, False)
            cursor.execute("SELECT datcollate FROM pg_database WHERE datname=%s", [name])
            assert cursor.fetchone() == ("C",)
        password = read(secrets / "database_password")
        host = owner.info.host.replace("/", "%2F")
        url = f"postgres://{name}:{password}@{host}:{owner.info.port}/{name}"
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v", "0"],
            env=os.environ | {"DATABASE_URL": url}, cwd=ROOT, check=True,
        )  # fmt: skip
    finally:
        with owner.cursor() as cursor:
            one = sql.Identifier(name)
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(one))
            cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(one))
        owner.close()
