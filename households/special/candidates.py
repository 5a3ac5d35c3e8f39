"""The criteria against the archives: families that should have one, and archives in doubt."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from fpadmin.reporting.registry import Span
from fpadmin.scoping import below
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
from households.special.figures import compute_special
from households.special.rules import RuleBook, rule_book


@dataclass(frozen=True)
class Case:
    """One person against the criteria. Without criteria `remark` says why there is nothing to test."""

    name: str
    criteria: list[Criterion]
    remark: str = ""


def without_archive(user, day: date, book: RuleBook) -> QuerySet[Household]:
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
        .order_by("pk")
    )
    return (
        Household.objects.visible_to(user)
        .filter(~Exists(archives), pk__in=_found(user, day, book).values("household"))
        .select_related("village", "group")
        .prefetch_related(Prefetch("residencies", cases, to_attr="cases"))
        .order_by("village__path", "number")
    )


def in_doubt(user, day: date, book: RuleBook) -> QuerySet[SpecialFamily]:
    """Open archives whose household is not found by the criteria, or found as another kind.

    手术并发症 is attested by the county's board, not found by the criteria: never here. Parents come
    with `cases_now`, their spells of the day and what the criteria look at.
    """
    found = _found(user, day, book)
    agrees = Q(pk__in=[])
    for kind in (FamilyKind.DEATH, FamilyKind.DISABILITY):
        households = found.filter(found_kind=kind).values("household")
        agrees |= Q(kind=kind, household__in=households)
    cases = criteria.with_facts(Residency.objects.living_on(day), day)
    parents = FamilyParent.objects.filter(ended_on__isnull=True).select_related("resident")
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
                cases.select_related("resident", "household", "village").order_by("pk"),
                to_attr="cases_now",
            ),
        )
    )


def archive_rate(user, day: date) -> dict[str, Any]:
    """建档率 of the user's region with its parts, as the indicator has it."""
    codes = ("special_archive_rate", "special_archives_done", "special_archives_due")
    row = compute_special([user.region], Span(day, day), codes)[user.region.code]
    rate, done, due = (row[code] for code in codes)
    return {"rate": rate, "done": done, "due": due}


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


def kind_found(user, household: Household, day: date) -> str:
    """As what the criteria find the household, "" where they don't."""
    found = _found(user, day, rule_book(day)).filter(household=household)
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


def _found(user, day: date, book: RuleBook) -> QuerySet[Residency]:
    """Spells of the user's region that meet the criteria."""
    path = getattr(user, "scope_path", "")
    found = criteria.found(day, book)
    return found.filter(below(path, "village__path")) if path else found.none()


def _case(spell: Residency, day: date, book: RuleBook, remark: str = "") -> Case:
    return Case(spell.resident.name, criteria.explain(spell, day, book), remark)
