"""The workers of docker-compose.yml as it starts them, and what its probes say of them."""

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from fpadmin.jobs import processes
from tests.database import database_url
from tests.fpadmin.jobs.test_faults import until
from tests.guards.source import ROOT

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broker(tmp_path):
    socket_file = Path(settings.CELERY_BROKER_URL.removeprefix("redis+socket://"))
    child = processes.start(
        processes.broker_command(socket_file), environment={}, log=tmp_path / "broker.log"
    )
    until(socket_file.exists)
    yield
    processes.stop([child], patience=3)


@pytest.mark.parametrize("name", ["worker", "worker-imports"])
def test_probe_finds_the_worker_and_misses_it_when_it_is_gone(broker, tmp_path, name):
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    service = compose["services"][name]
    environment = {
        "DATABASE_URL": database_url(),
        "HOSTNAME": socket.gethostname(),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    worker = processes.start(
        service["command"], environment=environment, log=tmp_path / "worker.log"
    )
    kind, probe = service["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    assert shlex.split(probe)[0] == "celery"
    probe = probe.replace("$$", "$")

    def answers(probe: str) -> bool:
        return not subprocess.run(
            ["sh", "-c", probe], env=os.environ | environment, capture_output=True, check=False
        ).returncode

    try:
        until(lambda: answers(probe) or worker.process.poll() is not None)
        assert worker.process.poll() is None, (tmp_path / "worker.log").read_text(encoding="utf-8")
    finally:
        processes.stop([worker], patience=8)
    assert "--timeout 8" in probe
    assert not answers(probe.replace("--timeout 8", "--timeout 1"))
