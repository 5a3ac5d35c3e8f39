"""As at a past day: who was registered where then, with which relation, hukou and residence.

The spells alone say it. What no spell keeps (name, marriage, phone …) is told as it is now. Somebody who
has moved out of one's region since is named without a link.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import (
    CharField,
    Count,
    DateField,
    Exists,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from fpadmin.accounts.models import Region
from fpadmin.dates import age_on
from households.models import Household, Relation, Residence, Residency, Resident
from households.searches import Search


def people_on(user, day: date) -> QuerySet[Residency]:
    """The spells that counted on `day` in the user's region: a person each."""
    return Residency.objects.visible_to(user).living_on(day).annotate(**_seen(user, day))


def _seen(user, day: date) -> dict:
    """The day, and the path of the user's region: what a row's links need to know."""
    return {
        "seen_from": Value(user.scope_path, output_field=CharField()),
        "as_of": Value(day, output_field=DateField()),
    }


def matching(spells: QuerySet[Residency], search: Search) -> QuerySet[Residency]:
    """Those of people who by now have that name or number."""
    return spells.filter(resident__in=Resident.objects.filter(search.matches()))


def households_on(user, day: date) -> QuerySet[Household]:
    """The households in which somebody of the user's region counted on `day`.

    With the head of that day, the number of members then, and the village they were counted in.
    """
    there = Residency.objects.visible_to(user).living_on(day).filter(household=OuterRef("pk"))
    count = there.order_by().values("household").annotate(n=Count("pk")).values("n")
    head = there.filter(relation=Relation.HEAD).order_by("pk")
    return (
        Household.objects.filter(Exists(there))
        .select_related("village", "group")
        .annotate(
            **_seen(user, day),
            head_name=Subquery(head.values("resident__name")[:1]),
            member_count=Coalesce(Subquery(count, output_field=IntegerField()), 0),
            village_then=Subquery(there.order_by("pk").values("village__name")[:1]),
        )
    )


def homes_in(village: Region, day: date) -> QuerySet:
    """The keys of the households in which somebody counted in that village on `day`."""
    return Residency.objects.living_on(day).filter(village=village).values("household")


@dataclass(frozen=True)
class PersonThen:
    """One person on a day: the spell that was in force, or the words that say why there was none."""

    day: date
    spell: Residency | None
    words: str
    age: int | None
    household_is_visible: bool = False


def person_on(user, resident: Resident, day: date) -> PersonThen:
    """Where the resident was registered on `day`."""
    if day < resident.birth_date:
        return PersonThen(day, None, "还没有出生", None)
    if resident.death_date and resident.death_date <= day:
        return PersonThen(day, None, f"已于{resident.death_date}去世", None)
    age = age_on(resident.birth_date, day)
    spell = (
        resident.residencies.in_force_on(day)
        .select_related("household__village", "household__group", "village")
        .first()
    )
    if spell is None:
        return PersonThen(day, None, "这一天不在册", age)
    if not spell.village.path.startswith(user.scope_path):
        return PersonThen(day, None, "这一天在辖区外登记", age)
    visible = Household.objects.visible_to(user).filter(pk=spell.household_id).exists()
    return PersonThen(day, spell, "在册", age, visible)


@dataclass(frozen=True)
class HouseholdThen:
    """One household on a day: its members' spells, each with whether the user sees the person now."""

    day: date
    members: list[tuple[Residency, bool]]
    head: Resident | None
    permanent_count: int
    hukou: str


def household_on(user, household: Household, day: date) -> HouseholdThen:
    """Who was registered in the household on `day`, in order of relation and age."""
    order = {relation: place for place, relation in enumerate(Relation.values)}
    spells = sorted(
        Residency.objects.visible_to(user)
        .living_on(day)
        .filter(household=household)
        .select_related("resident__village"),
        key=lambda s: (order[s.relation], s.resident.birth_date, s.resident_id),
    )
    return HouseholdThen(
        day=day,
        members=[(s, s.resident.village.path.startswith(user.scope_path)) for s in spells],
        head=next((s.resident for s in spells if s.relation == Relation.HEAD), None),
        permanent_count=sum(s.residence == Residence.PERMANENT for s in spells),
        hukou="、".join(sorted({s.hukou for s in spells})),
    )
