"""Imports the workbook of births (生育登记表): whole birth histories, adult children included.

A line is known by its mother's number and 孩次, or by the father's where no mother is given.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

from django.utils import timezone

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.crypto import encryptor
from fpadmin.identity import mask_id_number
from fpadmin.imports.identifiers import digests_of, text_of
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import Change, Doubt, Ground, changed_meanwhile
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from fpadmin.scoping import below
from households import rules
from households.identifiers import link_waiting
from households.models import ChildRecord, Origin, Resident, Sex, Survival
from households.services.special_reviews import review_region

PLAIN = {
    "child_name": "", "sex": "", "birth_date": None, "order": None, "origin": Origin.BORN,
    "within_policy": None, "hospital": "", "birth_certificate_no": "", "survival": "",
    "death_date": None, "disability_grade": "", "disability_date": None,
}  # fmt: skip
SECRET = {
    "mother_idno": "mother_id_number", "father_idno": "father_id_number",
    "child_idno": "child_id_number",
}  # fmt: skip
LINKS = {"mother_idno": "mother", "father_idno": "father", "child_idno": "child"}
_EXISTING = (
    "id", "row_version", "mother_id", *PLAIN, *(f"{c}_digest" for c in SECRET.values()),
)  # fmt: skip
_PREVIEW = 5_000


@dataclass
class Parent:
    """What the check needs of a registered person."""

    pk: int
    birth_date: date
    marital: str
    first_marriage_date: date | None
    village_id: int
    name: str


@dataclass
class Line:
    """A known line of a birth history as stored."""

    pk: int
    version: int
    values: dict[str, Any]
    digests: dict[str, str]


@dataclass
class BirthPlan:
    """What the workbook would do. Indices are of table records; none of them has an error."""

    table: Table
    ground: Ground
    digests: dict[str, list[str]]
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    people: dict[str, Parent] = field(default_factory=dict)
    villages: dict[int, str] = field(default_factory=dict)  # the office's places and their paths
    new: list[int] = field(default_factory=list)
    known: dict[int, Line] = field(default_factory=dict)
    changed: dict[int, list[str]] = field(default_factory=dict)
    stored: dict[tuple, Line] = field(default_factory=dict)  # every known line of these histories
    newborns: dict[tuple, int] = field(default_factory=dict)  # (mother, name, birth date) → child

    def key(self, index: int) -> tuple[str, str, int]:
        """Whose history, and which line: the mother's, else the father's."""
        mother = self.digests["mother_idno"][index]
        whose = ("mother", mother) if mother else ("father", self.digests["father_idno"][index])
        return *whose, self.table.columns["order"][index]

    def value(self, index: int, key: str):
        """The final value of a plain column: the cell, what is kept, or blank."""
        cell = self.table.columns[key][index]
        if cell is CLEAR:
            return PLAIN[key]
        if cell is None:
            line = self.known.get(index)
            return line.values[key] if line and not self._revived(index, key) else PLAIN[key]
        return cell

    def place_of(self, index: int) -> str:
        """The path of the village whose auditor should read of it: the mother's, else the father's."""
        for key in ("mother_idno", "father_idno"):
            parent = self.people.get(self.digests[key][index])
            if parent and parent.village_id in self.villages:
                return self.villages[parent.village_id]
        return self.ground.office.path

    def _revived(self, index: int, key: str) -> bool:
        """A child said to be living has no date of death, whatever stood there."""
        return key == "death_date" and self.table.columns["survival"][index] == Survival.ALIVE


def plan_births(table: Table, ground: Ground) -> BirthPlan:
    """Validate every record and decide what it is: new, changed, unchanged, or refused."""
    plan = BirthPlan(table, ground, digests_of(table, SECRET))
    _own_faults(plan)
    _find_people(plan)
    _find_lines(plan)
    _deaths(plan)
    _parents(plan)
    _duplicates(plan)
    _orders(plan)
    _classify(plan)
    _oddities(plan)
    return plan


def _own_faults(plan: BirthPlan) -> None:
    table, columns = plan.table, plan.table.columns
    for index in range(len(table)):
        if not (plan.digests["mother_idno"][index] or plan.digests["father_idno"][index]) and not (
            {(index, "mother_idno"), (index, "father_idno")} & table.faults
        ):
            table.error(index, "mother_idno", "required", "母亲和父亲的号码至少填一个。请补填。")
        number = columns["child_idno"][index]
        if number not in (None, CLEAR):
            for finding in rules.id_number_findings(
                number, columns["birth_date"][index], columns["sex"][index]
            ):
                table.error(index, finding.field, finding.code, finding.message)
        for key, sex, label in (
            ("mother_idno", Sex.FEMALE, "母亲"),
            ("father_idno", Sex.MALE, "父亲"),
        ):
            parent = columns[key][index]
            if parent not in (None, CLEAR) and parent.sex != sex:
                table.error(
                    index, key, "parent_sex", f"{label}的号码是{parent.sex}性的。请对照证件核对。"
                )


def _deaths(plan: BirthPlan) -> None:
    """死亡 has its date, 存活 has none, and nobody dies before the birth."""
    table, columns = plan.table, plan.table.columns
    for index in range(len(table)):
        survival, died = columns["survival"][index], columns["death_date"][index]
        if survival == Survival.DEAD and died in (None, CLEAR):
            kept = index in plan.known and plan.known[index].values["death_date"]
            if not (kept and died is None) and (index, "death_date") not in table.faults:
                table.error(index, "death_date", "required", "存活状况为死亡时必填。请补填。")
        elif survival == Survival.ALIVE and isinstance(died, date):
            table.error(
                index, "death_date", "survival_conflict", "存活状况是存活，却填了死亡日期。请核对。"
            )
        if isinstance(died, date):
            early = rules.death_finding(columns["birth_date"][index], died)
            if early:
                table.error(index, early.field, early.code, early.message)


def _find_people(plan: BirthPlan) -> None:
    numbers = {d for key in SECRET for d in plan.digests[key] if d}
    fields = ["id", "birth_date", "marital", "first_marriage_date", "village_id", "name"]
    for number, *rest in bulk.lookup(Resident, "id_number_digest", numbers, fields):
        plan.people[number] = Parent(*rest)


def _find_lines(plan: BirthPlan) -> None:
    """Match records with known lines: by the mother and 孩次, or by the single father and 孩次."""
    if not ChildRecord.objects.exists():
        return
    found: dict[tuple, Line] = {}
    for whose in ("mother", "father"):
        numbers = {d for d in plan.digests[f"{whose}_idno"] if d}
        column = f"{whose}_id_number_digest"
        for _, *row in bulk.lookup(ChildRecord, column, numbers, _EXISTING):
            pk, version, mother, *rest = row
            digests = dict(zip(SECRET, rest[len(PLAIN) :], strict=True))
            if whose == "father" and (digests["mother_idno"] or mother):
                continue
            values = dict(zip(PLAIN, rest, strict=False))
            values["within_policy"] = bool(values["within_policy"])
            number = digests[f"{whose}_idno"]
            found[(whose, number, values["order"])] = Line(pk, version, values, digests)
    for index in range(len(plan.table)):
        line = found.get(plan.key(index)) or _of_father_alone(plan, index, found)
        if line:
            plan.known[index] = line
    plan.stored = found


def _of_father_alone(plan: BirthPlan, index: int, found: dict[tuple, Line]) -> Line | None:
    """The same birth as recorded before its mother was known: it must not count twice."""
    columns = plan.table.columns
    line = found.get(("father", plan.digests["father_idno"][index], columns["order"][index]))
    if line and plan.digests["mother_idno"][index]:
        same = ("birth_date", "sex")
        if all(line.values[key] == columns[key][index] for key in same):
            return line
    return None


def _parents(plan: BirthPlan) -> None:
    """One parent at least is registered in the office's area; ages at an own child's birth."""
    table, columns = plan.table, plan.table.columns
    inside = dict(Region.objects.filter(below(plan.ground.office.path)).values_list("pk", "path"))
    plan.villages = inside
    for index in table.good():
        keys = [k for k in ("mother_idno", "father_idno") if plan.digests[k][index]]
        parents = [plan.people.get(plan.digests[k][index]) for k in keys]
        if not any(parents):
            table.error(
                index, keys[0], "resident_missing", "父母都没有在本系统登记。请先导入居民登记表。"
            )
            continue
        if not any(p and p.village_id in inside for p in parents):
            table.error(
                index, keys[0], "outside_office", f"父母不在{plan.ground.office.name}登记。请核对。"
            )
            continue
        births = {}
        for key in keys:
            parent = plan.people.get(plan.digests[key][index])
            births[key] = parent.birth_date if parent else columns[key][index].birth_date
        for finding in rules.parent_findings(
            columns["birth_date"][index],
            adopted=plan.value(index, "origin") == Origin.ADOPTED,
            mother_birth_date=births.get("mother_idno"),
            father_birth_date=births.get("father_idno"),
        ):
            table.error(index, finding.field, finding.code, finding.message)


def _duplicates(plan: BirthPlan) -> None:
    table = plan.table
    records: dict[tuple, list[int]] = defaultdict(list)
    for index in table.good():
        records[plan.key(index)].append(index)
    for indices in records.values():
        if len(indices) > 1:
            rows = "、".join(str(table.excel_rows[i]) for i in indices)
            for index in indices:
                table.error(
                    index, "order", "duplicate_in_file",
                    f"第{rows}行是同一父母的同一孩次。请核对孩次，或只留一行。",
                )  # fmt: skip


def _orders(plan: BirthPlan) -> None:
    """孩次 is in step with the birth dates of own children in one history; twins share a day.

    Of two lines that disagree the one is refused that breaks the longest orderly row.
    """
    table = plan.table
    histories: dict[tuple, list[tuple[int, date, int | None]]] = defaultdict(list)
    in_file: set[tuple] = set()
    for index in table.good():
        if plan.value(index, "origin") == Origin.ADOPTED:
            continue
        whose, number, order = plan.key(index)
        in_file.add((whose, number, order))
        histories[(whose, number)].append((order, table.columns["birth_date"][index], index))
    for key, line in plan.stored.items():
        own = line.values["origin"] == Origin.BORN
        if key[:2] in histories and key not in in_file and own:
            histories[key[:2]].append((key[2], line.values["birth_date"], None))
    for history in histories.values():
        history.sort(key=lambda entry: entry[0])
        for order, _, index in _out_of_step(history):
            if index is not None:
                table.error(
                    index, "order", "order_out_of_step",
                    f"第{order}孩的出生日期与其他孩次的先后不符。请核对孩次或出生日期。",
                )  # fmt: skip


def _out_of_step(history: list[tuple[int, date, int | None]]) -> list[tuple]:
    """The entries outside the longest run of non-decreasing birth dates; usually none."""
    days = [day for _, day, _ in history]
    if all(a <= b for a, b in zip(days, days[1:], strict=False)):
        return []
    best: list[list[int]] = []
    for i, day in enumerate(days):
        longest = max((run for run in best if days[run[-1]] <= day), key=len, default=[])
        best.append([*longest, i])
    kept = set(max(best, key=len))
    return [entry for i, entry in enumerate(history) if i not in kept]


def _classify(plan: BirthPlan) -> None:
    table = plan.table
    for index in table.good():
        if index not in plan.known:
            plan.new.append(index)
        elif keys := _differences(plan, index):
            plan.changed[index] = keys
    plan.created, plan.updated = len(plan.new), len(plan.changed)
    plan.unchanged = len(table) - len(table.bad) - plan.created - plan.updated
    _describe_changes(plan)


def _differences(plan: BirthPlan, index: int) -> list[str]:
    columns, line = plan.table.columns, plan.known[index]
    keys = [key for key in PLAIN if plan.value(index, key) != line.values[key]]
    for key in SECRET:
        if columns[key][index] is not None and plan.digests[key][index] != line.digests[key]:
            keys.append(key)
    return keys


def _oddities(plan: BirthPlan) -> None:
    table, columns = plan.table, plan.table.columns
    for index in table.good():
        mother = plan.people.get(plan.digests["mother_idno"][index])
        own = plan.value(index, "origin") == Origin.BORN
        if mother and own:
            for finding in rules.birth_warnings(
                columns["birth_date"][index], mother.marital, mother.first_marriage_date
            ):
                table.warn(index, "birth_date", finding.code, finding.message)
        for key, label in (("mother_idno", "母亲"), ("father_idno", "父亲")):
            number = plan.digests[key][index]
            if number and number not in plan.people:
                table.warn(
                    index,
                    key,
                    f"{LINKS[key]}_not_registered",
                    f"{label}没有在本系统登记，已照原样记下。",
                )


def _describe_changes(plan: BirthPlan) -> None:
    table = plan.table
    shown = dict(islice(plan.changed.items(), _PREVIEW))
    stored: dict[int, ChildRecord] = {}
    remaining = iter(plan.known[i].pk for i, keys in shown.items() if set(keys) & set(SECRET))
    while chunk := list(islice(remaining, 500)):
        stored |= ChildRecord.objects.in_bulk(chunk)
    for index, keys in shown.items():
        line = plan.known[index]
        for key in keys:
            if key in SECRET:
                old = mask_id_number(getattr(stored[line.pk], SECRET[key]))
                cell = table.columns[key][index]
                new = "" if cell is CLEAR else mask_id_number(cell.number)
            else:
                old, new = line.values[key], plan.value(index, key)
            parent = plan.people.get(plan.key(index)[1])
            plan.changes.append(
                Change(
                    table.excel_rows[index],
                    line.values["child_name"] or "未取名",
                    f"{parent.name if parent else ''} 第{line.values['order']}孩",
                    line.pk,
                    table.kind.column(key).heading,
                    _shown(old),
                    _shown(new),
                )
            )


def _shown(value) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value)


def write_births(plan: BirthPlan, journal: Journal) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of changed lines."""
    names = list(PLAIN)
    ids = bulk.reserve_ids(ChildRecord, len(plan.new))
    columns = [
        "id", *names, *SECRET.values(), *(f"{c}_digest" for c in SECRET.values()),
        *(f"{link}_id" for link in LINKS.values()), "row_version", "created_at",
    ]  # fmt: skip
    _find_newborns(plan)
    bulk.insert(ChildRecord, columns, _line_rows(plan, ids))
    journal.created(ChildRecord, ids)
    if journal.keeps:
        journal.changed(ChildRecord, _kept_lines(plan))
    entries = _write_changed(plan)
    if plan.new or plan.changed:
        link_waiting(None, followed=journal.linked if journal.keeps else None)
    bulk.analyze(ChildRecord, rows=len(plan.new))
    if plan.new or plan.changed:
        ground = plan.ground
        review_region(by=ground.by, region=ground.office, cause="导入生育史", today=ground.today)
    return entries


def _find_newborns(plan: BirthPlan) -> None:
    """Registered children without a number yet, by mother, name and birth date."""
    rows = Resident.objects.filter(id_number_digest__isnull=True, mother__isnull=False)
    plan.newborns = {
        (mother, name, born): pk
        for mother, name, born, pk in rows.values_list("mother", "name", "birth_date", "pk")
    }


def _line_rows(plan: BirthPlan, ids: list[int]) -> Iterator[tuple]:
    now = timezone.now()
    columns = plan.table.columns
    seals = {key: encryptor(f"households_childrecord.{c}") for key, c in SECRET.items()}
    for pk, i in zip(ids, plan.new, strict=True):
        people = [plan.people.get(plan.digests[key][i]) for key in LINKS]
        links = [person.pk if person else None for person in people]
        if links[2] is None:
            links[2] = plan.newborns.get(
                (links[0], columns["child_name"][i], columns["birth_date"][i])
            )
        yield (
            pk,
            *[plan.value(i, key) for key in PLAIN],
            *[seals[key](text_of(columns[key][i])) for key in SECRET],
            *[plan.digests[key][i] for key in SECRET],
            *links,
            0,
            now,
        )


def _kept_lines(plan: BirthPlan) -> Iterator[tuple[int, int, dict[str, list]]]:
    """What changed lines held before, for the journal: only the columns that change."""
    secrets: dict[int, dict[str, list]] = {}
    for key, column in SECRET.items():
        columns = (column, f"{column}_digest", f"{LINKS[key]}_id")
        remaining = iter([plan.known[i].pk for i, keys in plan.changed.items() if key in keys])
        while chunk := list(islice(remaining, 500)):
            rows = ChildRecord.objects.filter(pk__in=chunk).values_list("pk", *columns)
            for pk, *values in rows:
                old = {name: [value] for name, value in zip(columns, values, strict=True)}
                secrets[pk] = secrets.get(pk, {}) | old
    return (
        (
            plan.known[i].pk,
            plan.known[i].version + 1,
            {key: [plan.known[i].values[key]] for key in keys if key in PLAIN}
            | secrets.get(plan.known[i].pk, {}),
        )
        for i, keys in plan.changed.items()
    )


def _write_changed(plan: BirthPlan) -> list[log.Entry]:
    lines = [plan.known[i] for i in plan.changed]
    if not bulk.claim(ChildRecord, {line.pk: line.version for line in lines}):
        raise changed_meanwhile()
    rows = [(plan.known[i].pk, *[plan.value(i, key) for key in PLAIN]) for i in plan.changed]
    bulk.update(ChildRecord, list(PLAIN), rows)
    for key, column in SECRET.items():
        touched = [i for i, keys in plan.changed.items() if key in keys]
        seal = encryptor(f"households_childrecord.{column}")
        numbers = []
        for i in touched:
            person = plan.people.get(plan.digests[key][i])
            numbers.append(
                (
                    plan.known[i].pk,
                    seal(text_of(plan.table.columns[key][i])),
                    plan.digests[key][i],
                    person.pk if person else None,
                )
            )
        bulk.update(ChildRecord, [column, f"{column}_digest", f"{LINKS[key]}_id"], numbers)
    entries = []
    for i, keys in plan.changed.items():
        entries.append(
            log.Entry(
                "birth.imported", "households.childrecord", str(plan.known[i].pk),
                plan.place_of(i), {SECRET.get(key, key): ["已变更"] for key in keys},
            )
        )  # fmt: skip
    return entries
