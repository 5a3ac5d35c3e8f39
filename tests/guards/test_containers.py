"""The containers stay in step with the product and with what the tests run against.

There is no container engine here, so what it would do is read from the files: versions, settings,
commands, queues, privileges. nginx itself runs in tests/fpadmin/deploy/test_proxy.py.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import psycopg2
import pytest
import yaml
from django.conf import settings
from django.db import connection

from fpadmin.deploy.prepare import prepare
from fpadmin.jobs.kinds import KINDS
from fpadmin.jobs.processes import broker_command
from tests.guards.containers import (
    COMPOSE_ONLY,
    command_faults,
    copied,
    copy_faults,
    dockerfile_faults,
    environment_faults,
    example_faults,
    found,
    ignored,
    interpolated,
    limit_faults,
    network_faults,
    order_faults,
    parts,
    privilege_faults,
    proxy_faults,
    queue_faults,
    secret_faults,
    settings_read,
    stages_in,
    text,
    variables_in,
    version_faults,
)
from tests.guards.source import PACKAGES, ROOT
from tests.run import WHEEL_VERSION

# Versions that the suite may run against where the container's cannot be had, each with its reason.
ALLOWED_VERSIONS = {
    f"PostgreSQL {WHEEL_VERSION.split('.')[0]}": "the wheel, where Debian's server is not to be had",
    "broker 7": "Debian's redis-server, where there is no wheel of Valkey",
}


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load(text("docker-compose.yml"))


@pytest.fixture(scope="module")
def stages() -> dict:
    return stages_in(text("Dockerfile"))


def test_dockerfile_is_pinned_unprivileged_and_without_tools(stages):
    assert list(stages) == ["build", "product", "proxy"]
    assert dockerfile_faults(stages) == []
    assert any("collectstatic" in command for command in parts(stages["build"], "RUN"))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("3.11.14-slim-bookworm AS product", "latest AS product"), "product: base is not pinned"),
        (("debian:12.12-slim", "debian"), "proxy: base is not pinned"),
        (("USER 10001:10001", "USER root"), "product: runs as root"),
        (("USER 33:33", ""), "proxy: runs as root"),
        (("postgresql-client-15", "postgresql-client-15 gcc"), "product: build tools"),
        (("    && pip uninstall -y pip setuptools wheel \\\n", ""), "product: build tools"),
        (("WORKDIR /srv/fpadmin\nUSER", "RUN python manage.py check\nUSER"),
         "product: would keep the keys that a command makes"),
        (("COPY --from=build /opt/static /srv/static\n", ""), "product: static files are not collected"),
    ],
)  # fmt: skip
def test_guard_finds_what_is_wrong_in_a_dockerfile(change, fault):
    whole = text("Dockerfile")
    assert change[0] in whole
    assert fault in dockerfile_faults(stages_in(whole.replace(*change)))


def test_what_the_dockerfile_copies_is_there_and_complete(stages):
    assert copy_faults(stages, text(".dockerignore")) == []
    assert {*PACKAGES, "templates", "manage.py", "requirements.txt"} <= set(copied(stages))


@pytest.mark.parametrize("left_out", ["", "households"])
def test_what_is_copied_suffices_to_start(stages, tmp_path, left_out):
    """No module reads a file of the repository that the image doesn't have."""
    for name in {*copied(stages)} - {left_out}:
        if "/" not in name:
            place = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            place(ROOT / name, tmp_path / name)
    start = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=tmp_path, capture_output=True, check=False,
        env=os.environ | {"FPADMIN_VAR": str(tmp_path / "var")},
    )  # fmt: skip
    assert start.returncode == (1 if left_out else 0)


def test_guard_finds_a_source_that_cannot_be_copied():
    sample = stages_in("FROM a:1.1 AS build\nCOPY manage.py nowhere var/keys.env ./\n")
    assert copy_faults(sample, text(".dockerignore")) == [
        "nowhere: cannot be copied",
        "var/keys.env: cannot be copied",
    ]


PRIVATE = (
    "var/keys.env", "var/secrets/tls.key", "var/fpadmin.sqlite3", ".env", ".git/config", "tests/run.py",
    ".venv/bin/python", "fpadmin/some.key", "restore.key", "households/a.sqlite3",
    "fpadmin/__pycache__/a.pyc",
)  # fmt: skip


def test_the_build_context_holds_no_data_keys_or_history():
    rules = text(".dockerignore")
    assert [path for path in PRIVATE if not ignored(path, rules)] == []
    assert not ignored("fpadmin/settings.py", rules)
    assert [path for path in PRIVATE if not ignored(path, "")] == list(PRIVATE)
    assert not ignored("var/keys.env", rules + "!var\n")


def postgresql_majors() -> set[str]:
    """Of the servers that this run of the suite uses."""
    urls = filter(None, [os.environ.get("TEST_POSTGRESQL_URL")])
    majors = set()
    for url in urls:
        server = psycopg2.connect(url.replace("postgres://", "postgresql://"))
        majors.add(str(server.server_version // 10000))
        server.close()
    if connection.vendor == "postgresql":
        majors.add(str(connection.pg_version // 10000))
    return majors


def test_versions_are_those_that_the_tests_run_against(db, compose, stages):
    project = tomllib.loads(text("pyproject.toml"))
    floor = found(r">=(3\.\d+)", project["project"]["requires-python"])
    base = parts(stages["product"], "FROM")[0]
    server = found(r":(\d+)\.", compose["services"]["database"]["image"])
    client = found(r"postgresql-client-(\d+)", text("Dockerfile"))
    said = subprocess.run(
        [broker_command(Path("/"))[0], "--version"], capture_output=True, text=True, check=True
    ).stdout
    versions = {
        # The image has the oldest Python that is promised; CI runs the suite on exactly that one.
        "Python promised": (found(r"python:(3\.\d+)\.", base), {floor}),
        "PostgreSQL": (server, postgresql_majors()),
        "PostgreSQL client": (server, {client}),
        "broker": (
            found(r":(\d+)\.", compose["services"]["broker"]["image"]), {found(r"v=(\d+)", said)},
        ),
        "product": (compose["services"]["web"]["image"], {f"fpadmin:{project['project']['version']}"}),
    }  # fmt: skip
    if os.environ.get("CI") == "true":
        running = "{}.{}".format(*sys.version_info)
        versions["Python"] = (versions["Python promised"][0], {running})
    assert version_faults(versions, ALLOWED_VERSIONS) == []
    assert {parts(stages[s], "FROM")[0] for s in ("build", "product")} == {base}


def test_guard_finds_another_version_and_takes_a_reason():
    sample = {"PostgreSQL": ("15", {"15", "17"}), "broker": ("9", {"9"})}
    assert version_faults(sample, {}) == ["PostgreSQL: 15 in the container, 17 in the tests"]
    assert version_faults(sample, {"PostgreSQL 17": "newer"}) == []
    assert version_faults(sample, {"PostgreSQL 17": ""}) != []


def test_services_have_no_more_than_they_need(compose):
    assert privilege_faults(compose) == []
    assert network_faults(compose) == []


@pytest.mark.parametrize(
    ("service", "change", "fault"),
    [
        ("broker", {"image": "valkey/valkey:latest"}, "image is not pinned"),
        ("broker", {"image": "valkey/valkey"}, "image is not pinned"),
        ("database", {"user": "0:0"}, "runs as root"),
        ("database", {"user": None}, "runs as root"),
        ("web", {"user": "0"}, "runs as root"),
        ("web", {"read_only": False}, "may write to its root"),
        ("web", {"cap_drop": []}, "keeps capabilities"),
        ("web", {"cap_add": ["SYS_ADMIN"]}, "keeps capabilities"),
        ("web", {"security_opt": []}, "may gain privileges"),
        ("web", {"privileged": True}, "is privileged"),
        ("web", {"deploy": {}}, "has no limits"),
        ("database", {"ports": ["5432:5432"]}, "publishes ports"),
        ("web", {"network_mode": "host"}, "is in the host's network"),
        ("beat", {"restart": "no"}, "restarts wrongly"),
        ("migrate", {"restart": "always"}, "restarts wrongly"),
        ("worker", {"healthcheck": {}}, "has no probe"),
        ("worker", {"logging": {}}, "fills the disk with logs"),
    ],
)
def test_guard_finds_a_service_with_too_much(compose, service, change, fault):
    changed = {n: v for n, v in (compose["services"][service] | change).items() if v is not None}
    sample = compose | {"services": compose["services"] | {service: changed}}
    assert privilege_faults(sample) == [f"{service}: {fault}"]


def test_guard_finds_an_open_network(compose):
    def with_networks(service, networks):
        changed = compose["services"][service] | {"networks": networks}
        return compose | {"services": compose["services"] | {service: changed}}

    assert network_faults(with_networks("web", ["outside"])) != []
    assert network_faults(with_networks("database", ["edge"])) == [
        "database: the proxy can reach it"
    ]
    assert network_faults(with_networks("broker", [])) != []
    assert network_faults(compose | {"networks": {"outside": {}, "edge": {}, "data": {}}}) != []


def test_every_setting_is_in_the_example_and_the_other_way_round():
    read = settings_read(text("fpadmin/settings.py"))
    compose = interpolated(text("docker-compose.yml"))
    assert example_faults(variables_in(text(".env.example")), read, compose) == []
    assert {"DATABASE_URL", "HTTPS", "SMALL_CELL", "SECRET_KEY", "ALLOWED_HOSTS"} <= read
    assert "ALLOWED_HOSTS" in compose
    assert compose >= COMPOSE_ONLY


def test_guard_finds_a_setting_that_only_one_side_knows():
    assert len(example_faults({"A"}, {"A", "B"}, {"A"})) == 1
    assert len(example_faults({"A", "B"}, {"A"}, set())) == 1
    assert len(example_faults({"A"}, {"A"}, {"C"})) == 1
    assert settings_read('X = env_int("LATE", 3)\nY = env(\n    "LONG", 1)') >= {"LATE", "LONG"}


def test_services_are_given_what_settings_read_and_secrets_as_files(compose):
    assert environment_faults(compose, settings_read(text("fpadmin/settings.py"))) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"ALOWED_HOSTS": "x"}, "settings.py doesn't read it"),
        ({"SECRET_KEY": "abc"}, "not one of the service's secrets"),
        ({"DATABASE_URL_FILE": "/run/secrets/other"}, "not one of the service's secrets"),
        ({"BACKUP_RECIPIENT_FILE": "/run/secrets/backup_recipient"}, "not one of the service's secrets"),
        ({"DEBUG": "True"}, "must be 'False'"),
        ({"BEHIND_PROXY": "False"}, "must be 'True'"),
        ({"AUDIT_KEY_FILE": None}, "missing"),
        ({"ALLOWED_HOSTS": "*"}, "must be asked for"),
    ],
)  # fmt: skip
def test_guard_finds_a_wrong_environment(compose, change, fault):
    web = compose["services"]["web"]
    given = {n: v for n, v in (web["environment"] | change).items() if v is not None}
    sample = compose | {"services": {"web": web | {"environment": given}}}
    found = environment_faults(sample, settings_read(text("fpadmin/settings.py")))
    assert len(found) == 1
    assert fault in found[0]


def test_secrets_are_those_that_prepare_makes(compose, tmp_path):
    made = set(prepare(tmp_path / "secrets", host="localhost")) - {"restore.key"}
    assert secret_faults(compose, made) == []
    assert len(secret_faults(compose, made - {"tls.key"})) == 1
    assert len(secret_faults(compose, made | {"more"})) == 1
    unused = compose | {"secrets": compose["secrets"] | {"more": {"file": "more"}}}
    assert len(secret_faults(unused, made | {"more"})) == 2


def queues() -> set[str]:
    """Of every kind of job the product registers, and of the schedule."""
    own = {k.queue for k in KINDS.values() if k.run.__module__.partition(".")[0] in PACKAGES}
    return own | {settings.CELERY_TASK_DEFAULT_QUEUE}


def test_commands_name_what_exists(compose):
    assert command_faults(compose) == []
    assert order_faults(compose) == []


def test_guard_finds_commands_of_nothing(compose):
    def with_command(*command, **more):
        return {"services": {"x": {"build": ".", "command": list(command)} | more}}

    assert command_faults(with_command("celery", "-A", "nowhere", "worker")) != []
    assert command_faults(with_command("gunicorn", "fpadmin.nowhere")) != []
    assert command_faults(with_command("python", "manage.py", "nothing")) != []
    assert (
        command_faults(with_command("sh", "-c", "python manage.py check && python manage.py x"))
        != []
    )
    assert command_faults(with_command("python", "-m", "fpadmin.nowhere")) != []
    assert command_faults(with_command("uwsgi")) != []
    early = compose["services"]["web"] | {"depends_on": {}}
    assert order_faults({"services": compose["services"] | {"web": early}}) == [
        "web: may start before the migrations"
    ]
    migrate = compose["services"]["migrate"] | {"depends_on": {}}
    assert len(order_faults({"services": compose["services"] | {"migrate": migrate}})) == 1


def test_every_queue_has_a_worker_of_its_own_wherever_workers_are_started(compose):
    assert queue_faults(compose, queues()) == []
    assert "imports" in queues()
    quickstart = text("fpadmin/jobs/management/commands/quickstart.py")
    assert [q for q in queues() if f'("{q}", ' not in quickstart] == []
    assert [q for q in queues() if f"worker -Q {q}" not in text("README.md")] == []


def test_guard_finds_a_queue_without_a_worker(compose):
    assert queue_faults(compose, queues() | {"exports"}) == ["exports: nobody works on it"]
    assert queue_faults(compose, queues() - {"imports"}) == ["imports: nothing is sent to it"]
    worker = compose["services"]["worker"]
    both = worker | {"command": [*worker["command"], "-Q"]}
    both["command"][both["command"].index("default")] = "default,imports"
    assert len(queue_faults({"services": compose["services"] | {"worker": both}}, queues())) == 1
    deaf = worker | {"healthcheck": {"test": ["CMD-SHELL", "true"]}}
    assert len(queue_faults({"services": compose["services"] | {"worker": deaf}}, queues())) == 1
    two = compose["services"] | {"second": compose["services"]["beat"]}
    assert queue_faults({"services": two}, queues()) == ["2 schedules"]


def test_the_proxy_decides_who_spoke_and_how_much(compose):
    assert proxy_faults(text("fpadmin/deploy/nginx.conf")) == []
    assert limit_faults(compose, text("fpadmin/deploy/proxy.sh")) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("For $remote_addr", "For $proxy_add_x_forwarded_for", "X-Forwarded-For is not ours"),
        ("proxy_set_header X-Forwarded-Proto $scheme;", "", "X-Forwarded-Proto is not ours"),
        ("TLSv1.2 TLSv1.3", "TLSv1.1 TLSv1.2", "TLS older than 1.2"),
        ("server_tokens off;", "server_tokens off; real_ip_header X-Real-IP;", "trusts what a client says"),
        ("server_tokens off;", "", "tells its version"),
        ("include /tmp/limits.conf;", "client_max_body_size 10m;", "a limit of its own"),
        ("$request_method $uri", "$request", "logs query strings"),
        ("ssl_session_tickets off;", "add_header Strict-Transport-Security x;", "HSTS is Django's"),
    ],
)  # fmt: skip
def test_guard_finds_what_is_wrong_with_the_proxy(old, new, fault):
    conf = text("fpadmin/deploy/nginx.conf")
    assert old in conf
    assert fault in proxy_faults(conf.replace(old, new))


def test_guard_finds_limits_out_of_step(compose):
    script = text("fpadmin/deploy/proxy.sh")
    assert len(limit_faults(compose, script.replace(":-50", ":-40"))) == 1
    small = {"deploy": {"resources": {"limits": {"memory": "1G"}}}}
    services = compose["services"]
    reader = services["worker-imports"] | small
    assert len(limit_faults({"services": services | {"worker-imports": reader}}, script)) == 1
    deaf = services["proxy"] | {"environment": {}}
    assert len(limit_faults({"services": services | {"proxy": deaf}}, script)) == 1
