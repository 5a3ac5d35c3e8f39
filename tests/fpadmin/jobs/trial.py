"""The product's Celery application with job kinds for fault tests, and a sweep each second."""

import os
import signal
import time
from pathlib import Path

from fpadmin.accounts.permissions import Permission
from fpadmin.celery import app
from fpadmin.jobs.kinds import JobKind, register

__all__ = ["app"]

app.conf.beat_schedule = {"sweep": app.conf.beat_schedule["sweep"] | {"schedule": 1.0}}


def steps(context) -> dict:
    """Ten steps, each leaving a line "fence step" in the file named by params; waits for "go" half-way."""
    diary = Path(context.params["diary"])
    fence = _fence(context)
    for step in range(10):
        if step == 5:
            _wait_for(diary.with_suffix(".go"))
        context.progress(step, 10, "分步")
        with open(diary, "a", encoding="utf-8") as file:
            file.write(f"{fence} {step}\n")
    context.attach("结果.txt", b"ten steps")
    return {"fence": fence}


def poison(context) -> dict:
    """Takes its own process down, as an out-of-memory kill does."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def neighbour(context) -> dict:
    return {"fence": _fence(context)}


def _fence(context) -> int:
    from fpadmin.jobs.models import Job

    return Job.objects.get(pk=context.job_id).fence


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.05)


for _run in (steps, poison, neighbour):
    register(
        JobKind(key=f"fault-{_run.__name__}", label="试验", run=_run, permission=Permission.IMPORT)
    )
