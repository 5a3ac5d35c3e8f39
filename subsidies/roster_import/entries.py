"""Plans the workbook of another department's list: which entries are new, and whom they mean here."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from fpadmin import bulk
from fpadmin.imports.identifiers import digests_of
from fpadmin.imports.kinds import Change, Doubt, Ground
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from subsidies.models import RosterEntry
from subsidies.registered import Person, people_by_number, places_of, same_name

NUMBER, DAY = "idno", "event_date"
PLAIN = ("name", "detail")
_COLUMNS = ["office_id", "source", "event_date", "id", *PLAIN]
_PREVIEW = 5_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A known entry as stored."""

    pk: int
    values: dict[str, str]


@dataclass
class EntryPlan:
    """What the workbook would do. Indices are of table records; none of them has an error."""

    table: Table
    ground: Ground
    digests: list[str]
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)  # of the office, by digest
    places: dict[int, tuple[str, str]] = field(default_factory=dict)
    new: list[int] = field(default_factory=list)
    known: dict[int, Entry] = field(default_factory=dict)
    changed: dict[int, dict[str, tuple]] = field(default_factory=dict)  # column → (old, new)

    def key(self, index: int) -> tuple[str, str, date | None]:
        """Source, number and day: the office has it once."""
        return self.table.columns["source"][index], self.digests[index], self.day(index)

    def day(self, index: int) -> date | None:
        """When it happened, where the list says so."""
        cell = self.table.columns[DAY][index]
        return None if cell is CLEAR else cell

    def value(self, index: int, key: str) -> str:
        """The final value of a plain column: the cell, what is kept, or blank."""
        cell = self.table.columns[key][index]
        if cell is CLEAR:
            return ""
        if cell is None:
            return self.known[index].values[key] if index in self.known else ""
        return cell

    def resident(self, index: int) -> int | None:
        """Who it is, where the number is registered with the office."""
        person = self.people.get(self.digests[index])
        return person.pk if person else None


def plan_entries(table: Table, ground: Ground) -> EntryPlan:
    """Validate every record and decide what it is: new, changed, unchanged, or refused."""
    plan = EntryPlan(table, ground, digests_of(table, [NUMBER])[NUMBER])
    plan.places = places_of(ground.office)
    plan.people = {
        number: person
        for number, person in people_by_number(plan.digests).items()
        if person.village in plan.places
    }
    _duplicates(plan)
    _find_entries(plan)
    _classify(plan)
    _warn_of_names(plan)
    return plan


def _duplicates(plan: EntryPlan) -> None:
    """Both rows of one entry are refused."""
    table = plan.table
    records: dict[tuple, list[int]] = defaultdict(list)
    for index in table.good():
        records[plan.key(index)].append(index)
    for indices in records.values():
        if len(indices) > 1:
            rows = "、".join(str(table.excel_rows[i]) for i in indices[:5])
            for index in indices:
                table.error(
                    index, NUMBER, "duplicate_in_file",
                    f"第{rows}行是同一来源、同一人、同一事件日期。请只留一行。",
                )  # fmt: skip


def _find_entries(plan: EntryPlan) -> None:
    good = plan.table.good()
    office = plan.ground.office.pk
    stored = {}
    for number, owner, source, day, pk, *values in bulk.lookup(
        RosterEntry, "id_number_digest", {plan.digests[index] for index in good}, _COLUMNS
    ):
        if owner == office:
            stored[source, number, day] = Entry(pk, dict(zip(PLAIN, values, strict=True)))
    for index in good:
        entry = stored.get(plan.key(index))
        if entry:
            plan.known[index] = entry


def _classify(plan: EntryPlan) -> None:
    for index in plan.table.good():
        entry = plan.known.get(index)
        if entry is None:
            plan.new.append(index)
            continue
        values = {key: (entry.values[key], plan.value(index, key)) for key in PLAIN}
        differing = {key: pair for key, pair in values.items() if pair[0] != pair[1]}
        if differing:
            plan.changed[index] = differing
    plan.created, plan.updated = len(plan.new), len(plan.changed)
    plan.unchanged = len(plan.table) - len(plan.table.bad) - plan.created - plan.updated
    _describe_changes(plan)


def _describe_changes(plan: EntryPlan) -> None:
    table = plan.table
    for index, values in islice(plan.changed.items(), _PREVIEW):
        person = plan.people.get(plan.digests[index])
        place = plan.places[person.village][1] if person else plan.ground.office.name
        for key, (old, new) in values.items():
            plan.changes.append(
                Change(
                    table.excel_rows[index],
                    plan.value(index, "name") or "没有姓名",
                    place,
                    plan.known[index].pk,
                    table.kind.column(key).heading,
                    old,
                    new,
                )
            )


def _warn_of_names(plan: EntryPlan) -> None:
    table = plan.table
    for index in table.good():
        person, name = plan.people.get(plan.digests[index]), plan.value(index, "name")
        if person and name and not same_name(name, person.name):
            table.warn(
                index, "name", "name_unlike",
                f"这个号码登记的姓名是“{person.name}”。已照原样记下，请核对是不是同一人。",
            )  # fmt: skip
