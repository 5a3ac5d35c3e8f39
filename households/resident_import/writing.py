"""Writes an import of residents: households, people, spells, in bulk."""

from collections.abc import Iterable, Iterator
from itertools import islice

from django.db.models import F
from django.utils import timezone

from fpadmin import bulk
from fpadmin.audit import log
from fpadmin.crypto import encryptor
from fpadmin.imports.identifiers import text_of
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

_PERSON_COLUMNS = [
    "id", "household_id", "village_id", *PLAIN, "name_initials",
    *SECRET.values(), *(f"{column}_digest" for column in SECRET.values()),
    *(f"{link}_id" for link in LINKS.values()), "row_version", "created_at", "updated_at",
]  # fmt: skip
# What the trail calls a column of the workbook: the record's own field.
_FIELDS = SECRET | {"household_no": "household", "dibao": "low_income"}
_SPELL_COLUMNS = [
    "resident_id", "household_id", "village_id", "relation", "residence", "hukou",
    "hukou_region_code", "started_on", "ended_on", "reason",
]  # fmt: skip


def write_residents(plan: ResidentPlan) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of changed people."""
    waiting = bool(plan.people) or Resident.objects.exists() or ChildRecord.objects.exists()
    _write_households(plan)
    _write_new_people(plan)
    entries = _write_changed_people(plan)
    _write_low_income(plan)
    if waiting and (plan.new or plan.changed):
        link_waiting(None)
    bulk.analyze(Resident, Residency, Household, rows=len(plan.new))
    return entries


def _write_households(plan: ResidentPlan) -> None:
    ids = bulk.reserve_ids(Household, len(plan.new_households))
    now = timezone.now()
    rows = []
    for pk, ((village_id, number), index) in zip(ids, plan.new_households.items(), strict=True):
        group = plan.groups[index]
        plan.households[(village_id, number)] = (pk, group.pk if group else None)
        rows.append((pk, village_id, group.pk if group else None, number, "", 0, now))
    columns = ["id", "village_id", "group_id", "number", "address", "row_version", "created_at"]
    bulk.insert(Household, columns, rows)
    if plan.regrouped:
        bulk.update(Household, ["group_id"], plan.regrouped.items())
        _touch(plan.regrouped)


def _write_new_people(plan: ResidentPlan) -> None:
    ids = bulk.reserve_ids(Resident, len(plan.new))
    for pk, index in zip(ids, plan.new, strict=True):
        number = plan.digests["idno"][index]
        if number:
            plan.people[number] = pk
    bulk.insert(Resident, _PERSON_COLUMNS, _person_rows(plan, ids))
    bulk.insert(Residency, _SPELL_COLUMNS, _spell_rows(plan, ids))


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


def _spell_rows(plan: ResidentPlan, ids: list[int]) -> Iterator[tuple]:
    """One open spell each, its start unknown: it counts as always."""
    columns = plan.table.columns
    for pk, i in zip(ids, plan.new, strict=True):
        code = columns["hukou_region_code"][i]
        yield (
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


def _write_changed_people(plan: ResidentPlan) -> list[log.Entry]:
    if not plan.changed:
        return []
    known = [plan.known[index] for index in plan.changed]
    if not bulk.claim(Resident, {person.pk: person.value("row_version") for person in known}):
        raise changed_meanwhile()
    now = timezone.now()
    columns = ["household_id", "village_id", *PLAIN, "name_initials", "updated_at"]
    rows = []
    for index in plan.changed:
        values = [plan.value(index, key) for key in PLAIN]
        household = plan.households[plan.household_key(index)][0]
        initials = rules.name_initials(plan.value(index, "name"))
        village = plan.villages[index].pk
        rows.append((plan.known[index].pk, household, village, *values, initials, now))
    # Whoever stops being head goes first: at no time may a household have two.
    relation = columns.index("relation") + 1
    bulk.update(Resident, columns, [r for r in rows if r[relation] != Relation.HEAD])
    bulk.update(Resident, columns, [r for r in rows if r[relation] == Relation.HEAD])
    _write_changed_numbers(plan)
    _write_changed_spells(plan)
    return [_entry(plan, index, keys) for index, keys in plan.changed.items()]


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


def _write_changed_spells(plan: ResidentPlan) -> None:
    """Close the open spell and open the next on the day asked; correct it in place otherwise."""
    corrected, closed, opened = [], [], []
    day = plan.ground.on
    for index, keys in plan.changed.items():
        person = plan.known[index]
        spell = plan.spells.get(person.pk)
        if spell is None:
            continue
        state = (
            plan.households[plan.household_key(index)][0],
            plan.villages[index].pk,
            plan.value(index, "relation"),
            plan.value(index, "residence"),
            plan.value(index, "hukou"),
            plan.value(index, "hukou_region_code"),
        )
        if opens_spell(person, keys) and spell.started_on != day:
            closed.append((spell.pk, day))
            opened.append((person.pk, *state, day, None, "导入变更"))
        else:
            corrected.append((spell.pk, *state))
    bulk.update(Residency, ["ended_on"], closed)
    bulk.update(Residency, _SPELL_COLUMNS[1:7], corrected)
    bulk.insert(Residency, _SPELL_COLUMNS, opened)


def _write_low_income(plan: ResidentPlan) -> None:
    new, ending = [], []
    for key, state in plan.low_income.items():
        household = plan.households[key][0]
        if state:
            known = key not in plan.new_households
            new.append((household, plan.ground.on if known else None, None))
        else:
            ending.append(household)
    bulk.insert(LowIncomeSpell, ["household_id", "started_on", "ended_on"], new)
    remaining = iter(ending)
    while chunk := list(islice(remaining, 500)):
        spells = LowIncomeSpell.objects.filter(household__in=chunk, ended_on__isnull=True)
        spells.filter(started_on__gte=plan.ground.on).delete()  # they would be empty
        spells.update(ended_on=plan.ground.on)
    _touch(plan.households[key][0] for key in plan.low_income if key not in plan.new_households)


def _touch(households: Iterable[int]) -> None:
    """Mark households as edited, for forms that were opened before."""
    remaining = iter(households)
    while chunk := list(islice(remaining, 500)):
        Household.objects.filter(pk__in=chunk).update(row_version=F("row_version") + 1)


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
