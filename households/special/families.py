"""Whom an archive is about, and who speaks against one."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice

from django.db.models import Case, DateField, F, OuterRef, Value, When

from households.models import FamilyKind, Household, Relation, Residency, Resident
from households.special import criteria

COUPLE = (Relation.HEAD, Relation.SPOUSE)
_HOUSEHOLDS = 200  # in one statement


def parents_of(household: Household, day: date) -> list[Resident]:
    """parents_by_household() of one household."""
    found = parents_by_household({household.pk: day})[household.pk]
    return list(Resident.objects.filter(pk__in=found).order_by("pk"))


def parents_by_household(days: Mapping[int, date]) -> dict[int, list[int]]:
    """Household → keys of the residents whom an archive is about, where nobody says so.

    Its members on its day in `days` who are parents of a child dead or disabled by then, else its
    户主 and 配偶. Some hundred households cost one statement.
    """
    found: dict[int, list[int]] = {}
    remaining = iter(days.items())
    while some := dict(islice(remaining, _HOUSEHOLDS)):
        concerned, couples = defaultdict(list), defaultdict(list)
        for home, person, relation, ever, alive, disabled in _members(some):
            if ever and (ever > alive or disabled):
                concerned[home].append(person)
            if relation in COUPLE:
                couples[home].append(person)
        found |= {home: concerned[home] or couples[home] for home in some}
    return found


def _members(days: Mapping[int, date]) -> Iterator[tuple]:
    homes = defaultdict(list)
    for home, day in days.items():
        homes[day].append(home)
    day_of_home = Case(
        *(When(household__in=some, then=Value(day)) for day, some in homes.items()),
        output_field=DateField(),
    )
    spells = Residency.objects.filter(household__in=days).annotate(day=day_of_home)
    return (
        criteria.with_facts(spells.living_on(F("day")), OuterRef("day"))
        .order_by("pk")
        .values_list(
            "household_id", "resident_id", "relation",
            "children_ever", "children_living", "children_disabled",
        )
    )  # fmt: skip


def contradicting_children(kinds: Mapping[int, str], day: date) -> dict[int, int]:
    """Households whose 户主 or 配偶 has living children that their kind in `kinds` denies, and how many.

    Any living child speaks against 死亡, one without a disability against 伤残.
    """
    found: dict[int, int] = {}
    remaining = iter(k for k, kind in kinds.items() if kind != FamilyKind.COMPLICATION)
    while some := list(islice(remaining, _HOUSEHOLDS)):
        members = Residency.objects.living_on(day).filter(household__in=some, relation__in=COUPLE)
        facts = criteria.with_facts(members, day).filter(children_living__gt=0)
        for home, living, disabled in facts.values_list(
            "household_id", "children_living", "children_disabled"
        ):
            number = living if kinds[home] == FamilyKind.DEATH else living - disabled
            if number:
                found[home] = max(number, found.get(home, 0))
    return found


def contradiction(kind: str, number: int) -> str:
    """What contradicting_children() found, in words."""
    words = "健在" if kind == FamilyKind.DEATH else "健在、没有伤残鉴定"
    return f"{number}个{words}的子女"
