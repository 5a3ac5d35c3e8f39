"""Writes an import of residents: households, people, spells, in bulk."""

from collections.abc import Iterator
from datetime import date
from itertools import islice

from django.db.models import F
from django.utils import timezone

from fpadmin import bulk
from fpadmin.audit import log
from fpadmin.crypto import encryptor
from fpadmin.imports.identifiers import text_of
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import changed_meanwhile
from fpadmin.imports.widgets import CLEAR
from households import rules
from households.identifiers import link_waiting
from households.models import (
    ChildRecord,
    Household,
    LowIncomeSpell,
    Relation,
    Residency,
    Resident,
)
from households.resident_import.differences import opens_spell
from households.resident_import.plan import LINKS, PLAIN, SECRET, ResidentPlan
from households.services.special_reviews import review_region

_PERSON_COLUMNS = [
    "id", "household_id", "village_id", *PLAIN, "name_initials",
    *SECRET.values(), *(f"{column}_digest" for column in SECRET.values()),
    *(f"{link}_id" for link in LINKS.values()), "row_version", "created_at", "updated_at",
]  # fmt: skip
# What the trail calls a column of the workbook: the record's own field.
_FIELDS = SECRET | {"household_no": "household", "dibao": "low_income"}
_SPELL_COLUMNS = [
    "id", "resident_id", "household_id", "village_id", "relation", "residence", "hukou",
    "hukou_region_code", "started_on", "ended_on", "reason",
]  # fmt: skip
_STATE = _SPELL_COLUMNS[2:8]
# By which of these a household's head is another.
HEADSHIP = {"household_id", "relation", "death_date", "departed_on"}
_HEADSHIP_KEYS = {"household_no", "relation", "death_date"}


def write_residents(plan: ResidentPlan, journal: Journal) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of changed people."""
    waiting = bool(plan.people) or Resident.objects.exists() or ChildRecord.objects.exists()
    _write_households(plan, journal)
    _claim_changed_people(plan)
    _write_new_people(plan, journal)
    entries = _write_changed_people(plan, journal)
    _write_low_income(plan, journal)
    _touch_households(plan, journal)
    if waiting and (plan.new or plan.changed):
        link_waiting(None, followed=journal.linked if journal.keeps else None)
    bulk.analyze(Resident, Residency, Household, rows=len(plan.new))
    if plan.changed:
        ground = plan.ground
        review_region(by=ground.by, region=ground.office, cause="导入居民", today=ground.today)
    return entries


def _write_households(plan: ResidentPlan, journal: Journal) -> None:
    ids = bulk.reserve_ids(Household, len(plan.new_households))
    now = timezone.now()
    rows = []
    for pk, ((village_id, number), index) in zip(ids, plan.new_households.items(), strict=True):
        group = plan.groups[index]
        plan.households[(village_id, number)] = (pk, group.pk if group else None)
        rows.append((pk, village_id, group.pk if group else None, number, "", 0, now))
    columns = ["id", "village_id", "group_id", "number", "address", "row_version", "created_at"]
    bulk.insert(Household, columns, rows)
    journal.created(Household, ids)
    if plan.regrouped:
        bulk.update(Household, ["group_id"], plan.regrouped.items())


def _write_new_people(plan: ResidentPlan, journal: Journal) -> None:
    ids = bulk.reserve_ids(Resident, len(plan.new))
    for pk, index in zip(ids, plan.new, strict=True):
        number = plan.digests["idno"][index]
        if number:
            plan.people[number] = pk
    bulk.insert(Resident, _PERSON_COLUMNS, _person_rows(plan, ids))
    journal.created(Resident, ids)
    spells = bulk.reserve_ids(Residency, len(ids))
    bulk.insert(Residency, _SPELL_COLUMNS, _spell_rows(plan, spells, ids))
    journal.created(Residency, spells)


def _person_rows(plan: ResidentPlan, ids: list[int]) -> Iterator[tuple]:
    now = timezone.now()
    columns = plan.table.columns
    plain = [(columns[key], blank) for key, blank in PLAIN.items()]
    seals = [
        (columns[key], encryptor(f"households_resident.{column}")) for key, column in SECRET.items()
    ]
    digests = [plan.digests[key] for key in SECRET]
    links = [plan.digests[key] for key in LINKS]
    names = columns["name"]
    for pk, i in zip(ids, plan.new, strict=True):
        yield (
            pk,
            plan.households[plan.household_key(i)][0],
            plan.villages[i].pk,
            *[blank if (v := c[i]) is None or v is CLEAR else v for c, blank in plain],
            rules.name_initials(names[i]),
            *[seal(text_of(c[i])) for c, seal in seals],
            digests[0][i] or None,
            *[d[i] for d in digests[1:]],
            *[plan.people.get(d[i]) if d[i] else None for d in links],
            0,
            now,
            now,
        )


def _spell_rows(plan: ResidentPlan, spells: list[int], ids: list[int]) -> Iterator[tuple]:
    """One open spell each, its start unknown: it counts as always."""
    columns = plan.table.columns
    for spell, pk, i in zip(spells, ids, plan.new, strict=True):
        code = columns["hukou_region_code"][i]
        yield (
            spell,
            pk,
            plan.households[plan.household_key(i)][0],
            plan.villages[i].pk,
            columns["relation"][i],
            columns["residence"][i],
            columns["hukou"][i],
            code if isinstance(code, str) else "",
            None,
            None,
            "导入",
        )


def _claim_changed_people(plan: ResidentPlan) -> None:
    """Hold whoever changes; those who may stop being head do so first.

    At no time may a household have two, whether the next one is new, known, or swaps with another.
    """
    known = [plan.known[index] for index in plan.changed]
    if not bulk.claim(Resident, {person.pk: person.value("row_version") for person in known}):
        raise changed_meanwhile()
    heads = [
        plan.known[index].pk
        for index, keys in plan.changed.items()
        if plan.known[index].value("relation") == Relation.HEAD and _HEADSHIP_KEYS & set(keys)
    ]
    bulk.update(Resident, ["relation"], [(pk, Relation.OTHER) for pk in heads])


def _write_changed_people(plan: ResidentPlan, journal: Journal) -> list[log.Entry]:
    if not plan.changed:
        return []
    if journal.keeps:
        journal.changed(Resident, _kept_people(plan))
    now = timezone.now()
    columns = ["household_id", "village_id", *PLAIN, "departed_on", "name_initials", "updated_at"]
    rows = []
    for index in plan.changed:
        values = [plan.value(index, key) for key in PLAIN]
        initials = rules.name_initials(plan.value(index, "name"))
        pk, departed_on = plan.known[index].pk, _departed_on(plan, index)
        rows.append((pk, *plan.home(index), *values, departed_on, initials, now))
    bulk.update(Resident, columns, rows)
    _write_changed_numbers(plan)
    _write_changed_spells(plan, journal)
    return [_entry(plan, index, keys) for index, keys in plan.changed.items()]


def _departed_on(plan: ResidentPlan, index: int) -> date | None:
    return None if plan.returns(index) else plan.known[index].departed_on


def _kept_people(plan: ResidentPlan) -> Iterator[tuple[int, int, dict[str, list]]]:
    """What changed people held before, for the journal: only the columns that change."""
    numbers = _kept_numbers(plan)  # before the first row: no query runs while rows are copied
    return (
        (
            plan.known[index].pk,
            plan.known[index].value("row_version") + 1,
            _kept_values(plan, index) | numbers.get(plan.known[index].pk, {}),
        )
        for index in plan.changed
    )


def _kept_values(plan: ResidentPlan, index: int) -> dict[str, list]:
    person = plan.known[index]
    household, village = plan.home(index)
    after = {
        "household_id": household,
        "village_id": village,
        "departed_on": _departed_on(plan, index),
        "name_initials": rules.name_initials(plan.value(index, "name")),
    } | {key: plan.value(index, key) for key in PLAIN}
    old = {c: [person.value(c)] for c, value in after.items() if person.value(c) != value}
    if old.keys() & HEADSHIP:  # undoing lets every head step down before one returns
        old["relation"] = [person.value("relation")]
    return old


def _kept_numbers(plan: ResidentPlan) -> dict[int, dict[str, list]]:
    """Person → the numbers that change and the links that go with them, as they are."""
    kept: dict[int, dict[str, list]] = {}
    for key, column in SECRET.items():
        columns = [column, f"{column}_digest"]
        if key in LINKS:
            columns.append(f"{LINKS[key]}_id")
        remaining = iter([plan.known[i].pk for i, keys in plan.changed.items() if key in keys])
        while chunk := list(islice(remaining, 500)):
            for pk, *values in Resident.objects.filter(pk__in=chunk).values_list("pk", *columns):
                old = {name: [value] for name, value in zip(columns, values, strict=True)}
                kept[pk] = kept.get(pk, {}) | old
    return kept


def _write_changed_numbers(plan: ResidentPlan) -> None:
    for key, column in SECRET.items():
        touched = [i for i, keys in plan.changed.items() if key in keys]
        if not touched:
            continue
        seal, link = encryptor(f"households_resident.{column}"), LINKS.get(key)
        rows = []
        for i in touched:
            number = plan.digests[key][i]
            row = [plan.known[i].pk, seal(text_of(plan.table.columns[key][i])), number]
            rows.append(row + [plan.people.get(number)] if link else row)
        names = [column, f"{column}_digest"] + ([f"{link}_id"] if link else [])
        bulk.update(Resident, names, rows)


def _write_changed_spells(plan: ResidentPlan, journal: Journal) -> None:
    """Close the open spell and open the next on the day asked; correct it in place otherwise."""
    corrected, closed, opened, kept = [], [], [], []
    day = plan.ground.on
    for index, keys in plan.changed.items():
        person = plan.known[index]
        spell = plan.spells.get(person.pk)
        if spell is None and not plan.returns(index):
            continue
        state = (
            *plan.home(index),
            plan.value(index, "relation"),
            plan.value(index, "residence"),
            plan.value(index, "hukou"),
            plan.value(index, "hukou_region_code"),
        )
        if spell is None:  # who comes back begins a new stay
            opened.append((person.pk, *state, day, None, "导入返回"))
        elif opens_spell(person, keys) and spell.started_on != day:
            closed.append((spell.pk, day))
            kept.append((spell.pk, None, {"ended_on": [None, day]}))
            opened.append((person.pk, *state, day, None, "导入变更"))
        else:
            corrected.append((spell.pk, *state))
            old = [getattr(spell, column) for column in _STATE]
            values = {c: [o, n] for c, o, n in zip(_STATE, old, state, strict=True)}
            kept.append((spell.pk, None, values))
    journal.changed(Residency, kept)
    bulk.update(Residency, ["ended_on"], closed)
    bulk.update(Residency, _STATE, corrected)
    ids = bulk.reserve_ids(Residency, len(opened))
    rows = ((pk, *row) for pk, row in zip(ids, opened, strict=True))
    bulk.insert(Residency, _SPELL_COLUMNS, rows)
    journal.created(Residency, ids)


def _write_low_income(plan: ResidentPlan, journal: Journal) -> None:
    new, ending = [], []
    for key, state in plan.low_income.items():
        household = plan.households[key][0]
        if state:
            known = key not in plan.new_households
            new.append((household, plan.ground.on if known else None, None))
        else:
            ending.append(household)
    _end_low_income(ending, plan.ground.on, journal)
    ids = bulk.reserve_ids(LowIncomeSpell, len(new))
    columns = ["id", "household_id", "started_on", "ended_on"]
    bulk.insert(LowIncomeSpell, columns, ((pk, *row) for pk, row in zip(ids, new, strict=True)))
    journal.created(LowIncomeSpell, ids)


def _end_low_income(households: list[int], day: date, journal: Journal) -> None:
    """Close the open spells; those that would be empty go."""
    remaining = iter(households)
    while chunk := list(islice(remaining, 500)):
        spells = LowIncomeSpell.objects.filter(household__in=chunk, ended_on__isnull=True)
        empty = spells.filter(started_on__gte=day)
        if journal.keeps:
            columns = ("household_id", "started_on", "ended_on")
            gone = empty.values_list("pk", *columns)
            journal.removed(
                LowIncomeSpell, [(pk, dict(zip(columns, row, strict=True))) for pk, *row in gone]
            )
            closed = spells.exclude(started_on__gte=day).values_list("pk", flat=True)
            journal.changed(
                LowIncomeSpell, [(pk, None, {"ended_on": [None, day]}) for pk in closed]
            )
        empty.delete()
        spells.update(ended_on=day)


def _touch_households(plan: ResidentPlan, journal: Journal) -> None:
    """Mark known households whose group or 低保 changed as edited, for forms opened before."""
    low_income = {
        plan.households[key][0] for key in plan.low_income if key not in plan.new_households
    }
    groups = dict(plan.households.values()) if plan.regrouped else {}
    remaining = iter(sorted(low_income | plan.regrouped.keys()))
    while chunk := list(islice(remaining, 500)):
        households = Household.objects.filter(pk__in=chunk)
        households.update(row_version=F("row_version") + 1)
        journal.changed(
            Household,
            [
                (pk, version, {"group_id": [groups[pk]]} if pk in plan.regrouped else {})
                for pk, version in households.values_list("pk", "row_version")
            ],
        )


def _entry(plan: ResidentPlan, index: int, keys: list[str]) -> log.Entry:
    """The audit entry of one changed person: which fields, and the state itself where it may be said."""
    open_fields = {"relation", "hukou", "residence"}
    person = plan.known[index]
    changes = {
        _FIELDS.get(key, key): [person.value(key), plan.value(index, key)]
        if key in open_fields
        else ["已变更"]
        for key in keys
    }
    return log.Entry(
        "resident.imported", "households.resident", str(person.pk),
        plan.villages[index].path, changes,
    )  # fmt: skip
