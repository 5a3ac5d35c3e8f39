"""What happened to a person or a household, newest first: life events, and what is known without one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from households.models import (
    ChildRecord,
    EventKind,
    LifeEvent,
    Origin,
    Relation,
    Residency,
    Resident,
)

ENTRIES_SHOWN = 6
ORDER_WORDS = {1: "一孩", 2: "二孩", 3: "三孩", 4: "四孩", 5: "五孩"}
_YOUNGER = (
    Relation.SON, Relation.DAUGHTER, Relation.SON_IN_LAW, Relation.DAUGHTER_IN_LAW,
    Relation.GRANDCHILD,
)  # fmt: skip
_REHOUSING = (EventKind.MERGE, EventKind.SPLIT, EventKind.HOUSEHOLD_MOVE)


@dataclass(frozen=True)
class Entry:
    """One line. `undone` says by which undo an event no longer counts, "" where it does."""

    day: date
    title: str
    strong: str = ""
    attribute: str = ""
    text: str = ""
    url: str = ""
    undone: str = ""


def timeline(
    members: list[Resident],
    spells: Iterable[Residency],
    births: Iterable[ChildRecord],
    events: Iterable[LifeEvent],
) -> list[Entry]:
    """Events with who and why; births, deaths, marriages and stays that no event tells of.

    `events` come with their people, spells and undoing, as selectors.events_of_people() gives them.
    """
    events = list(events)
    told = _Told([e for e in events if not _undoing(e)])
    here = {m.pk: m for m in members}
    entries = [_of_event(event) for event in events]
    entries += _births(members, births, told)
    entries += _deaths_and_marriages(here, told)
    entries += _stays(here, spells)
    return sorted(entries, key=lambda e: e.day, reverse=True)


class _Told:
    """What events in force tell of already."""

    def __init__(self, events: list[LifeEvent]):
        self.births = {e.birth_id for e in events if e.birth_id}
        self.children = {
            p.resident_id for e in events if e.kind == EventKind.BIRTH for p in e.people.all()
        }
        self.dead = {e.resident_id for e in events if e.kind == EventKind.DEATH}
        self.married = {
            (p.resident_id, e.happened_on)
            for e in events
            if e.kind == EventKind.MARRIAGE
            for p in e.people.all()
        }


def _undoing(event: LifeEvent) -> LifeEvent | None:
    return getattr(event, "undone_by", None)


def _of_event(event: LifeEvent) -> Entry:
    people = [p.resident for p in event.people.all()]
    kind, label = event.kind, event.get_kind_display()
    if kind == EventKind.BIRTH:
        born = [p.resident for p in event.people.all() if p.created]
        who = born[0].name if born else event.resident.name
    elif kind == EventKind.MARRIAGE:
        who = "与".join(p.name for p in people[:2])
    else:
        more = len(people) > 1 and kind not in (EventKind.DEATH, EventKind.DIVORCE)
        who = event.resident.name + ("等" if more else "")
    text = [f"到{'、'.join(_new_homes(event))}"] if kind in _REHOUSING and _new_homes(event) else []
    text += [event.note] if event.note else []
    if event.reported_on != event.happened_on:
        text.append(f"{event.reported_on}报告")
    undo = _undoing(event)
    return Entry(
        event.happened_on,
        f"{label}：{who}",
        text="，".join(text),
        url=event.get_absolute_url(),
        undone=f"{undo.reported_on}撤销：{undo.note}" if undo else "",
    )


def _new_homes(event: LifeEvent) -> list[str]:
    """Where the event brought people: the households of its spells but the one it is about."""
    homes = [s.household for s in event.opened_spells.all() if s.household_id != event.household_id]
    return list(dict.fromkeys(f"{home.village.name}{home}" for home in homes))


def _births(members: list[Resident], births: Iterable[ChildRecord], told: _Told) -> list[Entry]:
    here = {m.pk for m in members}
    entries, recorded = [], set(told.children)
    alone = len(members) == 1  # a person's own page; a household's tells of its children only
    for birth in births:
        recorded.add(birth.child_id)
        name = birth.child_name or "未取名"
        if birth.pk not in told.births:
            order = ORDER_WORDS.get(birth.order, f"第{birth.order}孩")
            adopted = birth.origin if birth.origin == Origin.ADOPTED else ""
            title = f"出生：{birth.sex}孩{name}"
            entries.append(Entry(birth.birth_date, title, order, adopted))
        if birth.death_date and birth.child_id not in here and birth.child_id not in told.dead:
            entries.append(Entry(birth.death_date, f"{name}去世"))
    for member in members:
        if member.pk not in recorded and (alone or member.relation in _YOUNGER):
            entries.append(Entry(member.birth_date, f"出生：{member.name}"))
    return entries


def _deaths_and_marriages(here: dict[int, Resident], told: _Told) -> list[Entry]:
    entries, married = [], set()
    for member in here.values():
        if member.death_date and member.pk not in told.dead:
            entries.append(Entry(member.death_date, f"{member.name}去世"))
        day = member.first_marriage_date
        if day and member.pk not in married and (member.pk, day) not in told.married:
            partner = here.get(member.spouse_id)
            same = partner and partner.first_marriage_date == day
            if same:
                married.add(partner.pk)
            title = f"结婚：{member.name}与{partner.name}" if same else f"{member.name}初婚"
            entries.append(Entry(day, title))
    return entries


def _stays(here: dict[int, Resident], spells: Iterable[Residency]) -> list[Entry]:
    """Spells that an import or a correction began; those of an event stand with the event."""
    entries = []
    for spell in spells:
        member = here.get(spell.resident_id)
        if member is None or spell.started_on is None or spell.opened_by_id:
            continue
        if spell.started_on == member.birth_date and spell.reason in ("", "出生"):
            continue
        state = f"{spell.relation}，{spell.hukou}，{spell.residence}"
        title = f"{spell.reason or '登记'}：{member.name}"
        entries.append(Entry(spell.started_on, title, text=state))
    return entries
