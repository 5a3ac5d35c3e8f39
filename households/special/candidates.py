"""The criteria against the archives: families that should have one, and archives in doubt."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.scoping import below
from fpadmin.ui import todos
from fpadmin.ui.todos import Todo, TodoSource
from households.models import (
    FamilyKind,
    FamilyParent,
    Household,
    Residency,
    SpecialFamily,
)
from households.special import criteria
from households.special.criteria import Criterion
from households.special.families import parents_of
from households.special.rules import RuleBook, rule_book

Found = dict[int, set[str]]  # household: as which kinds
# What is read of a person's spell: no encrypted column is opened for a list.
SHOWN = (
    "resident__name", "resident__birth_date", "residence", "household_id", "village__name",
    "village__path",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One person against the criteria. Without criteria `remark` says why there is nothing to test."""

    name: str
    criteria: list[Criterion]
    remark: str = ""


def found_households(user, day: date, book: RuleBook) -> Found:
    """{household: kinds} of everybody in the user's region who meets the criteria; some dozens.

    The parents of the region's own children are told to the database by their keys: otherwise it
    tests every such parent of the county first, which takes seconds where this takes milliseconds.
    """
    path = getattr(user, "scope_path", "")
    if not path:
        return {}
    people: set[int] = set()
    for parent in ("mother", "father"):
        here = criteria.concerned(day).filter(below(path, f"{parent}__village__path")).order_by()
        people.update(here.values_list(parent, flat=True))
    spells = criteria.found(day, book, people).filter(below(path, "village__path"))
    found: Found = defaultdict(set)
    for household, kind in spells.values_list("household", "found_kind"):
        found[household].add(kind)
    return found


def without_archive(user, day: date, book: RuleBook, found: Found) -> QuerySet[Household]:
    """Households of somebody who meets the criteria, without an open archive; with `cases`.

    The same as the figure special_archives_missing counts. A case whose person stands in an open
    archive of another household has its key as `archive`: that one is moved, not a second one opened.
    """
    archives = SpecialFamily.objects.open_on(day).filter(household=OuterRef("pk"))
    elsewhere = SpecialFamily.objects.visible_to(user).filter(
        parents__resident=OuterRef("resident"),
        parents__ended_on__isnull=True,
        closed_on__isnull=True,
    )
    cases = (
        criteria.found(day, book)
        .annotate(archive=Subquery(elsewhere.order_by("pk").values("pk")[:1]))
        .select_related("resident", "village")
        .only(*SHOWN)
        .order_by("pk")
    )
    return (
        Household.objects.visible_to(user)
        .filter(~Exists(archives), pk__in=found)
        .select_related("village", "group")
        .prefetch_related(Prefetch("residencies", cases, to_attr="cases"))
        .order_by("village__path", "number")
    )


def in_doubt(user, day: date, found: Found) -> QuerySet[SpecialFamily]:
    """Open archives whose household is not found by the criteria, or found as another kind.

    手术并发症 is attested by the county's board, not found by the criteria: never here. Parents come
    with `cases_now`, their spells of the day and what the criteria look at.
    """
    agrees = Q(pk__in=[])
    for kind in (FamilyKind.DEATH, FamilyKind.DISABILITY):
        agrees |= Q(kind=kind, household__in=[key for key, kinds in found.items() if kind in kinds])
    cases = criteria.with_facts(Residency.objects.living_on(day), day)
    parents = (
        FamilyParent.objects.filter(ended_on__isnull=True)
        .select_related("resident")
        .only("family", "resident__name", "resident__death_date")
    )
    return (
        SpecialFamily.objects.visible_to(user)
        .open_on(day)
        .exclude(kind=FamilyKind.COMPLICATION)
        .exclude(agrees)
        .select_related("household__village")
        .prefetch_related(
            Prefetch("parents", parents.order_by("pk"), to_attr="current_parents"),
            Prefetch(
                "current_parents__resident__residencies",
                cases.select_related("resident", "village", "household")
                .only(*SHOWN, "household__number")
                .order_by("pk"),
                to_attr="cases_now",
            ),
        )
    )


def archive_rate(user, day: date, found: Found) -> dict[str, Any]:
    """建档率 of the user's region with its parts and what is missing.

    The same as the figures of these names, but of one township: no other place is looked at.
    """
    archives = SpecialFamily.objects.visible_to(user).open_on(day).order_by()
    kept = set(archives.values_list("household", flat=True))
    done, due = len(found.keys() & kept), len(found.keys() | kept)
    rate = Decimal(done * 100) / due if due else None
    return {"rate": rate, "done": done, "due": due, "missing": len(found.keys() - kept)}


def cases_of_household(household: Household, day: date, book: RuleBook) -> list[Case]:
    """Why a household of without_archive() should have an archive."""
    remark = "已在另一户的档案中，请把那份档案转来"
    return [_case(spell, day, book, remark if spell.archive else "") for spell in household.cases]


def cases_in(household: Household, day: date, book: RuleBook) -> list[Case]:
    """How those whom an archive of any household would be about stand to the criteria."""
    people = [one.pk for one in parents_of(household, day)]
    spells = Residency.objects.living_on(day).filter(resident__in=people, household=household)
    facts = criteria.with_facts(spells.select_related("resident", "village"), day)
    return [_case(spell, day, book) for spell in facts.order_by("pk")]


def kind_found(household: Household, day: date) -> str:
    """As what the criteria find the household, "" where they don't."""
    found = criteria.found(day).filter(household=household)
    return found.order_by("pk").values_list("found_kind", flat=True).first() or ""


def kinds_of_household(household: Household) -> str:
    """As what a household of without_archive() is found."""
    return "、".join(dict.fromkeys(FamilyKind(spell.found_kind).label for spell in household.cases))


def cases_of_archive(family: SpecialFamily, day: date, book: RuleBook) -> list[Case]:
    """What the criteria say of each parent of an archive of in_doubt()."""
    cases = []
    for parent in family.current_parents:
        resident = parent.resident
        if not resident.cases_now:
            gone = f"{resident.death_date}去世" if resident.death_date else "已不在册"
            cases.append(Case(resident.name, [], gone))
            continue
        spell = resident.cases_now[0]
        here = spell.household_id == family.household_id
        away = "" if here else f"现在在{spell.village.name}{spell.household}"
        tested = criteria.explain(spell, day, book)
        if all(one.holds for one in tested) and here:
            kind = FamilyKind.DISABILITY if spell.children_living else FamilyKind.DEATH
            away = f"现在符合的是{kind.label}"
        cases.append(Case(resident.name, tested, away))
    return cases


def _case(spell: Residency, day: date, book: RuleBook, remark: str = "") -> Case:
    return Case(spell.resident.name, criteria.explain(spell, day, book), remark)


def waiting_for(user, day: date) -> list[Todo]:
    """For the clerk: families that should have an archive and have none."""
    book = rule_book(day)
    missing = without_archive(user, day, book, found_households(user, day, book))
    desk = reverse("households:special-candidate-list")
    return [Todo("特殊家庭应建未建档案", missing.count(), desk, "warn", "应建档", act="去建档")]


def load() -> None:
    """Register what waits. Called once, by ready()."""
    todos.register(TodoSource("special-candidates", Permission.SPECIAL_EDIT, waiting_for, order=32))
