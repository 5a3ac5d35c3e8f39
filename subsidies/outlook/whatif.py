"""What-if: a policy's rule with other ages, days or amounts, side by side with the one in force.

Nothing is written here. The changed rule is a copy that the finding SQL is given in place of the
place's own, so that no criterion is written a second time. Where a policy asks for facts that no record
shows, who meets the rest is a candidate and no beneficiary: such a policy is measured on its roll.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from fpadmin.accounts.models import Region
from fpadmin.scoping import below
from subsidies.eligibility.finding import found_sql
from subsidies.eligibility.predicates import Sql, words
from subsidies.outlook import money
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, Rule, policy_book
from subsidies.policies.catalogue import Criterion, criteria_from
from subsidies.policies.parameters import label_of, values_of
from subsidies.policies.terms import grades_of, rate_words

NOW, CHANGED, GAINED, LOST = "now", "changed", "gained", "lost"
SIDES = {NOW: "现行", CHANGED: "改后", GAINED: "新增", LOST: "减少"}
_HOLDS = {
    NOW: "s.is_now = 1",
    CHANGED: "s.is_changed = 1",
    GAINED: "s.is_now = 0 AND s.is_changed = 1",
    LOST: "s.is_now = 1 AND s.is_changed = 0",
}


@dataclass(frozen=True)
class Change:
    """What is changed on the copy: all criteria as they are to be, and yuan per cycle by grade."""

    criteria: tuple[Criterion, ...]
    rates: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """One policy in one place on one day, with the change to be tried.

    `before` are the criteria of a kept trial, which the place may have changed since.
    """

    code: str
    region: Region
    day: date
    change: Change
    book: PolicyBook
    before: tuple[Criterion, ...] | None = None

    @property
    def rule(self) -> Rule:
        """The rule in force."""
        return self.book.rule(self.code, self.region.path)

    @property
    def asks_otherwise(self) -> bool:
        """Whether other people may qualify, not only other amounts be paid."""
        before = self.rule.criteria if self.before is None else self.before
        return _plain(before) != _plain(self.change.criteria)


@dataclass(frozen=True)
class Row:
    """A village's figures, or all villages' together. Yuan of one year; None without a rate."""

    name: str
    code: str
    now: int
    changed: int
    gained: int
    lost: int
    yuan_now: Decimal | None
    yuan_changed: Decimal | None

    @property
    def more(self) -> int:
        return self.changed - self.now

    @property
    def yuan_more(self) -> Decimal | None:
        if self.yuan_now is None or self.yuan_changed is None:
            return None
        return self.yuan_changed - self.yuan_now


def trial(code: str, region: Region, day: date, change: Change, *, before=None) -> Trial:
    """A trial against the rules in force on the day, or against criteria that were so `before`."""
    return Trial(code, region, day, change, policy_book(day), before)


def measured_by_roll(code: str) -> bool:
    """Whether only those on the roll are measured; see the module."""
    return catalogue.policy(code).is_attested


def measure(one: Trial) -> list[Row]:
    """A row for each village in which somebody qualifies before or after, in order of their codes."""
    places = Region.objects.filter(below(one.region.path), level=Region.Level.VILLAGE)
    villages = {v.pk: v for v in places.order_by("code")}
    sides = _sides(one)
    counted = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.village_id, s.grade, SUM(s.is_now), SUM(s.is_changed),"
            " SUM(s.is_now * (1 - s.is_changed)), SUM((1 - s.is_now) * s.is_changed)"
            f" FROM ({sides.text}) s GROUP BY s.village_id, s.grade",
            sides.params,
        )
        for village, grade, now, changed, lost, gained in cursor.fetchall():
            counted[village].append((grade, int(now), int(changed), int(gained), int(lost)))
    return [_row(one, village, counted[pk]) for pk, village in villages.items() if pk in counted]


def total(rows: list[Row]) -> Row:
    """The rows together."""
    return Row(
        "合计",
        "",
        *(sum(getattr(one, name) for one in rows) for name in (NOW, CHANGED, GAINED, LOST)),
        *(_together([getattr(one, name) for one in rows]) for name in ("yuan_now", "yuan_changed")),
    )


def people_ids(one: Trial, side: str) -> RawSQL:
    """Those of one side, for Resident.objects.filter(pk__in=people_ids(…))."""
    sides = _sides(one)
    return RawSQL(f"SELECT s.resident_id FROM ({sides.text}) s WHERE {_HOLDS[side]}", sides.params)


def yearly(one: Trial, path: str, grade: str, *, changed: bool) -> Decimal | None:
    """What a unit is paid in the year of the trial's day."""
    amount = one.change.rates.get(grade) if changed else None
    if amount is not None:
        return amount * 12 if one.rule.policy.cycle == "month" else amount
    return money.of_year(one.rule, one.book, path, one.day.year, one.day, grade)


def _row(one: Trial, village: Region, counts) -> Row:
    sums = [sum(numbers) for numbers in list(zip(*counts, strict=True))[1:]]
    yuan = []
    for at, changed in ((1, False), (2, True)):
        parts = [
            _times(yearly(one, village.path, grade, changed=changed), numbers[at - 1])
            for grade, *numbers in counts
        ]
        yuan.append(_together(parts))
    return Row(village.name, village.code, *sums, *yuan)


def _times(amount: Decimal | None, count: int) -> Decimal | None:
    if not count:
        return Decimal(0)
    return None if amount is None else amount * count


def _together(parts: list[Decimal | None]) -> Decimal | None:
    return None if None in parts else sum(parts, Decimal(0))


# Who qualifies before and after ----------------------------------------------------------------------


def _sides(one: Trial) -> Sql:
    """SELECT resident_id, village_id, grade, is_now, is_changed: a row for each unit of either side."""
    pairs = _pairs(one)
    if not measured_by_roll(one.code):
        return Sql(
            "SELECT p.resident_id, p.village_id, '' AS grade, p.is_now, p.is_changed"
            f" FROM ({pairs.text}) p",
            pairs.params,
        )
    month, path = one.day.replace(day=1).isoformat(), one.region.path
    return Sql(
        "SELECT e.resident_id, r.village_id, e.grade, 1 AS is_now,"
        " CASE WHEN l.resident_id IS NULL THEN 1 ELSE 0 END AS is_changed"
        " FROM subsidies_enrolment e JOIN households_resident r ON r.id = e.resident_id"
        " JOIN accounts_region v ON v.id = r.village_id"
        f" LEFT JOIN ({pairs.text}) l"
        " ON l.resident_id = e.resident_id AND l.is_now = 1 AND l.is_changed = 0"
        " WHERE e.policy_code = %s AND v.path >= %s AND v.path < %s AND e.start_month <= %s"
        " AND (e.end_month IS NULL OR e.end_month >= %s)",
        (*pairs.params, one.code, path, path[:-1] + "/", month, month),
    )


def _pairs(one: Trial) -> Sql:
    old = None
    if one.before is not None and _plain(one.before) != _plain(one.rule.criteria):
        old = replace(one.rule, criteria=one.before)
    now = found_sql(one.code, one.day, one.region.path, book=one.book, rule=old)
    if not one.asks_otherwise:
        return Sql(
            f"SELECT n.resident_id, n.village_id, 1 AS is_now, 1 AS is_changed FROM ({now.text}) n",
            now.params,
        )
    rule = replace(one.rule, criteria=one.change.criteria)
    changed = found_sql(one.code, one.day, one.region.path, book=one.book, rule=rule)
    return Sql(
        "SELECT b.resident_id, b.village_id, MAX(b.n) AS is_now, MAX(b.c) AS is_changed FROM ("
        f"SELECT x.resident_id, x.village_id, 1 AS n, 0 AS c FROM ({now.text}) x"
        f" UNION ALL SELECT y.resident_id, y.village_id, 0, 1 FROM ({changed.text}) y"
        ") b GROUP BY b.resident_id, b.village_id",
        (*now.params, *changed.params),
    )


# In words, and as a scenario keeps it ------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One thing that is changed, as it is and as it is to be."""

    label: str
    old: str
    new: str


def differing(old, new) -> list[tuple[Criterion, Criterion]]:
    """The criteria of two lists in one order that ask otherwise, as they are and as they are to be."""
    pairs = zip(old, new, strict=True)
    return [(a, b) for a, b in pairs if _plain([a]) != _plain([b])]


def _plain(criteria) -> list[tuple[str, dict[str, Any]]]:
    """Criteria to compare: days are days, whether they came from JSON or from the catalogue."""
    return [(one.key, values_of(one)) for one in criteria]


def lines_of(code: str, kept: Mapping[str, Any]) -> list[Line]:
    """What a kept change says, by the criteria and rates that were in force then."""
    policy = catalogue.policy(code)
    criteria = differing(criteria_from(kept["before"]), criteria_from(kept["after"]))
    lines = [Line(label_of(a), words(a), words(b)) for a, b in criteria]
    for grade, (old, new) in kept["rates"].items():
        was = rate_words(policy, None if old is None else Decimal(old), grade)
        lines.append(
            Line(f"标准　{grade}".strip("　"), was, rate_words(policy, Decimal(new), grade))
        )
    return lines


def as_kept(one: Trial) -> dict[str, Any]:
    """The change with what it changed, as JSON."""
    grades = [grade for grade in grades_of(one.rule.policy) if grade in one.change.rates]
    return {
        "before": catalogue.as_entries(one.rule.criteria),
        "after": catalogue.as_entries(one.change.criteria),
        "rates": {
            grade: [_text(one.book.rate(one.code, one.region.path, grade)), _text(one.change.rates[grade])]
            for grade in grades
        },
    }  # fmt: skip


def change_of(kept: Mapping[str, Any]) -> Change:
    """The change back from as_kept()."""
    rates = {grade: Decimal(new) for grade, (_, new) in kept["rates"].items()}
    return Change(criteria_from(kept["after"]), rates)


def figures_of(rows: list[Row]) -> dict[str, dict[str, Any]]:
    """The rows as JSON, by the village's code."""
    return {
        one.code: {
            "name": one.name,
            **{name: getattr(one, name) for name in (NOW, CHANGED, GAINED, LOST)},
            **{name: _text(getattr(one, name)) for name in ("yuan_now", "yuan_changed")},
        }
        for one in rows
    }


def rows_of(figures: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """The rows back from figures_of(), in order of the villages' codes."""
    return [
        Row(
            code=code,
            **{
                name: Decimal(value) if name.startswith("yuan") and value is not None else value
                for name, value in one.items()
            },
        )
        for code, one in sorted(figures.items())
    ]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
