"""What holds of every policy on a day, by place: the nearest region's newest row, else the catalogue."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from subsidies.models import NOTICE_DAYS, PolicyExclusion, PolicyRate, PolicyVersion, ReturnDeadline
from subsidies.policies import catalogue
from subsidies.policies.catalogue import Criterion, Policy


@dataclass(frozen=True)
class Rule:
    """A policy as it holds in one place on one day. `version` None is the shipped one."""

    policy: Policy
    criteria: tuple[Criterion, ...]
    is_on: bool
    starts: str
    ends: str
    shares: dict[str, Decimal]
    notice_days: int  # 0: no public notice
    excludes: tuple[str, ...]
    version: PolicyVersion | None = None
    number: int = 1  # how many versions the place has had, the shipped one counted

    @property
    def code(self) -> str:
        return self.policy.code

    @property
    def document(self) -> str:
        """What it rests on, with the article where one is known."""
        if self.version is None:
            return self.policy.basis
        return self.version.document + self.version.article


def documents_in(document: str) -> list[str]:
    """The documents that one text names: catalogue and counties part them by semicolons."""
    return [part.strip() for part in document.replace("；", ";").split(";") if part.strip()]


def shipped_rule(policy: Policy) -> Rule:
    """The policy as it came: switched on nowhere."""
    return Rule(
        policy, policy.criteria, False, policy.starts, policy.ends, dict(policy.shares),
        0 if policy.sensitive else NOTICE_DAYS, policy.excludes,
    )  # fmt: skip


def rule_of(version: PolicyVersion) -> Rule:
    """The rule that one version says, without what other rows say: exclusions are the shipped ones."""
    return Rule(
        version.policy,
        catalogue.criteria_from(version.criteria),
        version.is_on,
        version.starts,
        version.ends,
        {payer: Decimal(part) for payer, part in version.shares.items()},
        version.notice_days,
        version.policy.excludes,
        version,
    )


@dataclass(frozen=True)
class Part:
    """A part of a region with one rule: under `prefix`, but not under any of `without`."""

    rule: Rule
    prefix: str
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class PolicyBook:
    """The rows in force on one day: {(code, …): {path: row}}. Rules are put together when asked."""

    day: date
    versions: dict[str, dict[str, PolicyVersion]] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    rates: dict[tuple[str, str], dict[str, list[PolicyRate]]] = field(default_factory=dict)
    exclusions: dict[tuple[str, str], dict[str, PolicyExclusion]] = field(default_factory=dict)
    deadlines: dict[str, dict[str, ReturnDeadline]] = field(default_factory=dict)

    def rule(self, code: str, path: str) -> Rule:
        """The rule of `code` in the place with this path."""
        policy = catalogue.policy(code)
        version = nearest(self.versions.get(code, {}), path)
        excludes = tuple(
            other
            for other in catalogue.policies()
            if other != code and self.excludes(code, other, path)
        )
        if version is None:
            return replace(shipped_rule(policy), excludes=excludes)
        return replace(rule_of(version), excludes=excludes, number=self.numbers[version.pk])

    def is_on(self, code: str, path: str) -> bool:
        """Whether the place has switched the policy on."""
        version = nearest(self.versions.get(code, {}), path)
        return version is not None and version.is_on

    def on_codes(self, path: str) -> list[str]:
        """The policies that the place has switched on, in the catalogue's order."""
        return [code for code in catalogue.policies() if self.is_on(code, path)]

    def on_codes_within(self, path: str) -> list[str]:
        """The policies switched on in the place or anywhere below it."""
        return [
            code
            for code in catalogue.policies()
            if any(part.rule.is_on for part in self.parts(code, path))
        ]

    def excludes(self, code: str, other: str, path: str) -> bool:
        """Whether being on the roll of `other` keeps somebody from `code`."""
        row = self.exclusion(code, other, path)
        return row.excluded if row else other in catalogue.policy(code).excludes

    def exclusion(self, code: str, other: str, path: str) -> PolicyExclusion | None:
        """The row that says so; None where the catalogue does."""
        return nearest(self.exclusions.get((code, other), {}), path)

    def rate(
        self, code: str, path: str, grade: str = "", day: date | None = None
    ) -> Decimal | None:
        """Yuan per cycle on `day` (the book's own, unless told otherwise); None where there is none.

        The nearest region that has a rate by then counts, also against newer ones of the catalogue.
        """
        day = day or self.day
        places = self.rates.get((code, grade), {})
        own = {prefix: [r for r in rows if r.from_on <= day] for prefix, rows in places.items()}
        found = nearest({prefix: rows for prefix, rows in own.items() if rows}, path)
        if found:
            return found[-1].amount
        shipped = [r for r in catalogue.policy(code).rates if r.grade == grade and r.from_on <= day]
        return max(shipped, key=lambda r: r.from_on).amount if shipped else None

    def due(self, code: str, path: str, year: int) -> date | None:
        """The day of `year` by which the policy's return is due; None where none is known."""
        row = self.deadline(code, path)
        if row:
            return date(year, row.month, row.day)
        text = catalogue.policy(code).return_due
        return date.fromisoformat(f"{year}-{text}") if text else None

    def deadline(self, code: str, path: str) -> ReturnDeadline | None:
        """The row that says so; None where the catalogue does."""
        return nearest(self.deadlines.get(code, {}), path)

    def parts(self, code: str, path: str) -> list[Part]:
        """The region of `path`, cut where a deeper place has a rule of its own. One part, mostly."""
        changed = set(self.versions.get(code, {}))
        for (one, _), places in self.exclusions.items():
            if one == code:
                changed |= set(places)
        deeper = sorted(p for p in changed if p.startswith(path) and p != path)
        return [
            Part(
                self.rule(code, prefix),
                prefix,
                tuple(p for p in deeper if p != prefix and p.startswith(prefix)),
            )
            for prefix in (path, *deeper)
        ]


def nearest(places: dict[str, Any], path: str):
    """The value of the deepest place that `path` lies in; None where there is none."""
    found = [prefix for prefix in places if path.startswith(prefix)]
    return places[max(found, key=len)] if found else None


def policy_book(day: date) -> PolicyBook:
    """In a fixed number of queries. Rates of later days are in it too, for look-ahead."""
    return policy_books([day])[day]


def policy_books(days: Collection[date]) -> dict[date, PolicyBook]:
    """The book of each day, in a fixed number of queries for all of them."""
    versions, rates, exclusions, deadlines = (
        list(
            model.objects.filter(cancelled_at__isnull=True)
            .select_related("region")
            .order_by("from_on", "pk")
        )
        for model in (PolicyVersion, PolicyRate, PolicyExclusion, ReturnDeadline)
    )
    return {day: _book(day, versions, rates, exclusions, deadlines) for day in days}


def _book(day: date, versions, rates, exclusions, deadlines) -> PolicyBook:
    book = PolicyBook(day)
    counts = defaultdict(lambda: 1)
    for row in versions:
        place = row.policy_code, row.region.path
        counts[place] += 1
        book.numbers[row.pk] = counts[place]
        if row.from_on <= day:
            book.versions.setdefault(row.policy_code, {})[row.region.path] = row
    for row in rates:
        places = book.rates.setdefault((row.policy_code, row.grade), {})
        places.setdefault(row.region.path, []).append(row)
    for row in exclusions:
        if row.from_on <= day:
            key = row.policy_code, row.other_code
            book.exclusions.setdefault(key, {})[row.region.path] = row
    for row in deadlines:
        if row.from_on <= day:
            book.deadlines.setdefault(row.policy_code, {})[row.region.path] = row
    return book
