"""The product's Celery application with a sweep each second, and bank files that wait half-way.

A run notes its steps in the file named by BANK_FILE_DIARY and goes on once the same name with `.go`
is there: before a byte is kept ("written"), or after all are and before the batch is sealed ("kept").
"""

import os
import time
from pathlib import Path

from fpadmin import sealed
from fpadmin.celery import app

__all__ = ["app"]

app.conf.beat_schedule = {"sweep": app.conf.beat_schedule["sweep"] | {"schedule": 1.0}}
DIARY, STOP = Path(os.environ.get("BANK_FILE_DIARY", "none")), os.environ.get("BANK_FILE_STOP")


_keep_parts = sealed.keep_parts


def _kept(folder, source) -> str:
    """keep_parts(), noting what is done and waiting where it was told to."""
    _note("written")
    name = _keep_parts(folder, source)
    _note("kept")
    return name


def _note(step: str) -> None:
    with open(DIARY, "a", encoding="utf-8") as file:
        file.write(f"{step}\n")
    while step == STOP and not DIARY.with_suffix(".go").exists():
        time.sleep(0.05)


if DIARY.name != "none":
    sealed.keep_parts = _kept
