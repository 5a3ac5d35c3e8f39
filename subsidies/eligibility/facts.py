"""The facts of people on a day, one row a person: what every criterion looks at.

One statement for both databases. Columns: resident_id, household_id, village_id, on_books (1: living,
with a spell in force), sex, birth_date, death_date, residence, hukou, relation, employment; spouse_here
(1: the linked spouse lives, the marriage lasts and he or she is registered here), spouse_id, spouse_sex,
spouse_birth_date, spouse_hukou; certificate (1: on one's own row or the linked spouse's, living or dead,
dated by the day); children_ever, children_living, girls_living, living_birth_date and living_grade (rank
of the disability) of the only living child; births_outside the policy in the rule's window. Children
count once born by the day.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from households.models import Marital, Sex
from subsidies.eligibility.predicates import EXCLUDES, GRADES, Sql, predicate, sql_of
from subsidies.policies.book import Part, Rule
from subsidies.policies.catalogue import Criterion

MARRIED = (Marital.FIRST.value, Marital.REMARRIED.value, Marital.RESUMED.value)
_IN_FORCE = "({s}.started_on IS NULL OR {s}.started_on <= %s) AND ({s}.ended_on IS NULL OR {s}.ended_on > %s)"
_RANK = " ".join(f"WHEN '{grade}' THEN {rank}" for grade, rank in GRADES.items())


def criteria_of(rule: Rule) -> tuple[Criterion, ...]:
    """The rule's criteria; last of all that none of the excluding policies is drawn."""
    excludes = (Criterion(EXCLUDES, rule.excludes),) if rule.excludes else ()
    return (*rule.criteria, *excludes)


def all_hold(criteria: Sequence[Criterion], day: date, alias: str) -> Sql:
    """The criteria joined by AND, over the facts called `alias`."""
    parts = [sql_of(criterion, day) for criterion in criteria]
    text = " AND ".join(part.text for part in parts).format(f=alias) or "1 = 1"
    return Sql(text, tuple(value for part in parts for value in part.params))


@dataclass(frozen=True)
class Scope:
    """Whose facts: the people of some places, or those of `people` wherever they are or were.

    `among` leaves of the places those whose spell `s` meets it, where only some are asked about.
    """

    parts: tuple[Part, ...] = ()
    people: tuple[int, ...] = ()
    among: Sql = Sql("1 = 1")


def people_of(ids: Collection[int]) -> Scope:
    """These people, also those who are dead or have left: for them the last spell counts."""
    return Scope(people=tuple(ids))


def facts(rule: Rule, day: date, scope: Scope, *, lean: bool = False) -> Sql:
    """WITH … clauses that end in a table `facts`; the caller goes on with SELECT … FROM facts.

    With a place the people who fail a criterion of their own row or of their children are left out;
    `lean` leaves empty what no criterion of the rule looks at. Each step is materialised: seen
    through, the many conditions would look to a planner as if nobody were left.
    """
    criteria = criteria_of(rule)
    wide = lean and all(part.prefix.count(".") <= _WIDE for part in scope.parts)
    if scope.parts:
        base = _people(rule, day, scope, wide=wide)
    else:
        base = _named_people(scope.people, day)
    own = fit = Sql("1 = 1")
    if scope.parts:
        own = all_hold([c for c in criteria if predicate(c).is_own], day, "b")
        fit = all_hold([c for c in criteria if predicate(c).of_children], day, "k")
    spouses = _with_spouse(day)
    if lean and rule.policy.who != "couple" and not any(predicate(c).of_spouse for c in criteria):
        spouses = Sql(f"SELECT p.*, {_NO_SPOUSE} FROM parents p")
    if wide and _from_children(criteria):
        steps = _children_first(rule, day, own, fit)
    else:
        none = lean and not any(predicate(c).of_children for c in criteria)
        steps = _people_first(rule, day, own, fit, childless=none)
    once = "" if lean else "MATERIALIZED"
    return Sql(
        f"WITH {base.text}, {steps.text}, facts AS {once} ({spouses.text}) ",
        (*base.params, *steps.params, *spouses.params),
    )


def _people_first(rule: Rule, day: date, own: Sql, fit: Sql, *, childless: bool) -> Sql:
    """The people of the place, then their children: for a place that is small beside the registry."""
    people = f"(SELECT * FROM base b WHERE {own.text})"
    if childless:
        return Sql(f"parents AS (SELECT p.*, {_NO_CHILDREN} FROM {people} p)", own.params)
    children = _children(rule, day)
    return Sql(
        f"people AS MATERIALIZED {people}, children AS MATERIALIZED ({children.text}),"
        f" parents AS MATERIALIZED ({_PARENTS} WHERE {fit.text})",
        (*own.params, *children.params, *fit.params),
    )


def _children_first(rule: Rule, day: date, own: Sql, fit: Sql) -> Sql:
    """Every birth history that meets the criteria of children, then whose it is."""
    children = _children(rule, day, everybody=True)
    return Sql(
        f"children AS MATERIALIZED (SELECT * FROM ({children.text}) k WHERE {fit.text}),"
        " parents AS MATERIALIZED (SELECT b.*, k.children_ever, k.children_living, k.girls_living,"
        " k.living_birth_date, k.living_grade, k.births_outside"
        f" FROM children k JOIN base b ON b.resident_id = k.parent_id WHERE {own.text})",
        (*children.params, *fit.params, *own.params),
    )


_NO_SPOUSE = (
    "0 AS spouse_here, NULL AS spouse_sex, NULL AS spouse_birth_date, NULL AS spouse_hukou,"
    " 0 AS certificate"
)
_NO_CHILDREN = (
    "0 AS children_ever, 0 AS children_living, 0 AS girls_living, NULL AS living_birth_date,"
    " NULL AS living_grade, 0 AS births_outside"
)
_WIDE = 3  # a county's path has so many steps: with it most of a registry is asked for


def _from_children(criteria: Sequence[Criterion]) -> bool:
    """Whether to begin with the children, of whom few are as the rule asks.

    Somebody without any must fail one of the criteria. An age of one's own leaves fewer still.
    """
    asks_for_one = any(
        c.key in ("ever_had_child", "only_child_disabled", "child_age")
        or (c.key == "children_ever" and c.params > 0)
        or (c.key == "living_children" and "none" not in c.params)
        for c in criteria
    )
    return asks_for_one and not any(c.key == "age" for c in criteria)


def in_force(alias: str, day: date) -> Sql:
    """Spells `alias` that hold on `day`; an unknown start counts as always."""
    return Sql(_IN_FORCE.format(s=alias), (day.isoformat(), day.isoformat()))


def alive(alias: str, day: date) -> Sql:
    """Born by `day` and not dead on it: a death date on or before the day is dead."""
    return Sql(
        f"{alias}.birth_date <= %s AND ({alias}.death_date IS NULL OR {alias}.death_date > %s)",
        (day.isoformat(), day.isoformat()),
    )


def within(alias: str, parts: Sequence[Part]) -> Sql:
    """Regions `alias` of any of the parts."""
    pieces = [_within(alias, part) for part in parts]
    text = " OR ".join(f"({piece.text})" for piece in pieces)
    return Sql(f"({text})", tuple(value for piece in pieces for value in piece.params))


def _within(alias: str, part: Part) -> Sql:
    places = [(part.prefix, ""), *((prefix, "NOT ") for prefix in part.without)]
    text = " AND ".join(
        f"{negation}({alias}.path >= %s AND {alias}.path < %s)" for _, negation in places
    )
    return Sql(text, tuple(end for prefix, _ in places for end in (prefix, prefix[:-1] + "/")))


_COLUMNS = """
    s.resident_id, s.household_id, s.village_id, s.relation, s.residence, s.hukou, r.sex, r.birth_date,
    r.death_date, r.marital, r.employment, r.spouse_id, r.only_child_cert_no, r.only_child_cert_date
"""


def _people(rule: Rule, day: date, scope: Scope, *, wide: bool) -> Sql:
    """`here`: who is registered and living in the place; `base`: whose facts decide of them.

    Of a `wide` place those of everybody: who decides of nobody here is dropped with the units.
    """
    force, living, places = in_force("s", day), alive("r", day), within("v", scope.parts)
    place = Sql(f"{places.text} AND {scope.among.text}", (*places.params, *scope.among.params))
    here = (
        f"here AS {'' if wide else 'MATERIALIZED'} ("
        "SELECT s.resident_id, s.household_id, s.village_id, r.spouse_id, s.relation"
        " FROM households_residency s JOIN households_resident r ON r.id = s.resident_id"
        " JOIN accounts_region v ON v.id = s.village_id"
        f" WHERE {force.text} AND {living.text} AND {place.text})"
    )
    params = (*force.params, *living.params, *place.params)
    deciding = _DECIDING.get(rule.policy.who, "")
    # Where each person decides of himself, or of his household, the place's people are the base.
    if not deciding:
        base = (
            f"base AS (SELECT {_COLUMNS}, 1 AS on_books FROM households_residency s"
            " JOIN households_resident r ON r.id = s.resident_id"
            " JOIN accounts_region v ON v.id = s.village_id"
            f" WHERE {force.text} AND {living.text} AND {place.text})"
        )
        return (
            Sql(base, params) if rule.policy.who == "person" else Sql(f"{here}, {base}", params * 2)
        )
    if wide:
        base = (
            f"base AS (SELECT {_COLUMNS}, 1 AS on_books FROM households_residency s"
            f" JOIN households_resident r ON r.id = s.resident_id WHERE {force.text} AND {living.text})"
        )
        return Sql(f"{here}, {base}", (*params, *force.params, *living.params))
    base = (
        f"deciding AS MATERIALIZED ({deciding}), base AS ("
        f"SELECT {_COLUMNS}, 1 AS on_books FROM deciding d"
        " JOIN households_residency s ON s.resident_id = d.resident_id"
        f" JOIN households_resident r ON r.id = s.resident_id WHERE {force.text} AND {living.text})"
    )
    return Sql(f"{here}, {base}", (*params, *force.params, *living.params))


# Who decides of the people here: of a couple either of the two, of a child its parents.
_DECIDING = {
    "couple": "SELECT resident_id FROM here UNION SELECT spouse_id FROM here WHERE spouse_id IS NOT NULL",
    "child": (
        "SELECT c.mother_id AS resident_id FROM households_childrecord c"
        " JOIN here h ON h.resident_id = c.child_id"
        " WHERE c.mother_id IS NOT NULL UNION"
        " SELECT c.father_id FROM households_childrecord c JOIN here h ON h.resident_id = c.child_id"
        " WHERE c.father_id IS NOT NULL"
    ),
}


def _named_people(ids: tuple[int, ...], day: date) -> Sql:
    force, living, again = in_force("s", day), alive("r", day), in_force("o", day)
    marks = ", ".join(["%s"] * len(ids))
    return Sql(
        f"base AS (SELECT {_COLUMNS}, CASE WHEN {force.text} AND {living.text} THEN 1 ELSE 0 END"
        " AS on_books FROM households_residency s"
        " JOIN households_resident r ON r.id = s.resident_id"
        f" WHERE s.resident_id IN ({marks}) AND s.id = (SELECT o.id FROM households_residency o"
        f" WHERE o.resident_id = s.resident_id ORDER BY CASE WHEN {again.text} THEN 0 ELSE 1 END,"
        " CASE WHEN o.ended_on IS NULL THEN 0 ELSE 1 END, o.ended_on DESC, o.id DESC LIMIT 1))",
        (*force.params, *living.params, *ids, *again.params),
    )


def _children(rule: Rule, day: date, *, everybody: bool = False) -> Sql:
    """By parent: the birth history on the day. A child stands once in it for each parent.

    Of the people gathered, or of `everybody`.
    """
    living = "c.death_date IS NULL OR c.death_date > %s"
    window = next((c.params for c in rule.criteria if c.key == "no_birth_outside_policy"), None)
    outside = Sql("0")
    if window:
        outside = Sql(
            "SUM(CASE WHEN NOT c.within_policy AND c.birth_date >= %s AND c.birth_date <= %s"
            " THEN 1 ELSE 0 END)",
            (str(window["from"]), str(window["to"])),
        )
    one_day = day.isoformat()
    columns = (
        "c.death_date, c.birth_date, c.sex, c.within_policy, c.disability_grade, c.disability_date"
    )
    of_people = " JOIN people p ON c.{0}_id = p.resident_id" * (not everybody)
    pairs = " UNION ALL ".join(
        f"SELECT c.{parent}_id AS parent_id, {columns} FROM households_childrecord c"
        f"{of_people.format(parent)} WHERE c.birth_date <= %s AND c.{parent}_id IS NOT NULL"
        for parent in ("mother", "father")
    )
    return Sql(
        f"SELECT c.parent_id, COUNT(*) AS children_ever,"
        f" SUM(CASE WHEN {living} THEN 1 ELSE 0 END) AS children_living,"
        f" SUM(CASE WHEN ({living}) AND c.sex = '{Sex.FEMALE}' THEN 1 ELSE 0 END) AS girls_living,"
        f" MAX(CASE WHEN {living} THEN c.birth_date END) AS living_birth_date,"
        f" MIN(CASE WHEN ({living}) AND (c.disability_date IS NULL OR c.disability_date <= %s)"
        f" THEN CASE c.disability_grade {_RANK} END END) AS living_grade,"
        f" {outside.text} AS births_outside FROM ("
        f"{pairs}) c GROUP BY c.parent_id",
        (one_day, one_day, one_day, one_day, one_day, *outside.params, one_day, one_day),
    )


_PARENTS = (
    "SELECT * FROM (SELECT p.*, COALESCE(c.children_ever, 0) AS children_ever,"
    " COALESCE(c.children_living, 0) AS children_living,"
    " COALESCE(c.girls_living, 0) AS girls_living, c.living_birth_date, c.living_grade,"
    " COALESCE(c.births_outside, 0) AS births_outside"
    " FROM people p LEFT JOIN children c ON c.parent_id = p.resident_id) k"
)


def _with_spouse(day: date) -> Sql:
    living, force = alive("w", day), in_force("ws", day)
    marks = ", ".join(["%s"] * len(MARRIED))
    dated = (
        "({p}.only_child_cert_no <> '' AND ({p}.only_child_cert_date IS NULL"
        " OR {p}.only_child_cert_date <= %s))"
    )
    return Sql(
        "SELECT p.*, CASE WHEN ws.id IS NULL THEN 0 ELSE 1 END AS spouse_here, w.sex AS spouse_sex,"
        " w.birth_date AS spouse_birth_date, ws.hukou AS spouse_hukou,"
        f" CASE WHEN {dated.format(p='p')} OR {dated.format(p='w')} THEN 1 ELSE 0 END AS certificate"
        " FROM parents p LEFT JOIN households_resident w ON w.id = p.spouse_id"
        f" LEFT JOIN households_residency ws ON ws.resident_id = w.id AND {force.text}"
        f" AND {living.text} AND p.marital IN ({marks})",
        (day.isoformat(), day.isoformat(), *force.params, *living.params, *MARRIED),
    )
