"""Every version and rate of a policy by place, with what each changed and whether it holds."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from subsidies.models import PolicyRate, PolicyVersion
from subsidies.policies import catalogue
from subsidies.policies.book import (
    PolicyBook,
    Rule,
    nearest,
    policy_book,
    policy_books,
    rule_of,
    shipped_rule,
)
from subsidies.policies.catalogue import Policy
from subsidies.policies.overview import what_is
from subsidies.policies.terms import Line, changes_in_words, grades_of, rate_words

SHIPPED = "shipped"  # stands in addresses for the catalogue's own version
NOW, LATER, PAST, CANCELLED = (
    ("ok", "执行中"), ("wait", "待生效"), ("off", "已替换"), ("off", "已取消"),
)  # fmt: skip


@dataclass(frozen=True)
class VersionLine:
    """One version: its number in its place, what it changed of what held the day before."""

    version: PolicyVersion
    number: int | None  # None once cancelled
    state: tuple[str, str]
    changed: str
    may_cancel: bool


@dataclass(frozen=True)
class RateLine:
    """One rate; `row` None for one of the catalogue."""

    region: str
    grade: str
    words: str
    from_on: date
    document: str
    state: tuple[str, str]
    row: PolicyRate | None = None
    may_cancel: bool = False


def versions_of(user, code: str, day: date) -> list[VersionLine]:
    """The versions that concern the user's region: its own, those below and those above; newest first."""
    rows = list(
        PolicyVersion.objects.visible_to(user)
        .filter(policy_code=code)
        .select_related("region", "set_by")
        .order_by("-from_on", "-pk")
    )
    eves = {row.from_on - timedelta(1) for row in rows}
    books, numbers = policy_books(eves), policy_book(day).numbers
    current = _current(rows, day, lambda row: row.region_id)
    return [
        VersionLine(
            row,
            numbers.get(row.pk),
            _state(row, day, current),
            changes_in_words(
                books[row.from_on - timedelta(1)].rule(code, row.region.path), rule_of(row)
            ),
            _may_cancel(user, row, day),
        )
        for row in rows
    ]


def rates_of(user, code: str, place: Region, day: date) -> list[RateLine]:
    """The rates of the catalogue and of the places, newest first; which holds is said for the place."""
    policy, book = catalogue.policy(code), policy_book(day)
    rows = list(
        PolicyRate.objects.visible_to(user)
        .filter(policy_code=code)
        .select_related("region", "set_by")
        .order_by("-from_on", "-pk")
    )
    current = _current(rows, day, lambda row: (row.region_id, row.grade))
    own = [
        RateLine(
            row.region.name, row.grade, rate_words(policy, row.amount, row.grade), row.from_on,
            row.document + row.article, _state(row, day, current), row,
            _may_cancel(user, row, day),
        )
        for row in rows
    ]  # fmt: skip
    shipped = [
        RateLine(
            "目录", rate.grade, rate_words(policy, rate.amount, rate.grade), rate.from_on,
            policy.basis, _shipped_state(rate, book, policy, place.path, day),
        )
        for rate in policy.rates
    ]  # fmt: skip
    return sorted(own + shipped, key=lambda line: line.from_on, reverse=True)


def version_choices(user, code: str) -> list[tuple[str, str]]:
    """(key, words) of the versions that may be compared, the shipped one last."""
    rows = (
        PolicyVersion.objects.visible_to(user)
        .filter(policy_code=code)
        .select_related("region")
        .order_by("-from_on", "-pk")
    )
    words = [
        (
            str(row.pk),
            f"{row.region.name}　{row.from_on}起　{row.document}"
            + ("（已取消）" if row.cancelled_at else ""),
        )
        for row in rows
    ]
    return [*words, (SHIPPED, "目录（随系统提供，没有启用）")]


def rule_by_key(user, code: str, key: str) -> Rule | None:
    """The rule of one of version_choices(); None for a key that is not among them."""
    if key == SHIPPED:
        return shipped_rule(catalogue.policy(code))
    if not (key.isascii() and key.isdecimal()) or len(key) > 18:
        return None
    rows = PolicyVersion.objects.visible_to(user).select_related("region")
    row = rows.filter(policy_code=code, pk=int(key)).first()
    return rule_of(row) if row else None


def _current(rows, day: date, key) -> set[int]:
    """The newest uncancelled row of each key whose day has come; `rows` are newest first."""
    found = {}
    for row in rows:
        if row.cancelled_at is None and row.from_on <= day:
            found.setdefault(key(row), row.pk)
    return set(found.values())


def _state(row, day: date, current: set[int]) -> tuple[str, str]:
    if row.cancelled_at:
        return CANCELLED
    if row.from_on > day:
        return LATER
    return NOW if row.pk in current else PAST


def _shipped_state(rate, book: PolicyBook, policy, path: str, day: date) -> tuple[str, str]:
    if rate.from_on > day:
        return LATER
    places = book.rates.get((policy.code, rate.grade), {})
    replaced = nearest(
        {prefix: True for prefix, rows in places.items() if any(r.from_on <= day for r in rows)},
        path,
    )
    newest = max(r.from_on for r in policy.rates if r.grade == rate.grade and r.from_on <= day)
    return PAST if replaced or rate.from_on < newest else NOW


def _may_cancel(user, row, day: date) -> bool:
    own = row.region.path.startswith(user.scope_path or " ")
    return (
        row.cancelled_at is None and row.from_on > day and own and user.may(Permission.BENEFIT_RULE)
    )


def current_amounts(code: str, place: Region, day: date) -> dict[str, Decimal | None]:
    """The rate of each grade in the place on the day."""
    book = policy_book(day)
    return {
        grade: book.rate(code, place.path, grade) for grade in grades_of(catalogue.policy(code))
    }


def rate_lines(policy: Policy, place: Region, day: date, amounts: dict[str, Decimal]) -> list[Line]:
    """Each grade's rate as it would hold on the day, and as it is to be."""
    book = policy_book(day)
    return [
        Line(
            grade or "标准",
            rate_words(policy, book.rate(policy.code, place.path, grade), grade),
            rate_words(policy, amount, grade),
        )
        for grade, amount in amounts.items()
    ]


def next_after(model, code: str, place: Region, day: date):
    """The row already set for the place that follows one of that day; None where there is none."""
    rows = model.objects.filter(
        policy_code=code, region=place, from_on__gt=day, cancelled_at__isnull=True
    )
    return rows.order_by("from_on").first()


@dataclass(frozen=True)
class SettingLine:
    """One exclusion or deadline as it was set."""

    row: Any
    what: str
    state: tuple[str, str]
    may_cancel: bool


def settings_of(user, model, day: date) -> list[SettingLine]:
    """The exclusions or deadlines that concern the user's region, newest first."""
    rows = list(
        model.objects.visible_to(user)
        .select_related("region", "set_by")
        .order_by("-from_on", "-pk")
    )
    book = policy_book(day)
    current = _current(
        rows, day, lambda row: (row.region_id, row.policy_code, getattr(row, "other_code", ""))
    )
    return [
        SettingLine(row, what_is(row, book), _state(row, day, current), _may_cancel(user, row, day))
        for row in rows
    ]
