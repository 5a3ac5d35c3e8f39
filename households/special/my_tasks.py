"""A contact's own list: families to contact this month, festival visits, needs to see to, by day."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse

from fpadmin.dates import month_end
from households.models import SpecialFamily
from households.special import due, rounds
from households.special.archive_list import parent_names
from households.special.round_list import called

TODAY, WEEK, ALL = "today", "week", "all"
TABS = {TODAY: "今天", WEEK: "本周", ALL: "全部"}
CONTACT, VISIT, NEED = "contact", "visit", "need"
KINDS = {CONTACT: "联系", VISIT: "慰问", NEED: "需求"}


@dataclass(frozen=True)
class Task:
    """One row, big enough for a thumb."""

    url: str
    icon: str
    title: str
    hint: str
    due_on: date
    days_late: int

    @property
    def late_words(self) -> str:
        """逾期3天, "" while there is time."""
        return f"逾期{self.days_late}天" if self.days_late else ""


@dataclass(frozen=True)
class Group:
    """Tasks under one heading."""

    title: str
    tasks: list[Task]
    is_bad: bool = False


def tasks_of(user, day: date, kind: str = "") -> list[Task]:
    """What the user owes as a contact, the most urgent first, then in walking order."""
    makers = {NEED: _needs, VISIT: _visits, CONTACT: _contacts}
    asked = [makers[kind]] if kind else makers.values()
    found = [task for make in asked for task in make(user, day)]
    return sorted(found, key=lambda task: task.due_on)


def until(tab: str, day: date) -> date:
    """The last day that a tab shows."""
    if tab == TODAY:
        return day
    return day + timedelta(days=6 - day.weekday()) if tab == WEEK else date.max


def grouped(tasks: list[Task], day: date) -> list[Group]:
    """Under 已逾期, 今天, 本周 and 以后; none empty."""
    sunday = until(WEEK, day)
    late = [task for task in tasks if task.due_on < day]
    groups = [
        Group(f"已逾期　{len(late)}件", late, is_bad=True),
        Group("今天", [task for task in tasks if task.due_on == day]),
        Group("本周", [task for task in tasks if day < task.due_on <= sunday]),
        Group("以后", [task for task in tasks if task.due_on > sunday]),
    ]
    return [group for group in groups if group.tasks]


def _contacts(user, day: date) -> list[Task]:
    families = (
        due.due_this_month(due.own_families(user), day)
        .select_related("household__village", "household__group")
        .annotate(names=parent_names())
        .order_by(*SpecialFamily._meta.ordering)
    )
    last = month_end(day.year, day.month)
    return [
        Task(
            url=reverse("households:special-record-create", args=[family.pk]) + "?from=tasks",
            icon="house-heart",
            title=family.names or str(family.household),
            hint=f"特殊家庭联系　{_place(family)}",
            due_on=last,
            days_late=0,
        )
        for family in families
    ]


def _visits(user, day: date) -> list[Task]:
    visits = rounds.for_list(rounds.own(rounds.waiting(user, day), user))
    return [
        Task(
            url=reverse("households:special-visit-tick", args=[visit.pk]) + "?from=tasks",
            icon="gift",
            title=called(visit),
            hint=f"{visit.round.name}　{_place(visit.family)}",
            due_on=visit.round.due_on,
            days_late=max((day - visit.round.due_on).days, 0),
        )
        for visit in visits
    ]


def _needs(user, day: date) -> list[Task]:
    needs = (
        due.open_needs(due.own_needs(user))
        .select_related("family__household__village", "family__household__group")
        .annotate(names=parent_names("family"))
        .order_by("due_on", "pk")
    )
    return [
        Task(
            url=reverse("households:special-need-close", args=[need.pk]),
            icon="list-check",
            title=need.names or str(need.family.household),
            hint=f"需求跟办　{need.kind}　{_place(need.family)}",
            due_on=need.due_on,
            days_late=max((day - need.due_on).days, 0),
        )
        for need in needs
    ]


def _place(family: SpecialFamily) -> str:
    group = family.household.group
    return f"{family.household.village.name}{group.name if group else ''}　{family.household}"
