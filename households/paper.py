"""名册 and 户表 cut into sheets of A4 across, since old browsers cannot count pages themselves."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import QuerySet

from fpadmin.ui.listing import Asked
from households.models import Household, Relation, Resident

# Rows of one sheet.
PER_SHEET = 18
# More than this on paper is no work for a page; an export is.
MOST_ROWS = {"residents": 900, "households": 100}


@dataclass(frozen=True)
class RosterSheet:
    """One sheet of a roster: its residents with their numbers in the whole."""

    number: int
    lines: list[tuple[int, Resident]]


@dataclass(frozen=True)
class HouseholdSheet:
    """One sheet of a household; a large one goes on on the next."""

    number: int
    household: Household
    part: int
    lines: list[tuple[int, Resident]]


def roster(rows: QuerySet, asked: Asked) -> list[RosterSheet]:
    """The residents in the list's order."""
    numbered = list(enumerate(rows.select_related("household__group", "village"), start=1))
    return [
        RosterSheet(number, numbered[start : start + PER_SHEET])
        for number, start in enumerate(range(0, len(numbered), PER_SHEET), start=1)
    ]


def household_forms(rows: QuerySet, asked: Asked) -> list[HouseholdSheet]:
    """Each household with those who are registered in it today, the head first."""
    households = list(rows.select_related("village", "group"))
    members = defaultdict(list)
    order = {relation: place for place, relation in enumerate(Relation.values)}
    people = Resident.objects.visible_to(asked.user).registered_on(asked.day)
    for person in people.filter(household__in=households):
        members[person.household_id].append(person)
    sheets = []
    for household in households:
        own = sorted(
            members[household.pk], key=lambda one: (order[one.relation], one.birth_date, one.pk)
        )
        numbered = list(enumerate(own, start=1))
        for part, start in enumerate(range(0, len(numbered) or 1, PER_SHEET), start=1):
            lines = numbered[start : start + PER_SHEET]
            sheets.append(HouseholdSheet(len(sheets) + 1, household, part, lines))
    return sheets
