"""What must hold of the data at every quiet moment, checked each night and after every fault.

Apps add theirs in ready(); fpadmin.jobs.services.check_invariants runs them all, and
fpadmin.selfcheck shows whom it concerns what was found, with the page that mends it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.urls import reverse

MOST_FINDINGS = 20
# A rule that breaks everywhere has one cause: nobody mends a million rows one by one.
MOST_KEPT = 1_000


@dataclass(frozen=True)
class Finding:
    """One thing that breaks a rule, without personal data: words, the record, and where it stands.

    `target` is the label of a model (`households.resident`), `pk` its row; both are empty where
    no record is to be mended. Without a region path only who keeps the machine sees it.
    """

    text: str
    target: str = ""
    pk: int | str = ""
    region_path: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Invariant:
    """One thing that must hold. find(now) names what breaks it, without personal data.

    `advice` says what to do; `pages` names the page that mends a record, by the record's label.
    A `warning` is worth mending, but the data are whole with it.
    """

    key: str
    label: str
    find: Callable[[datetime], Iterable[Finding | str]]
    advice: str = ""
    pages: Mapping[str, str] = field(default_factory=dict)
    warning: bool = False

    def page_of(self, target: str, pk: int | str) -> str:
        """The address of the page that mends this record; "" where there is none."""
        return reverse(self.pages[target], args=[pk]) if target in self.pages else ""


@dataclass(frozen=True)
class Result:
    """What one invariant came to: `findings` are the first MOST_FINDINGS of `count` in words,
    `kept` the first MOST_KEPT with their records."""

    key: str
    label: str
    findings: list[str]
    count: int
    kept: list[Finding] = field(default_factory=list)
    warning: bool = False

    @property
    def ok(self) -> bool:
        """Whether the data are whole as far as this rule goes; a warning breaks nothing."""
        return self.warning or self.count == 0


INVARIANTS: dict[str, Invariant] = {}


def register(
    key: str,
    label: str,
    find: Callable[[datetime], Iterable[Finding | str]],
    *,
    advice: str = "",
    pages: Mapping[str, str] | None = None,
    warning: bool = False,
) -> None:
    """Add an invariant. A key that is taken raises."""
    if key in INVARIANTS:
        raise ValueError(f"invariant {key!r} is registered twice")
    INVARIANTS[key] = Invariant(key, label, find, advice, pages or {}, warning)


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
    kept: list[Finding] = []
    count = 0
    for count, found in enumerate(invariant.find(now), start=1):
        if count <= MOST_KEPT:
            kept.append(found if isinstance(found, Finding) else Finding(found))
    words = [finding.text for finding in kept[:MOST_FINDINGS]]
    return Result(invariant.key, invariant.label, words, count, kept, invariant.warning)
