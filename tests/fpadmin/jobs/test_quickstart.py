"""`manage.py quickstart` as a process of its own: it serves, and nothing outlives it."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.database import database_url

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def quickstart(village, tmp_path):
    """The running command on a database that has regions, so that it loads no demonstration."""
    environment = os.environ | {"DATABASE_URL": database_url(), "FPADMIN_VAR": str(tmp_path)}
    del environment["BROKER_URL"]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "quickstart"],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process
    if process.poll() is None:
        process.terminate()
    process.wait(30)
    process.stdout.close()


def address_of(process) -> str:
    for line in process.stdout:
        if "已启动" in line:
            return line.split("：")[-1].strip()
    raise AssertionError("it ended without an address")


def descendants(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [d for child in map(int, children) for d in (child, *descendants(child))]


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_quickstart_serves_and_leaves_no_process_behind(quickstart, ending):
    address = address_of(quickstart)
    with urllib.request.urlopen(f"{address}accounts/sign-in/", timeout=10) as page:
        assert "登录" in page.read().decode()
    started = descendants(quickstart.pid)
    assert len(started) >= 8  # broker, two workers with their pools, beat, web with its workers

    quickstart.send_signal(ending)

    assert quickstart.wait(30) == (0 if ending == signal.SIGTERM else -signal.SIGKILL)
    deadline = time.monotonic() + 15
    while left := [pid for pid in started if is_alive(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
