"""The kinds of background work, filled by the apps in ready()."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class JobCancelled(Exception):
    """Raised inside a run by progress() when the clerk cancelled it."""


class JobFailed(Exception):
    """A run that cannot succeed; the text is a sentence that a clerk can read."""


class LeaseLost(Exception):
    """Another worker has taken the job; this one must stop and write nothing more."""


class JobContext(Protocol):
    """What a run sees. `by` is the User who asked, or a SystemJob for the schedule."""

    job_id: int
    params: dict[str, Any]
    by: Any

    def progress(self, done: int, total: int, step: str = "") -> None:
        """Save progress and renew the lease. Raises JobCancelled or LeaseLost."""

    def check_fence(self) -> None:
        """Lock the job row in the current transaction; raise LeaseLost unless this run still owns it.

        Call it inside the transaction that writes the result, so that a stale copy cannot commit.
        """

    def attach(self, name: str, content: bytes) -> None:
        """Keep a result file (written whole, then renamed) for the person who asked."""


@dataclass(frozen=True)
class JobKind:
    """`run` must be safe to repeat. Its return value is kept as the job's result (JSON).

    `permission` is what a person needs to start, retry or cancel one. `queue` keeps parsing of
    uploads away from the rest. `page` gives the address, from the params, where the person who
    asked sees what came of it.
    """

    key: str
    label: str
    run: Callable[[JobContext], dict[str, Any]]
    permission: str
    queue: str = "default"
    page: Callable[[dict[str, Any]], str] | None = None


KINDS: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    """Add a kind. A key that is taken raises."""
    if kind.key in KINDS:
        raise ValueError(f"job kind {kind.key!r} is registered twice")
    KINDS[kind.key] = kind
