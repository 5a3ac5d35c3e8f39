"""Whom an archive is about, and who speaks against one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice

from django.db.models import Case, DateField, F, OuterRef, Value, When

from households.models import Household, Relation, Residency, Resident
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


def healthy_children(households: Iterable[int], day: date) -> dict[int, int]:
    """Households whose 户主 or 配偶 has living children without a disability, and how many."""
    found: dict[int, int] = {}
    remaining = iter(households)
    while some := list(islice(remaining, _HOUSEHOLDS)):
        members = Residency.objects.living_on(day).filter(household__in=some, relation__in=COUPLE)
        healthy = F("children_living") - F("children_disabled")
        facts = criteria.with_facts(members, day).annotate(healthy=healthy)
        for home, number in facts.filter(healthy__gt=0).values_list("household_id", "healthy"):
            found[home] = max(number, found.get(home, 0))
    return found
