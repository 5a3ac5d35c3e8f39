"""Rounds where they show outside their own pages: in an archive, among what is to do, in the menu."""

from datetime import date

from django.db.models import Count, F
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.ui import todos
from fpadmin.ui.todos import Todo, TodoSource
from households.models import SpecialFamily
from households.services.special_rounds import CHANGE_LABELS, EVENT_TYPES
from households.special import round_list, rounds, sections
from households.special.sections import PaperTable, Section


def context(user, family: SpecialFamily, day: date) -> dict:
    """The family's visits of every round, each with what the user may do about it."""
    visits = rounds.of_family(family)
    return {"visits": [(visit, round_list.acts_on(visit, user)) for visit in visits]}


def paper(user, family: SpecialFamily, day: date) -> list[PaperTable]:
    """The same as a table."""
    headings = (
        "慰问活动",
        "慰问品",
        "慰问金（元）",
        "状态",
        "慰问人",
        "慰问日期",
        "签收人",
        "情况",
    )
    return [
        PaperTable(
            "节日慰问",
            headings,
            [
                (
                    visit.round.name,
                    visit.round.gift,
                    "" if visit.round.amount is None else f"{visit.round.amount:,.2f}",
                    rounds.STATE_WORDS[visit.state],
                    visit.contact.person.name if visit.record else "",
                    str(visit.record.happened_on) if visit.record else "",
                    visit.signed_by,
                    visit.left_out or visit.note,
                )
                for visit in rounds.of_family(family)
            ],
        )
    ]


def waiting_for(user, day: date) -> list[Todo]:
    """For a contact own families not visited yet; for who keeps the archives what is overdue."""
    begun = rounds.waiting(user, day)
    items = []
    for one in _by_round(rounds.own(begun, user)):
        kind, word = rounds.due_words(one["due_on"], day)
        items.append(
            Todo(
                f"{one['name']}，我联系的家庭",
                one["count"],
                _address(one["round"], f"state={rounds.OPEN}&who={round_list.OWN}"),
                kind,
                "待慰问" if kind == "wait" else word,
                hint=f"{one['due_on']}以前完成",
                act="去登记",
            )
        )
    if user.may(Permission.SPECIAL_EDIT):
        for one in _by_round(begun.filter(round__due_on__lt=day)):
            kind, word = rounds.due_words(one["due_on"], day)
            hint = f"应在{one['due_on']}以前完成，还有{one['count']}户没有慰问"
            url = _address(one["round"], f"state={rounds.OPEN}")
            items.append(Todo(f"{one['name']}没有办完", one["count"], url, kind, word, hint=hint))
    return items


def _by_round(visits):
    names = {"name": F("round__name"), "due_on": F("round__due_on")}
    grouped = visits.order_by().values("round", **names).annotate(count=Count("pk"))
    return grouped.order_by("due_on", "round")


def _address(key: int, query: str) -> str:
    return f"{reverse('households:special-round-detail', args=[key])}?{query}"


def load() -> None:
    """Register list, section, events and what is to do. Called once, by ready()."""
    register_types(EVENT_TYPES, CHANGE_LABELS)
    round_list.load()
    sections.register(
        Section(
            key="rounds",
            title="节日慰问",
            template="households/special/_rounds.html",
            context=context,
            paper=paper,
            order=60,
        )
    )
    todos.register(TodoSource("special-rounds", Permission.SPECIAL_VIEW, waiting_for, order=36))
