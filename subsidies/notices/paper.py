"""The sheet for the board: who is to come onto which roll, until when objections are taken, and where.

It hangs in public. Of a person it names no more than name, standard and the last four of the number;
a child's number stays off it. Of a policy that tells of a death or illness not even the policy's name.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from subsidies.models import Notice, NoticeLine
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook

PER_SHEET = 12  # look.css has their height
PLAIN_NAME = "计划生育家庭扶助"
NO_RATE = "按规定标准"
_EVERY = {"month": "每月", "year": "每年", "once": "一次性"}


@dataclass(frozen=True)
class PaperLine:
    """One person on the board."""

    number: int
    name: str
    tail: str
    standard: str


@dataclass(frozen=True)
class Sheet:
    """One sheet of A4, upright."""

    number: int
    lines: list[PaperLine]


@dataclass(frozen=True)
class Paper:
    """What a notice says; `basis` and the lines' standard are "" where they would tell too much."""

    policy_name: str
    basis: str
    has_tail: bool
    has_standard: bool
    sheets: list[Sheet]
    count: int


def paper_of(notice: Notice, lines: QuerySet[NoticeLine], book: PolicyBook) -> Paper:
    """The notice on paper, with the lines that were not taken off; `book` of the posting day."""
    policy = catalogue.policy(notice.policy_code)
    has_tail = policy.who != "child" and not policy.sensitive
    path = notice.village.path
    written = [
        PaperLine(
            number,
            line.application.resident.name,
            line.application.resident.id_number[-4:] if has_tail else "",
            "" if policy.sensitive else _standard(policy, line.application.grade, path, book),
        )
        for number, line in enumerate(lines.filter(removed_on__isnull=True), start=1)
    ]
    sheets = _cut(written)
    if policy.sensitive:
        return Paper(PLAIN_NAME, "", False, False, sheets, len(written))
    basis = book.rule(notice.policy_code, path).document
    return Paper(policy.name, basis, has_tail, True, sheets, len(written))


def _standard(policy: catalogue.Policy, grade: str, path: str, book: PolicyBook) -> str:
    """每年960元, with the grade in front where the policy has grades."""
    amount = book.rate(policy.code, path, grade)
    words = NO_RATE if amount is None else f"{_EVERY[policy.cycle]}{amount.normalize():f}元"
    return f"{grade}　{words}" if grade else words


def _cut(lines: Iterable[PaperLine]) -> list[Sheet]:
    lines = list(lines)
    starts = range(0, len(lines), PER_SHEET)
    return [
        Sheet(number, lines[start : start + PER_SHEET]) for number, start in enumerate(starts, 1)
    ]
