"""What an event would do: who changes how, what is odd about it, and what the office refuses."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from fpadmin.dates import age_on
from fpadmin.errors import RuleViolation
from households.models import Household, Relation, Residency, Resident, registered
from households.spells import NewHousehold

YOUNGEST_HEAD = 16  # a younger one is odd while somebody grown up is there
GROWN_UP = 18


@dataclass
class PersonChange:
    """One person's part. `state` are spell fields, `fields` the others, `numbers` identifiers.

    `leaves`: the person is no longer on the books from the day on. `returns`: a person who had
    departed is on the books again from the day on, in a new spell.
    """

    resident: Resident
    state: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    leaves: bool = False
    returns: bool = False

    def relation(self) -> str:
        return self.state.get("relation", self.resident.relation)

    def household(self) -> Household | NewHousehold:
        return self.state.get("household", self.resident.household)

    def lives_on(self) -> bool:
        """Whether the person is alive and on the books once the event has happened."""
        here = self.returns or (self.resident.departed_on is None and not self.leaves)
        return here and not self.fields.get("death_date", self.resident.death_date)


@dataclass
class Newcomer:
    """A person whom the event brings into the registry; `birth` is the line of the birth history."""

    household: Household | NewHousehold
    values: dict[str, Any]
    parent: Resident | None = None
    birth: dict[str, Any] = field(default_factory=dict)


@dataclass
class Plan:
    """An event as it would be recorded. `warnings` are odd; the clerk confirms them or stops."""

    kind: str
    day: date
    resident: Resident | None
    household: Household | NewHousehold
    changes: list[PersonChange] = field(default_factory=list)
    newcomer: Newcomer | None = None
    warnings: list[str] = field(default_factory=list)


def require_day(day: date, today: date) -> None:
    """An event has happened already."""
    if day > today:
        raise RuleViolation(
            f"发生日期{day}在今天（{today}）之后，只登记已经发生的事。", field="happened_on"
        )


def require_on_books(resident: Resident, day: date) -> None:
    """Alive on the day, still registered, and born by then."""
    if resident.merged_into_id:
        raise RuleViolation(f"{resident.name}的这份记录已经并入另一份，请在并入的记录上登记。")
    if resident.death_date:
        raise RuleViolation(f"{resident.name}已于{resident.death_date}去世，不能登记这个变动。")
    if resident.departed_on:
        raise RuleViolation(f"{resident.name}已于{resident.departed_on}离册，请先登记迁入或流入。")
    if day < resident.birth_date:
        raise RuleViolation(
            f"发生日期不能早于{resident.name}的出生日期{resident.birth_date}。", field="happened_on"
        )


def require_after_spell(resident: Resident, day: date) -> None:
    """A change of household, relation, residence or hukou comes after the last one of that person."""
    spell = resident.residencies.filter(ended_on__isnull=True).first()
    if spell and spell.started_on and day < spell.started_on:
        raise RuleViolation(
            f"{resident.name}在{spell.started_on}已有变动（{spell.reason or '更正'}），"
            f"发生日期不能早于这一天。要补报更早的事，请先撤销后面的变动。",
            field="happened_on",
        )


def living_members(household: Household | NewHousehold, day: date) -> list[Resident]:
    """Everybody alive and on the books in the household, the head first."""
    if isinstance(household, NewHousehold):
        return []
    members = household.members.filter(registered(day)).select_related("household", "village")
    return sorted(members, key=lambda m: (m.relation != Relation.HEAD, m.birth_date, m.pk))


def children_of(parent: Resident) -> QuerySet[Resident]:
    """Everybody registered with this mother or father, also those who left.

    A record without a spell is of a registration that was taken back.
    """
    known = Resident.objects.filter(Q(mother=parent) | Q(father=parent))
    return _ever_here(known)


def same_child(parent: Resident, household: Household, name: str, born: date) -> QuerySet[Resident]:
    """Whoever of that name and day is a child of the parent, or of the household."""
    same = Resident.objects.filter(name=name, birth_date=born)
    return _ever_here(same.filter(Q(mother=parent) | Q(father=parent) | Q(household=household)))


def _ever_here(people: QuerySet[Resident]) -> QuerySet[Resident]:
    spells = Residency.objects.filter(resident=OuterRef("pk"))
    return people.filter(Exists(spells), merged_into__isnull=True)


def relations_of(
    members: Iterable[Resident], relations: dict[int, str], *, default: str = ""
) -> list[PersonChange]:
    """A change of each member whose relation is given and differs."""
    changes = []
    for member in members:
        relation = relations.get(member.pk, default or member.relation)
        if relation != member.relation:
            changes.append(PersonChange(member, {"relation": relation}))
    return changes


def check_heads(plan: Plan, today: date) -> None:
    """Exactly one head wherever members remain; a household without one before may stay so."""
    moved = {c.resident.pk: c for c in plan.changes}
    households: dict[Any, Household | NewHousehold] = {}
    for change in plan.changes:
        for household in (change.resident.household, change.household()):
            households[_key(household)] = household
    if plan.newcomer:
        households[_key(plan.newcomer.household)] = plan.newcomer.household
    after: dict[Any, list[str]] = defaultdict(list)
    headless_before = set()
    for key, household in households.items():
        members = living_members(household, today)
        if members and members[0].relation != Relation.HEAD:
            headless_before.add(key)
        after[key] += [m.relation for m in members if m.pk not in moved]
    for change in plan.changes:
        if change.lives_on():
            after[_key(change.household())].append(change.relation())
    if plan.newcomer:
        after[_key(plan.newcomer.household)].append(plan.newcomer.values["relation"])
    for key, relations in after.items():
        heads = relations.count(Relation.HEAD)
        name = _name(households[key])
        if heads > 1:
            raise RuleViolation(f"{name}会有{heads}位户主，每户只能有一位。", field="relations")
        if relations and heads == 0 and key not in headless_before:
            raise RuleViolation(f"{name}还有成员，请选一位新户主。", field="relations")


def warn_of_young_heads(plan: Plan, today: date) -> None:
    """A new head who is a child is odd where a grown-up is in the household too."""
    moved = {c.resident.pk: c for c in plan.changes}
    for change in plan.changes:
        head, home = change.resident, change.household()
        becomes = change.relation() == Relation.HEAD and change.lives_on()
        was = head.relation == Relation.HEAD and head.household == home and not change.returns
        age = age_on(head.birth_date, plan.day)
        if not becomes or was or age >= YOUNGEST_HEAD:
            continue
        present = [m for m in living_members(home, today) if m.pk not in moved]
        coming = [c.resident for c in plan.changes if c.lives_on()]
        coming = [p for p in coming if moved[p.pk].household() == home and p != head]
        grown = [p for p in present + coming if age_on(p.birth_date, plan.day) >= GROWN_UP]
        if grown:
            names = "、".join(p.name for p in grown)
            plan.warnings.append(
                f"新户主{head.name}{age}岁，不满{YOUNGEST_HEAD}岁，户里还有成年的{names}。"
            )


def _key(household: Household | NewHousehold):
    if isinstance(household, NewHousehold):
        return household.village.pk, household.number
    return household.pk


def _name(household: Household | NewHousehold) -> str:
    return f"{household.number}户"
