"""One person's case: every criterion, whether it holds, the value it looked at, and what it rests on."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import connection

from households.models import ChildRecord, Relation, Resident
from subsidies.eligibility.facts import MARRIED, criteria_of, facts, people_of
from subsidies.eligibility.predicates import EXCLUDES, Facts, predicate, sql_of
from subsidies.models import Enrolment
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, Rule, policy_book

ATTESTED = "attested"


@dataclass(frozen=True)
class Outcome:
    """One criterion of a case. `holds` None: no record can tell, and nothing has been attested."""

    key: str
    text: str
    holds: bool | None
    value: str
    basis: str


@dataclass(frozen=True)
class Case:
    """Why `resident` qualifies or not: by the facts of `through`, mostly himself.

    Of a couple, family or child the case is that of whoever meets all criteria, else of whoever comes
    nearest. `facts` is the row that the criteria looked at.
    """

    resident: Resident
    through: Resident
    rule: Rule
    day: date
    criteria: list[Outcome]
    facts: Facts

    @property
    def candidate(self) -> bool:
        """Whether every criterion that records can show holds."""
        return all(one.holds is not False for one in self.criteria)

    @property
    def qualifies(self) -> bool:
        """Whether all hold, attested ones included."""
        return all(one.holds for one in self.criteria)

    @property
    def failing(self) -> list[Outcome]:
        """The criteria that do not hold."""
        return [one for one in self.criteria if one.holds is False]


def explain(
    resident: Resident | int,
    code: str,
    day: date,
    *,
    book: PolicyBook | None = None,
    rule: Rule | None = None,
    attested: Mapping[str, str] | None = None,
) -> Case:
    """The case of one person, by the same SQL that finds everybody.

    The rule is that of the place the person is registered in, unless told otherwise. `attested`
    are the facts confirmed with a paper, {what: the words}.
    """
    if not isinstance(resident, Resident):
        resident = Resident.objects.get(pk=resident)
    if rule is None:
        rule = (book or policy_book(day)).rule(code, resident.village.path)
    criteria = criteria_of(rule)
    ids = deciding_people([resident], rule.policy.who)[resident.pk]
    rows = tested(rule, criteria, day, ids)
    known = [pk for pk in ids if pk in rows]
    best = max(known, key=lambda pk: (all(rows[pk][1]), sum(rows[pk][1])))  # the first of equals
    row, holds = rows[best]
    through = resident if best == resident.pk else Resident.objects.get(pk=best)
    return Case(
        resident,
        through,
        rule,
        day,
        [
            _outcome(rule, criterion, hold, row, day, attested or {})
            for criterion, hold in zip(criteria, holds, strict=True)
        ],
        row,
    )


def deciding_people(residents: Iterable[Resident], who: str) -> dict[int, list[int]]:
    """Whose facts may decide of each: oneself first; spouse, household or parents as the policy asks.

    Of a couple also who is linked from the other side alone: he would be found under this name. A
    child whose parents are not known decides of itself.
    """
    residents = list(residents)
    people = {one.pk: [one.pk] for one in residents}
    if who == "couple":
        for one in residents:
            people[one.pk] += [one.spouse_id] if one.spouse_id else []
        linked = Resident.objects.filter(spouse__in=list(people), marital__in=MARRIED)
        for pk, spouse in linked.order_by("pk").values_list("pk", "spouse"):
            people[spouse].append(pk)
    elif who == "family":
        homes = defaultdict(list)
        for one in residents:
            homes[one.household_id].append(one.pk)
        members = Resident.objects.filter(household__in=homes, departed_on__isnull=True)
        for pk, home in members.order_by("pk").values_list("pk", "household"):
            for one in homes[home]:
                people[one].append(pk)
    elif who == "child":
        parents = defaultdict(list)
        history = ChildRecord.objects.filter(child__in=list(people)).order_by("pk")
        for child, *both in history.values_list("child", "mother", "father"):
            parents[child] += [pk for pk in both if pk]
        people |= {child: known for child, known in parents.items() if known}
    return {pk: list(dict.fromkeys(deciding)) for pk, deciding in people.items()}


def as_record(case: Case) -> dict:
    """The case as an application or enrolment keeps it: rule, version, criteria, values, outcome."""
    rule = case.rule
    return {
        "policy": rule.code,
        "as_of": case.day.isoformat(),
        "version": rule.version.pk if rule.version else None,
        "number": rule.number,
        "document": rule.document,
        "rule": catalogue.as_entries(rule.criteria),
        "through": case.through.pk,
        "qualifies": case.qualifies,
        "criteria": [
            {"key": o.key, "text": o.text, "holds": o.holds, "value": o.value}
            for o in case.criteria
        ],
    }


def head_of(resident: Resident) -> Resident:
    """The living 户主 of the person's household; the person himself where there is none."""
    return (
        Resident.objects.filter(
            household=resident.household_id,
            relation=Relation.HEAD,
            departed_on__isnull=True,
            death_date__isnull=True,
        )
        .order_by("pk")
        .first()
        or resident
    )


def tested(
    rule: Rule, criteria, day: date, ids: Collection[int]
) -> dict[int, tuple[Facts, list[bool]]]:
    """The facts of these people and which criteria hold, in their order; in one statement for all.

    Somebody who never had a spell is not in it.
    """
    table = facts(rule, day, people_of(ids))
    pieces = [sql_of(criterion, day) for criterion in criteria]
    flags = ", ".join(
        f"CASE WHEN {piece.text.format(f='f')} THEN 1 ELSE 0 END AS holds{n}"
        for n, piece in enumerate(pieces)
    )
    query = (
        f"{table.text} SELECT f.*, v.name AS village_name, {flags} FROM facts f"
        " JOIN accounts_region v ON v.id = f.village_id"
    )
    params = (*table.params, *(value for piece in pieces for value in piece.params))
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        names = [column[0] for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {
        row["resident_id"]: (
            _typed(row), [bool(row[f"holds{n}"]) for n in range(len(pieces))],
        )
        for row in found
    }  # fmt: skip


def _typed(row: Facts) -> Facts:
    """Days as dates: SQLite hands them over as text."""
    for name, value in row.items():
        if isinstance(value, str) and name.endswith("_date"):
            row[name] = date.fromisoformat(value)
    return row


def _outcome(rule: Rule, criterion, holds: bool, row: Facts, day: date, attested) -> Outcome:
    one = predicate(criterion)
    value, outcome = one.found(row, criterion.params, day), holds
    if criterion.key == ATTESTED:
        proof = attested.get(criterion.params, "")
        outcome, value = (True, proof) if proof else (None, value)
    elif criterion.key == EXCLUDES and not holds:
        value = "在享：" + "、".join(_drawn(row["resident_id"], criterion.params, day))
    elif criterion.key == "dibao":
        value = "在享低保" if holds else "没有在享低保的登记"
    return Outcome(criterion.key, one.asks(criterion.params), outcome, value, rule.document)


def _drawn(resident: int, codes, day: date) -> list[str]:
    drawn = Enrolment.objects.active_on(day).filter(resident=resident, policy_code__in=codes)
    return [
        catalogue.name_of(code) for code in drawn.order_by().values_list("policy_code", flat=True)
    ]
