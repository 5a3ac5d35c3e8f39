"""What the pages of the policies show: what holds of each in a place, what is set for later, the matrix."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from fpadmin.accounts.models import Region
from fpadmin.ui.templatetags.ui import date_dash
from subsidies.models import PolicyExclusion, PolicyRate, PolicyVersion, ReturnDeadline
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, Rule, policy_book
from subsidies.policies.catalogue import Policy
from subsidies.policies.terms import rate_words, rates_words

ON, OFF, LATER = ("ok", "启用"), ("off", "未启用"), ("wait", "待启用")


@dataclass(frozen=True)
class Scheduled:
    """One change of a day to come."""

    from_on: date
    region: str
    what: str
    row: Any  # the model instance, for cancelling


@dataclass(frozen=True)
class PolicyRow:
    """One policy as it holds in a place."""

    policy: Policy
    rule: Rule
    rates: list[tuple[str, str]]
    scheduled: list[Scheduled]
    own_rules: int  # places below with a rule of their own

    @property
    def state(self) -> tuple[str, str]:
        """Kind and word of its status tag."""
        if self.rule.is_on:
            return ON
        later = any(isinstance(s.row, PolicyVersion) and s.row.is_on for s in self.scheduled)
        return LATER if later else OFF


def rows_of(user, place: Region, day: date) -> list[PolicyRow]:
    """Every policy of the catalogue in the place on the day: those that are on first."""
    book = policy_book(day)
    later = scheduled(user, place, book)
    rows = [_row(policy, book, later, place) for policy in catalogue.policies().values()]
    return sorted(rows, key=lambda row: not row.rule.is_on)


def row_of(policy: Policy, book: PolicyBook, user, place: Region) -> PolicyRow:
    """One policy in the place on the book's day."""
    return _row(policy, book, scheduled(user, place, book, policy.code), place)


def _row(policy: Policy, book: PolicyBook, later: list[Scheduled], place: Region) -> PolicyRow:
    return PolicyRow(
        policy,
        book.rule(policy.code, place.path),
        rates_words(policy, book, place.path),
        [one for one in later if one.row.policy_code == policy.code],
        own_rules_below(book, policy.code, place.path),
    )


def own_rules_below(book: PolicyBook, code: str, path: str) -> int:
    """How many places below have a rule of their own, which the place's doesn't reach."""
    return sum(p.startswith(path) and p != path for p in book.versions.get(code, {}))


def scheduled(user, place: Region, book: PolicyBook, code: str = "") -> list[Scheduled]:
    """What is set for days after the book's that concerns the place or a part of it, soonest first."""
    found = []
    for model in (PolicyVersion, PolicyRate, PolicyExclusion, ReturnDeadline):
        rows = model.objects.visible_to(user).filter(
            from_on__gt=book.day, cancelled_at__isnull=True
        )
        if code:
            rows = rows.filter(policy_code=code)
        for row in rows.select_related("region"):
            if place.path.startswith(row.region.path) or row.region.path.startswith(place.path):
                found.append(Scheduled(row.from_on, row.region.name, what_is(row, book), row))
    return sorted(found, key=lambda one: (one.from_on, one.region))


def what_is(row, book: PolicyBook) -> str:
    """A row in a few words; of a version whether it switches what the book's day has, or changes it."""
    if isinstance(row, PolicyVersion):
        if row.is_on == book.is_on(row.policy_code, row.region.path):
            return "条件或发放办法改变"
        return "启用" if row.is_on else "停用"
    if isinstance(row, PolicyRate):
        return f"标准{row.grade}{rate_words(row.policy, row.amount, row.grade)}"
    if isinstance(row, PolicyExclusion):
        other = catalogue.name_of(row.other_code)
        return f"{'不能' if row.excluded else '可以'}与{other}同时享受"
    return f"上报期限{row.month}月{row.day}日"


@dataclass(frozen=True)
class MatrixCell:
    """Whether the column's roll keeps somebody from the row's policy; `source` says by which document."""

    excluded: bool
    source: str


@dataclass(frozen=True)
class MatrixRow:
    """One policy of the matrix; None where it meets itself."""

    number: int
    policy: Policy
    cells: list[MatrixCell | None]


def matrix(place: Region, day: date) -> list[MatrixRow]:
    """Every policy against every other one, as it holds in the place on the day."""
    book, known = policy_book(day), catalogue.policies()
    return [
        MatrixRow(
            number,
            policy,
            [None if code == other else _cell(book, code, other, place.path) for other in known],
        )
        for number, (code, policy) in enumerate(known.items(), start=1)
    ]


def _cell(book: PolicyBook, code: str, other: str, path: str) -> MatrixCell:
    row = book.exclusion(code, other, path)
    if row is None:
        return MatrixCell(book.excludes(code, other, path), "")
    return MatrixCell(row.excluded, f"{row.document}，{date_dash(row.from_on)}起")


@dataclass(frozen=True)
class DueRow:
    """By when a policy's return is due this year, and by which document."""

    policy: Policy
    due: date | None
    source: str


def deadlines(place: Region, day: date) -> list[DueRow]:
    """Every policy with its deadline in the place, soonest in the year first; those without last."""
    book = policy_book(day)
    rows = []
    for code, policy in catalogue.policies().items():
        row = book.deadline(code, place.path)
        source = f"{row.document}，{date_dash(row.from_on)}起" if row else ""
        rows.append(DueRow(policy, book.due(code, place.path, day.year), source))
    return sorted(rows, key=lambda row: (row.due is None, row.due or date.max))
