"""What may be recorded of a person or a household, as the groups of the menu 登记变动."""

from collections.abc import Iterable
from datetime import date

from django.urls import reverse

from households.life_events.kinds import (
    ARRIVALS,
    GROUPS,
    PERSONAL,
    kinds_of_household,
    kinds_of_resident,
)
from households.models import EventKind, Household, LifeEvent, Resident

Menu = list[tuple[str, list[tuple[str, str]]]]


def menu_of_resident(resident: Resident, members: Iterable[Resident], today: date) -> Menu:
    """[(group, [(word, address)])] for the page of a person; `members` as kinds_of_resident()."""

    def address(kind: str) -> str:
        if kind in PERSONAL or kind in ARRIVALS:
            return reverse("households:resident-event", args=[resident.pk, kind])
        page = reverse("households:household-event", args=[resident.household_id, kind])
        return f"{page}?member={resident.pk}"

    return _grouped(kinds_of_resident(resident, members, today), address)


def menu_of_household(household: Household, members: Iterable[Resident], today: date) -> Menu:
    """The same for the page of a household; `members` are all on the books."""
    return _grouped(
        kinds_of_household(members, today),
        lambda kind: reverse("households:household-event", args=[household.pk, kind]),
    )


def next_steps(event: LifeEvent) -> list[tuple[str, str]]:
    """[(word, address)] of what a clerk does after this event."""
    steps = []
    if event.kind in ARRIVALS:
        page = reverse("households:household-event", args=[event.household_id, event.kind])
        steps.append((f"再登记一人{event.get_kind_display()}这一户", page))
    if event.kind == EventKind.MARRIAGE and event.resident.spouse_id is None:
        page = reverse("households:arrival-event", args=[EventKind.MOVE_IN])
        steps.append(("给配偶登记迁入", page))
    steps.append((f"打开{event.resident.name}的页面", event.resident.get_absolute_url()))
    steps.append((f"返回{event.household}", event.household.get_absolute_url()))
    return steps


def _grouped(kinds: set[str], address) -> Menu:
    groups = [
        (title, [(EventKind(kind).label, address(kind)) for kind in group if kind in kinds])
        for title, group in GROUPS
    ]
    return [(title, entries) for title, entries in groups if entries]
