"""Who comes to meet a policy's criteria by age alone, or ceases to, and on which day.

What is recorded today is carried forward; only the day of the age criteria moves. They are the SQL
expressions that find people on one day, here at the end of each month over one table of facts, and for
the few whom a month turns once more at each of its days.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db import connection

from subsidies.eligibility.facts import Scope, all_hold, criteria_of, facts, people_of
from subsidies.eligibility.finding import Found, units_of
from subsidies.eligibility.predicates import Sql, predicate, sql_of
from subsidies.policies.book import Part
from subsidies.policies.catalogue import Criterion

ONE_DAY = timedelta(days=1)
# Whose age the criterion of the wife's age looked at: hers, unless a single father's.
_IS_WIFE = "CASE WHEN f.sex = '女' OR (f.spouse_here = 1 AND f.spouse_sex = '女') THEN 1 ELSE 0 END"


@dataclass(frozen=True, slots=True)
class Turn:
    """One unit on the day from which it meets the criteria (`enters`), or does so no longer.

    `criterion` is the one that turned, None where several people together made the unit turn.
    """

    unit: Found
    enters: bool
    day: date
    criterion: Criterion | None
    is_wife: bool = True


def turns(parts: tuple[Part, ...], today: date, days: Sequence[date]) -> list[Turn]:
    """The units of the parts that turn after the first of `days`, up to the last one.

    The rules of the parts ask the same; `days` are in order and no further apart than a month. In two
    statements.
    """
    ageing = [c for c in criteria_of(parts[0].rule) if predicate(c).by_age]
    if not ageing:
        return []
    found = [
        (at, unit, enters)
        for units in _units_by_day(parts, today, days, ageing).values()
        for at, unit, enters in _changes(units, len(days))
    ]
    return _dated(parts, today, days, ageing, found) if found else []


def _changes(units: dict[int, Found], count: int):
    """(index of the day, unit, whether it enters) of each change of one unit."""
    for at in range(1, count):
        if (at in units) != (at - 1 in units):
            yield at, units.get(at) or units[at - 1], at in units


def _units_by_day(
    parts: tuple[Part, ...], today: date, days: Sequence[date], ageing: Sequence[Criterion]
) -> dict[int, dict[int, Found]]:
    """{beneficiary: {index of the day: unit}} of units that any turning person belongs to."""
    rule = parts[0].rule
    steady = [c for c in criteria_of(rule) if c not in ageing]
    # Those far from every limit of an age of their own are never looked at more closely.
    near = [_near(c) for c in ageing if c.key == "age"]
    kept = tuple(c for c in rule.criteria if c not in ageing)
    table = facts(replace(rule, criteria=(*kept, *near)), today, Scope(parts))
    flags = [_flag(ageing, day, f"h{at}") for at, day in enumerate(days)]
    holds, unit = all_hold(steady, today, "f"), units_of(rule, today)
    changing = " OR ".join(f"a.h{at - 1} <> a.h{at}" for at in range(1, len(days)))
    pieces = " UNION ALL ".join(
        f"SELECT {at} AS at_day, u.* FROM (WITH meeting AS (SELECT * FROM near WHERE h{at} = 1)"
        f" {unit.text}) u"
        for at in range(len(days))
    )
    query = (
        f"{table.text}, able AS MATERIALIZED (SELECT f.*, {', '.join(flag.text for flag in flags)}"
        f" FROM facts f WHERE {holds.text}),"
        f" turning AS MATERIALIZED (SELECT a.* FROM able a WHERE {changing}),"
        f" near AS MATERIALIZED ({_RELATED[rule.policy.who]}) {pieces}"
    )
    params = (*table.params, *(v for flag in flags for v in flag.params), *holds.params)
    found: dict[int, dict[int, Found]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(query, (*params, *unit.params * len(days)))
        for at, *values in cursor.fetchall():
            found[values[0]][at] = Found(*values)
    return found


# The turning people and whoever may stand for the same unit, so that a unit is seen whole.
_RELATED = {
    "person": "SELECT * FROM turning",
    "couple": (
        "SELECT * FROM able WHERE resident_id IN (SELECT resident_id FROM turning"
        " UNION SELECT spouse_id FROM turning WHERE spouse_id IS NOT NULL)"
    ),
    "family": "SELECT * FROM able WHERE household_id IN (SELECT household_id FROM turning)",
    "child": (
        "SELECT * FROM able WHERE resident_id IN (SELECT resident_id FROM turning"
        " UNION SELECT c.father_id FROM households_childrecord c"
        " JOIN turning t ON t.resident_id = c.mother_id WHERE c.father_id IS NOT NULL"
        " UNION SELECT c.mother_id FROM households_childrecord c"
        " JOIN turning t ON t.resident_id = c.father_id WHERE c.mother_id IS NOT NULL)"
    ),
}


def _near(criterion: Criterion) -> Criterion:
    """An age so wide that it leaves out only who can't turn within a year of the day."""
    low, high = criterion.params.get("min"), criterion.params.get("max")
    return Criterion(
        "age",
        {
            **({"min": max(low - 2, 0)} if low is not None else {}),
            **({"max": high + 1} if high is not None else {}),
        },
    )


def _flag(criteria: Sequence[Criterion], day: date, name: str) -> Sql:
    holds = all_hold(criteria, day, "f")
    return Sql(f"CASE WHEN {holds.text} THEN 1 ELSE 0 END AS {name}", holds.params)


def _dated(
    parts: tuple[Part, ...], today: date, days: Sequence[date], ageing: Sequence[Criterion], found
) -> list[Turn]:
    """Each change on its day: by on how many days of the month each criterion holds."""
    spans: dict[int, set[int]] = defaultdict(set)
    for at, unit, _ in found:
        spans[at].add(unit.through_id)
    held = _days_held(parts, today, days, ageing, spans)
    return [_turn(days, ageing, at, unit, enters, held) for at, unit, enters in found]


def _turn(days, ageing, at: int, unit: Found, enters: bool, held) -> Turn:
    before, last = days[at - 1], days[at]
    length = (last - before).days
    is_wife, *counts = held[at, unit.through_id]
    turned = [
        (last - (count - 1) * ONE_DAY if enters else before + count * ONE_DAY, criterion)
        for criterion, count in zip(ageing, counts, strict=True)
        if 0 < count <= length
    ]
    if not turned:
        return Turn(unit, enters, last, None)
    day, criterion = (max if enters else min)(turned, key=lambda one: one[0])
    return Turn(unit, enters, day, criterion, bool(is_wife))


def _days_held(parts: tuple[Part, ...], today: date, days, ageing, spans: dict[int, set[int]]):
    """{(index, person): (is_wife, days on which each criterion holds)} from one of `days` to the next."""
    everybody = sorted(set().union(*spans.values()))
    table = facts(parts[0].rule, today, people_of(everybody))
    texts, params = [], list(table.params)
    for at, people in sorted(spans.items()):
        before = days[at - 1]
        span = [before + n * ONE_DAY for n in range((days[at] - before).days + 1)]
        counts = []
        for criterion in ageing:
            pieces = [sql_of(criterion, day) for day in span]
            counts.append(
                " + ".join(f"CASE WHEN {p.text.format(f='f')} THEN 1 ELSE 0 END" for p in pieces)
            )
            params += [value for piece in pieces for value in piece.params]
        marks = ", ".join(["%s"] * len(people))
        texts.append(
            f"SELECT {at}, f.resident_id, {_IS_WIFE}, {', '.join(counts)} FROM facts f"
            f" WHERE f.resident_id IN ({marks})"
        )
        params += sorted(people)
    with connection.cursor() as cursor:
        cursor.execute(table.text + " UNION ALL ".join(texts), params)
        return {(at, person): rest for at, person, *rest in cursor.fetchall()}
