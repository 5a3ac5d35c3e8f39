"""Everybody who qualifies for a policy on a day, found in one statement.

A line is a unit of the policy (`who`): the person; of a couple the wife, where she lives and is registered
here, else the parent himself; of a family the living 户主; of a child the living child. A couple, family or
child qualifies when one of its people meets all criteria: who that is, is told beside it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models.expressions import RawSQL

from households.models import Relation, Sex
from subsidies.eligibility.facts import Scope, all_hold, criteria_of, facts
from subsidies.eligibility.predicates import Sql, predicate
from subsidies.policies.book import Part, PolicyBook, Rule, policy_book

EVERYBODY = Sql("1 = 1")


@dataclass(frozen=True, slots=True)
class Found:
    """One unit that qualifies, and the person whose facts met the criteria."""

    resident_id: int
    household_id: int
    village_id: int
    through_id: int


def found(
    code: str, day: date, path: str, *, book: PolicyBook | None = None, rule: Rule | None = None
) -> list[Found]:
    """Everybody under the region's path who qualifies on `day`, in order of village and person.

    Attested criteria are left aside: who meets the others is a candidate. `rule` stands in for the
    rules of the places, for a what-if.
    """
    query = found_sql(code, day, path, book=book, rule=rule)
    with connection.cursor() as cursor:
        cursor.execute(f"{query.text} ORDER BY 3, 1", query.params)
        return [Found(*row) for row in cursor.fetchall()]


def found_ids(
    code: str, day: date, path: str, *, book: PolicyBook | None = None, rule: Rule | None = None
) -> RawSQL:
    """The same people as a subquery: Resident.objects.filter(pk__in=found_ids(…))."""
    query = found_sql(code, day, path, book=book, rule=rule)
    return RawSQL(f"SELECT found.resident_id FROM ({query.text}) found", query.params)


def count_by_village(
    code: str, day: date, path: str, *, book: PolicyBook | None = None, rule: Rule | None = None
) -> dict[int, int]:
    """How many qualify, by the village's key; villages without any are left out."""
    query = found_sql(code, day, path, book=book, rule=rule)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT village_id, COUNT(*) FROM ({query.text}) found GROUP BY village_id",
            query.params,
        )
        return dict(cursor.fetchall())


def found_sql(
    code: str,
    day: date,
    path: str,
    *,
    book: PolicyBook | None = None,
    rule: Rule | None = None,
    among: Sql = EVERYBODY,
) -> Sql:
    """SELECT resident_id, household_id, village_id, through_id: a row for each unit, each once.

    `among` limits the named people to those whose spell `s` meets it.
    """
    if rule is not None:
        groups = [(Part(rule, path),)]
    else:
        groups = alike((book or policy_book(day)).parts(code, path))
    pieces = [_of_parts(parts, day, among) for parts in groups]
    text = " UNION ALL ".join(
        f"SELECT resident_id, household_id, village_id, through_id FROM ({piece.text}) part{n}"
        for n, piece in enumerate(pieces)
    )
    return Sql(text, tuple(value for piece in pieces for value in piece.params))


def units_of(rule: Rule, day: date) -> Sql:
    """The policy's units among the people of a table `meeting`, which is made of facts()."""
    return _UNITS[rule.policy.who](day)


def alike(parts: Sequence[Part]) -> list[tuple[Part, ...]]:
    """The parts by what their rules ask: one statement finds the people of all that ask the same.

    Where the whole region asks the same it is one part again.
    """
    groups = defaultdict(list)
    for part in parts:
        groups[repr((part.rule.criteria, part.rule.excludes))].append(part)
    if len(groups) == 1:
        return [(Part(parts[0].rule, parts[0].prefix),)]
    return [tuple(some) for some in groups.values()]


def _of_parts(parts: tuple[Part, ...], day: date, among: Sql) -> Sql:
    rule = parts[0].rule
    table = facts(rule, day, Scope(parts, among=among), lean=True)
    # What a person's own row and children decide was asked already, where the facts were gathered.
    asked = [(c, predicate(c)) for c in criteria_of(rule)]
    rest = [c for c, one in asked if not (one.is_own or one.of_children)]
    holds = all_hold(rest, day, "f")
    unit = units_of(rule, day)
    once = "" if rule.policy.who == "person" else "MATERIALIZED"
    return Sql(
        f"{table.text}, meeting AS {once} (SELECT {_NAMING} FROM facts f WHERE {holds.text}) {unit.text}",
        (*table.params, *holds.params, *unit.params),
    )


# What the units are named by.
_NAMING = (
    "f.resident_id, f.household_id, f.village_id, f.relation, f.sex, f.spouse_id, f.spouse_here,"
    " f.spouse_sex"
)


def _person(day: date) -> Sql:
    return Sql(
        "SELECT resident_id, household_id, village_id, resident_id AS through_id FROM meeting"
    )


def _couple(day: date) -> Sql:
    named = (
        f"CASE WHEN m.sex = '{Sex.MALE}' AND m.spouse_here = 1 AND m.spouse_sex = '{Sex.FEMALE}'"
        " THEN m.spouse_id ELSE m.resident_id END"
    )
    return _grouped(f"SELECT {named} AS named_id, m.resident_id AS met_id FROM meeting m")


def _family(day: date) -> Sql:
    # The living 户主; in a household without one, whoever meets the criteria and was registered first.
    head = (
        "SELECT household_id, MIN(resident_id) AS head_id FROM here"
        f" WHERE relation = '{Relation.HEAD}' GROUP BY household_id"
    )
    return Sql(
        "SELECT COALESCE(h.head_id, q.through_id) AS resident_id, q.household_id, q.village_id,"
        " COALESCE(q.own_id, q.through_id) AS through_id FROM ("
        " SELECT m.household_id, m.village_id, MIN(m.resident_id) AS through_id,"
        f" MIN(CASE WHEN m.relation = '{Relation.HEAD}' THEN m.resident_id END) AS own_id"
        " FROM meeting m GROUP BY m.household_id, m.village_id"
        f") q LEFT JOIN ({head}) h ON h.household_id = q.household_id"
    )


def _child(day: date) -> Sql:
    living = "(c.death_date IS NULL OR c.death_date > %s) AND c.birth_date <= %s"
    pairs = " UNION ALL ".join(
        "SELECT c.child_id AS named_id, m.resident_id AS met_id FROM meeting m"
        f" JOIN households_childrecord c ON c.{parent}_id = m.resident_id"
        f" WHERE c.child_id IS NOT NULL AND {living}"
        for parent in ("mother", "father")
    )
    grouped = _grouped(pairs)
    return Sql(grouped.text, (day.isoformat(),) * 4)


def _grouped(pairs: str) -> Sql:
    """Each named person of the place once; by their own facts where those meet the criteria."""
    return Sql(
        "SELECT h.resident_id, h.household_id, h.village_id,"
        " COALESCE(MIN(CASE WHEN u.met_id = u.named_id THEN u.met_id END), MIN(u.met_id)) AS through_id"
        f" FROM ({pairs}) u JOIN here h ON h.resident_id = u.named_id"
        " GROUP BY h.resident_id, h.household_id, h.village_id"
    )


_UNITS = {"person": _person, "couple": _couple, "family": _family, "child": _child}
