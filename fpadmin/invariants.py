"""What must hold of the data at every quiet moment, checked each night and after every fault.

Apps add theirs in ready(); fpadmin.jobs.services.check_invariants runs them all.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

MOST_FINDINGS = 20


@dataclass(frozen=True)
class Invariant:
    """One thing that must hold. find(now) names what breaks it, without personal data."""

    key: str
    label: str
    find: Callable[[datetime], Iterable[str]]


@dataclass(frozen=True)
class Result:
    """What one invariant came to: `findings` are the first MOST_FINDINGS of `count`."""

    key: str
    label: str
    findings: list[str]
    count: int

    @property
    def ok(self) -> bool:
        return self.count == 0


INVARIANTS: dict[str, Invariant] = {}


def register(key: str, label: str, find: Callable[[datetime], Iterable[str]]) -> None:
    """Add an invariant. A key that is taken raises."""
    if key in INVARIANTS:
        raise ValueError(f"invariant {key!r} is registered twice")
    INVARIANTS[key] = Invariant(key, label, find)


def check_all(
    now: datetime, progress: Callable[[int, int, str], None] = lambda done, total, step: None
) -> list[Result]:
    """Every invariant's result, in order of their keys; `progress` is told before each."""
    results = []
    for done, (_, invariant) in enumerate(sorted(INVARIANTS.items())):
        progress(done, len(INVARIANTS), invariant.label)
        results.append(_check(invariant, now))
    return results


def _check(invariant: Invariant, now: datetime) -> Result:
    findings, count = [], 0
    for count, finding in enumerate(invariant.find(now), start=1):
        if count <= MOST_FINDINGS:
            findings.append(finding)
    return Result(invariant.key, invariant.label, findings, count)
