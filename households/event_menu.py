"""What may be recorded of a person or a household, as the groups of the menu 登记变动."""

from collections.abc import Iterable
from datetime import date

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from households.life_events.kinds import (
    ARRIVALS,
    GROUPS,
    PERSONAL,
    kinds_of_household,
    kinds_of_resident,
)
from households.life_events.kinship import still_in_law
from households.models import EventKind, Household, LifeEvent, Resident
from households.requests import EDIT as DETAILS

RECORD, PROPOSE = "event", "propose"  # the last word of the addresses' names
Menu = list[tuple[str, list[tuple[str, str]]]]


def act_of(user) -> str:
    """Whether `user` records events or proposes them; "" for who does neither."""
    if user.may(Permission.REGISTRY_EDIT):
        return RECORD
    return PROPOSE if user.may(Permission.REQUEST_MAKE) else ""


def menu_of_resident(
    resident: Resident, members: Iterable[Resident], today: date, act: str = RECORD
) -> Menu:
    """[(group, [(word, address)])] for the page of a person; `members` as kinds_of_resident().

    `act` is RECORD, or PROPOSE for a village, which may also propose details.
    """

    def address(kind: str) -> str:
        if kind in PERSONAL or kind in ARRIVALS:
            return reverse(f"households:resident-{act}", args=[resident.pk, kind])
        page = reverse(f"households:household-{act}", args=[resident.household_id, kind])
        return f"{page}?member={resident.pk}"

    menu = _grouped(kinds_of_resident(resident, members, today), address)
    if act == PROPOSE and not resident.merged_into_id:
        edit = reverse("households:resident-propose", args=[resident.pk, DETAILS])
        menu.append(("资料", [("电话、账号、证件", edit)]))
    return menu


def menu_of_household(
    household: Household, members: Iterable[Resident], today: date, act: str = RECORD
) -> Menu:
    """The same for the page of a household; `members` are all on the books."""
    return _grouped(
        kinds_of_household(members, today),
        lambda kind: reverse(f"households:household-{act}", args=[household.pk, kind]),
    )


def next_steps(event: LifeEvent, *, may_record: bool) -> list[tuple[str, str]]:
    """[(word, address)] of what is done after this event, or only seen by who may not record."""
    steps = _further_events(event) if may_record else []
    steps.append((f"打开{event.resident.name}的页面", event.resident.get_absolute_url()))
    steps.append((f"返回{event.household}", event.household.get_absolute_url()))
    return steps


def _further_events(event: LifeEvent) -> list[tuple[str, str]]:
    """Events that commonly follow this one."""
    steps = []
    if event.kind in ARRIVALS:
        page = reverse("households:household-event", args=[event.household_id, event.kind])
        steps.append((f"再登记一人{event.get_kind_display()}这一户", page))
    if event.kind == EventKind.MARRIAGE and event.resident.spouse_id is None:
        page = reverse("households:arrival-event", args=[EventKind.MOVE_IN])
        steps.append(("给配偶登记迁入", page))
    if event.kind == EventKind.DIVORCE and not hasattr(event, "undone_by"):
        steps += _after_divorce(event)
    return steps


def _after_divorce(event: LifeEvent) -> list[tuple[str, str]]:
    """Who still is husband or wife of somebody in the household moves, or gets another relation."""
    steps = []
    couple = [p.resident for p in event.people.select_related("resident").order_by("pk")]
    for person in still_in_law(couple):
        for kind in (EventKind.HOUSEHOLD_MOVE, EventKind.MOVE_OUT):
            page = reverse("households:household-event", args=[person.household_id, kind])
            steps.append((f"给{person.name}登记{kind.label}", f"{page}?member={person.pk}"))
        edit = reverse("households:resident-edit", args=[person.pk])
        steps.append((f"改{person.name}与户主的关系", edit))
    return steps


def _grouped(kinds: set[str], address) -> Menu:
    groups = [
        (title, [(EventKind(kind).label, address(kind)) for kind in group if kind in kinds])
        for title, group in GROUPS
    ]
    return [(title, entries) for title, entries in groups if entries]
