"""Life events: recorded with everything they change, and taken back by a counter-event."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F, ProtectedError, Q

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households import rules
from households.identifiers import link_waiting, renumber_links, set_identifier
from households.life_events.plan import Newcomer, PersonChange, Plan
from households.life_events.planners import plan_event
from households.models import (
    ChildRecord,
    EventChange,
    EventKind,
    Household,
    LifeEvent,
    Relation,
    Residency,
    Resident,
    Survival,
)
from households.services.births import record_birth
from households.services.households import register_household
from households.services.residents import register_resident, save_unless_taken
from households.services.scope import require_visible
from households.services.special_reviews import review_archives
from households.spells import Change, NewHousehold, spell_values

UNCONFIRMED = "请先核对提示，再确认登记。"
# What an event may write of a person, spell fields and links included.
_WRITTEN = (
    "household", "village", "relation", "residence", "hukou", "hukou_region_code", "marital",
    "first_marriage_date", "death_date", "departed_on", "name", "name_initials", "sex", "birth_date",
    "id_number", "id_number_digest", "spouse_id_number", "spouse_id_number_digest", "spouse",
)  # fmt: skip
# Whatever the criteria say after it, somebody looks at the archive of a special family.
_OF_SPECIAL_FAMILIES = (EventKind.BIRTH, EventKind.DEATH, EventKind.DIVORCE)
_SPELL = (
    "household", "village", "relation", "residence", "hukou", "hukou_region_code", "started_on",
    "reason", "opened_by",
)  # fmt: skip
# What is kept of a person beside the columns: the spell that was replaced, lines of birth histories
# in which the child died, and the household that the event founded.
_NOT_COLUMNS = ("spell", "birth_records", "founded")


@transaction.atomic
def record_event(
    *,
    by,
    kind: str,
    values: dict[str, Any],
    happened_on: date,
    today: date,
    note: str = "",
    confirmed: bool = False,
) -> LifeEvent:
    """Record what happened and change the people concerned, as plan_event() says.

    `today` is the day of the report. Refuses what the plan refuses, and odd events (`warnings`)
    unless `confirmed`. People and households in `values` are locked and read again first.
    """
    values = _locked(values)
    plan = plan_event(kind, happened_on, today, values)
    if plan.warnings and not confirmed:
        raise RuleViolation("；".join(plan.warnings) + UNCONFIRMED, field="confirmed")
    founded = _found_households(plan, by)
    newcomer = birth = None
    if plan.newcomer:
        newcomer, birth = _register(plan.newcomer, plan, today, by)
    household = plan.household
    event = LifeEvent.objects.create(
        kind=kind,
        resident=plan.resident or newcomer,
        household=household,
        village=household.village,
        birth=birth,
        happened_on=happened_on,
        reported_on=today,
        note=note,
        recorded_by=by if hasattr(by, "pk") else None,
    )
    if newcomer:
        Residency.objects.filter(resident=newcomer).update(opened_by=event)
        EventChange.objects.create(
            event=event, resident=newcomer, created=True, before="{}", after="{}"
        )
    # Whoever stops being head goes first: at no time may a household have two.
    for change in sorted(plan.changes, key=lambda c: c.relation() == Relation.HEAD):
        _apply(event, change, founded)
    people = [c.resident for c in plan.changes] + ([newcomer] if newcomer else [])
    link_waiting([p.pk for p in people])
    for change in plan.changes:
        if not change.leaves:
            require_visible(Resident.objects.visible_to(by), change.resident)
    require_visible(LifeEvent.objects.visible_to(by), event)
    _record(event, people, by, "event.recorded")
    _review_archives(event, people, by)
    return event


@transaction.atomic
def undo_event(*, by, event: LifeEvent, today: date, reason: str) -> LifeEvent:
    """Take an event back: what it changed is as it was, and a counter-event says so.

    Refuses when anything it changed was changed again since: the later change comes first. And
    when somebody would be back in a village that has become another one since.
    """
    event = LifeEvent.objects.select_for_update().get(pk=event.pk)
    if event.kind == EventKind.UNDO:
        raise RuleViolation("撤销本身不能再撤销，请重新登记。")
    if LifeEvent.objects.filter(undoes=event).exists():
        raise RuleViolation("这个事件已经撤销过了。")
    parts = list(event.people.select_related("resident").order_by("resident"))
    pks = [p.resident_id for p in parts]
    residents = Resident.objects.select_for_update().in_bulk(sorted(pks))
    spells = _open_spells(pks)
    for part in parts:
        _refuse_if_changed_since(event, part, residents[part.resident_id], spells)
    undo = LifeEvent.objects.create(
        kind=EventKind.UNDO,
        resident=event.resident,
        household=event.household,
        village=event.village,
        happened_on=event.happened_on,
        reported_on=max(today, event.reported_on),
        note=reason,
        undoes=event,
        recorded_by=by if hasattr(by, "pk") else None,
    )
    # Whoever was not the head before goes first, for the same reason as in record_event().
    for part in sorted(parts, key=lambda p: _relation_before(p) == Relation.HEAD):
        _restore(event, part, residents[part.resident_id])
        if part.created and event.kind == EventKind.BIRTH:
            _free_number(undo, residents[part.resident_id])
    _refuse_ended_village(pks)
    _take_back_birth(event)
    _drop_founded_household(parts)
    _record(undo, residents.values(), by, "event.undone")
    _review_archives(undo, residents.values(), by)
    return undo


def _locked(values: Any) -> Any:
    """The same values with their people and households locked and as they are now."""
    people, households = set(), set()

    def collect(value):
        if isinstance(value, Resident):
            people.add(value.pk)
        elif isinstance(value, Household):
            households.add(value.pk)
        elif isinstance(value, list):
            for item in value:
                collect(item)

    for value in values.values():
        collect(value)
    rows = Resident.objects.filter(pk__in=people)
    for household, spouse in rows.values_list("household", "spouse"):
        households.add(household)
        people |= {spouse} if spouse else set()
    # Locked first, read in a statement of its own: a join made before the wait shows what was.
    for model, keys in ((Household, households), (Resident, people)):
        list(model.objects.select_for_update().filter(pk__in=keys).order_by("pk").values("pk"))
    locked_homes = Household.objects.select_related("village", "group").in_bulk(households)
    locked_people = Resident.objects.select_related(
        "household__village", "village", "spouse__village"
    ).in_bulk(people)

    def again(value):
        if isinstance(value, Resident):
            return locked_people[value.pk]
        if isinstance(value, Household):
            return locked_homes[value.pk]
        return [again(item) for item in value] if isinstance(value, list) else value

    return {name: again(value) for name, value in values.items()}


def _found_households(plan: Plan, by) -> set[int]:
    """Register the household that the event begins, once, and put it wherever the plan names it.

    Returns the keys of what was registered.
    """
    founded: dict[NewHousehold, Household] = {}

    def real(household):
        if not isinstance(household, NewHousehold):
            return household
        if household not in founded:
            founded[household] = register_household(
                by=by,
                village=household.village,
                group=household.group,
                number=household.number,
                address=household.address,
            )
        return founded[household]

    plan.household = real(plan.household)
    for change in plan.changes:
        if "household" in change.state:
            change.state["household"] = real(change.state["household"])
    if plan.newcomer:
        plan.newcomer.household = real(plan.newcomer.household)
    return {household.pk for household in founded.values()}


def _register(
    newcomer: Newcomer, plan: Plan, today: date, by
) -> tuple[Resident, ChildRecord | None]:
    change = Change(plan.day, EventKind(plan.kind).label)
    resident = register_resident(
        by=by, household=newcomer.household, values=newcomer.values, change=change
    )
    if newcomer.parent is None:
        return resident, None
    values = newcomer.birth | {"child_id_number": resident.id_number}
    return resident, record_birth(
        by=by, parent=newcomer.parent, values=values, child=resident, today=today
    )


def _apply(event: LifeEvent, change: PersonChange, founded: set[int]) -> None:
    """Write one person's part, with the spells, and keep what stood there before."""
    resident = change.resident
    before = _stored(resident, _WRITTEN)
    for name, value in (change.state | change.fields).items():
        setattr(resident, name, value)
    resident.village = resident.household.village
    for name, value in change.numbers.items():
        set_identifier(resident, name, value)
        if name == "spouse_id_number" and "spouse" not in change.fields:
            resident.spouse = None  # link_waiting() finds the person of the new number
    resident.name_initials = rules.name_initials(resident.name)
    spell_facts = _change_spell(event, change) if _moves(change) else {}
    after = _stored(resident, _WRITTEN)
    changed = [name for name in before if before[name] != after[name]]
    # Nothing else: who isn't locked may have been edited since the plan was made.
    save_unless_taken(resident, update_fields=[*changed, "updated_at"])
    if "id_number" in change.numbers:
        renumber_links(resident)
    Resident.objects.filter(pk=resident.pk).update(row_version=F("row_version") + 1)
    # The link follows the number: it is compared, and restored, by the number alone.
    kept = {name: before[name] for name in changed} | spell_facts
    if "spouse_id_number" in change.numbers:
        kept["spouse_id"] = before["spouse_id"]
    if resident.household_id in founded:
        kept["founded"] = resident.household_id
    if "death_date" in change.fields:
        kept["birth_records"] = _children_die(resident, change.fields["death_date"])
    EventChange.objects.create(
        event=event,
        resident=resident,
        before=json.dumps(kept),
        after=json.dumps({name: after[name] for name in changed if name != "spouse_id"}),
    )


def _moves(change: PersonChange) -> bool:
    return change.leaves or change.returns or bool(change.state)


def _change_spell(event: LifeEvent, change: PersonChange) -> dict[str, Any]:
    """End, begin or correct the spell; returns what undo needs to know under "spell"."""
    resident, day = change.resident, event.happened_on
    spell = Residency.objects.filter(resident=resident, ended_on__isnull=True).first()
    resident.departed_on = day if change.leaves else None
    facts: dict[str, Any] = {"spell": None}
    if spell and spell.started_on == day:
        # It would last no day: the spell is another one from its beginning, or none at all.
        facts["spell"] = _stored(spell, _SPELL)
        if change.leaves:
            spell.delete()
            return facts
        for name, value in spell_values(resident).items():
            setattr(spell, name, value)
        spell.opened_by, spell.reason = event, event.get_kind_display()
        spell.save()
        return facts
    if spell:
        spell.ended_on, spell.closed_by = day, event
        spell.save(update_fields=["ended_on", "closed_by"])
    if not change.leaves:
        Residency.objects.create(
            resident=resident,
            started_on=day,
            reason=event.get_kind_display(),
            opened_by=event,
            **spell_values(resident),
        )
    return facts


def _children_die(resident: Resident, day: date) -> list[int]:
    """The lines of birth histories in which this person is the child: dead from that day."""
    lines = ChildRecord.objects.filter(child=resident, survival=Survival.ALIVE)
    pks = list(lines.values_list("pk", flat=True))
    ChildRecord.objects.filter(pk__in=pks).update(
        survival=Survival.DEAD, death_date=day, row_version=F("row_version") + 1
    )
    return pks


def _refuse_if_changed_since(
    event: LifeEvent, part: EventChange, resident: Resident, spells: dict[int, Residency]
) -> None:
    name = resident.name
    later = (
        LifeEvent.objects.in_force()
        .filter(Q(resident=resident) | Q(people__resident=resident), pk__gt=event.pk)
        .order_by("-pk")
    )
    after = json.loads(part.after)
    spell = spells.get(resident.pk)
    stands = _stored(resident, [n.removesuffix("_id") for n in after])
    same = all(stands[key] == value for key, value in after.items())
    before = json.loads(part.before)
    if part.created or "spell" in before:
        gone = after.get("departed_on") is not None
        ours = (spell is None) if gone else (spell is not None and spell.opened_by_id == event.pk)
        same = same and ours
    if part.created:
        same = same and not resident.merged_into_id and not later.exists()
    if same:
        return
    newest = later.first()
    what = f"{newest.happened_on}的{newest.get_kind_display()}" if newest else "后来的修改"
    raise RuleViolation(f"{name}在这之后又有变动（{what}），请先撤销或改回后面的变动。")


def _refuse_ended_village(pks: list[int]) -> None:
    """A spell that ended before its household's village was merged knows the old village alone."""
    spells = Residency.objects.filter(resident__in=pks, ended_on__isnull=True)
    elsewhere = spells.exclude(village=F("household__village")).select_related("village").first()
    if elsewhere:
        raise RuleViolation(
            f"{elsewhere.village.name}后来已经区划调整，撤销会把人放回原来的村。"
            "请按现在的情况另行登记迁入或变动。"
        )


def _relation_before(part: EventChange) -> str:
    return json.loads(part.before).get("relation", part.resident.relation)


def _restore(event: LifeEvent, part: EventChange, resident: Resident) -> None:
    before = json.loads(part.before)
    opened = Residency.objects.filter(resident=resident, opened_by=event, ended_on__isnull=True)
    if part.created:
        opened.delete()
        resident.departed_on = event.happened_on
        names = ["departed_on"]
    else:
        if "spell" in before:
            opened.delete()
            Residency.objects.filter(resident=resident, closed_by=event).update(
                ended_on=None, closed_by=None
            )
            if before["spell"]:
                _write(Residency(resident=resident), before["spell"]).save()
        names = [n for n in before if n not in _NOT_COLUMNS]
        _write(resident, {n: before[n] for n in names})
        names = [n.removesuffix("_id") for n in names]
        if "spouse" in names:
            names += _follow_merged_spouse(resident)
        ChildRecord.objects.filter(pk__in=before.get("birth_records", [])).update(
            survival=Survival.ALIVE, death_date=None, row_version=F("row_version") + 1
        )
    save_unless_taken(resident, update_fields=[*names, "updated_at"])
    if "id_number" in names:
        renumber_links(resident)
    Resident.objects.filter(pk=resident.pk).update(row_version=F("row_version") + 1)


def _follow_merged_spouse(resident: Resident) -> list[str]:
    """A former spouse whose record was merged since is the record that was kept."""
    spouse = resident.spouse
    if spouse is None or not spouse.merged_into_id:
        return []
    while spouse.merged_into:
        spouse = spouse.merged_into
    resident.spouse = spouse if spouse != resident else None
    return set_identifier(resident, "spouse_id_number", spouse.id_number if resident.spouse else "")


def _free_number(undo: LifeEvent, resident: Resident) -> None:
    """A newborn who was registered wrongly is registered again with the same number, as a new record.

    Nobody else's links lead there; whose number it was stays with the counter-event.
    """
    names = ["id_number", "id_number_digest"]
    before = _stored(resident, names)
    if not resident.id_number:
        return
    set_identifier(resident, "id_number", "")
    resident.save(update_fields=[*names, "updated_at"])
    after = _stored(resident, names)
    EventChange.objects.create(
        event=undo, resident=resident, before=json.dumps(before), after=json.dumps(after)
    )


def _take_back_birth(event: LifeEvent) -> None:
    """The line of the birth history goes with its birth, unless something else rests on it."""
    if event.birth_id is None:
        return
    try:
        ChildRecord.objects.get(pk=event.birth_id).delete()
    except ProtectedError:
        raise RuleViolation("别的工作已经用到这条出生记录，不能撤销，请改为更正。") from None


def _drop_founded_household(parts: Iterable[EventChange]) -> None:
    """The household that this event founded goes again, if nothing else names it."""
    homes = {json.loads(part.before).get("founded") for part in parts}
    empty = Household.objects.filter(
        pk__in=homes, members__isnull=True, residencies__isnull=True, life_events__isnull=True
    )
    for household in empty:
        try:
            with transaction.atomic():
                household.delete()
        except ProtectedError:
            continue


def _open_spells(pks: list[int]) -> dict[int, Residency]:
    spells = Residency.objects.filter(resident__in=pks, ended_on__isnull=True)
    return {spell.resident_id: spell for spell in spells}


def _review_archives(event: LifeEvent, people: Iterable[Resident], by) -> None:
    """A special family hears of it at once; of what does not touch its case only if it became doubtful."""
    kind = (event.undoes or event).kind
    review_archives(
        by=by,
        people=[p.pk for p in people],
        cause=("撤销" if event.undoes else "") + EventKind(kind).label,
        today=event.reported_on,
        always=kind in _OF_SPECIAL_FAMILIES,
        resident=event.resident,
        event=event,
    )


def _record(event: LifeEvent, people: Iterable[Resident], by, type_: str) -> None:
    """One entry for the event and one for each person it touched."""
    path = event.village.path
    kind = (event.undoes or event).get_kind_display()
    facts = {"event": kind, "happened_on": event.happened_on.isoformat()}
    log.record(type_, by=by, target=event, region_path=path, changes=facts)
    if type_ == "event.undone":
        facts = facts | {"event": f"撤销{kind}"}
    log.record_many(
        [
            log.Entry("resident.event", "households.resident", str(p.pk), p.village.path, facts)
            for p in people
        ],
        by=by,
    )


def _stored(record, names: Iterable[str]) -> dict[str, Any]:
    """{column: value} as JSON can hold them; links by their keys."""
    fields = [record._meta.get_field(name) for name in names]
    values = {f.attname: getattr(record, f.attname) for f in fields}
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in values.items()}


def _write(record, stored: dict[str, Any]):
    """The record with the values that _stored() made."""
    fields = {f.attname: f for f in record._meta.concrete_fields}
    for name, value in stored.items():
        setattr(record, name, fields[name].to_python(value))
    return record
