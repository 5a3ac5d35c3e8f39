"""Imports the log of contacts (特殊家庭联系记录). A record is known by the contact's term and the day."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from django.utils import timezone

from fpadmin import bulk
from fpadmin.accounts.models import User
from fpadmin.audit import log
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import Change, Doubt, Ground, changed_meanwhile
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from households.models import ContactPerson, ContactRecord, FamilyContact, Purpose, RoundVisit
from households.special_import.cells import folded
from households.special_import.homes import Archive, Homes, find_homes

PLAIN = ("channel", "purpose", "request", "outcome")
_PREVIEW = 5_000
_CHUNK = 500
_NAMED = 6  # contacts or terms named in a message


@dataclass(frozen=True, slots=True)
class Term:
    """A contact's term as stored."""

    pk: int
    person: int
    name: str
    started_on: date
    ended_on: date | None

    def holds(self, day: date) -> bool:
        """Whether the contact may have met the family on `day`: on the last day, too."""
        return self.started_on <= day and (self.ended_on is None or day <= self.ended_on)

    @property
    def words(self) -> str:
        return f"{self.started_on}至{self.ended_on or '今'}"


@dataclass(frozen=True, slots=True)
class Record:
    """A known record as stored."""

    pk: int
    version: int
    values: dict[str, str]


@dataclass
class RecordPlan:
    """What the workbook would do. Indices are of table records; none of them has an error."""

    table: Table
    ground: Ground
    homes: Homes
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    terms: dict[int, list[Term]] = field(default_factory=dict)  # archive → terms
    stored: dict[tuple[int, date], Record] = field(default_factory=dict)  # (term, day) → record
    of_rounds: set[int] = field(
        default_factory=set
    )  # stored records that stand for a visit of a round
    term: dict[int, Term] = field(default_factory=dict)  # record → whose it is
    new: list[int] = field(default_factory=list)
    known: dict[int, Record] = field(default_factory=dict)
    changed: dict[int, list[str]] = field(default_factory=dict)

    def value(self, index: int, key: str) -> str:
        """The final value of a column: the cell, what is kept, or blank."""
        cell = self.table.columns[key][index]
        if cell is CLEAR:
            return ""
        if cell is None:
            return self.known[index].values[key] if index in self.known else ""
        return cell


def plan_records(table: Table, ground: Ground) -> RecordPlan:
    """Validate every record and decide what it is: new, changed, unchanged, or refused."""
    plan = RecordPlan(table, ground, find_homes(table, ground))
    _find_terms(plan)
    _find_records(plan)
    for index in table.good():
        _whose(plan, index)
    _duplicates(plan)
    _classify(plan)
    return plan


def _find_terms(plan: RecordPlan) -> None:
    families = {one.pk for archives in plan.homes.archives.values() for one in archives}
    columns = ["id", "person_id", "started_on", "ended_on"]
    rows = bulk.lookup(FamilyContact, "family_id", families, columns)
    people = {person for _, _, person, *_ in rows}
    names = {pk: folded(name) for pk, name in bulk.lookup(ContactPerson, "id", people, ["name"])}
    plan.terms = defaultdict(list)
    for family, pk, person, started_on, ended_on in rows:
        plan.terms[family].append(Term(pk, person, names[person], started_on, ended_on))


def _find_records(plan: RecordPlan) -> None:
    terms = {term.pk for some in plan.terms.values() for term in some}
    columns = ["happened_on", "voided_at", "id", "row_version", *PLAIN]
    rows = bulk.lookup(ContactRecord, "contact_id", terms, columns)
    for term, happened_on, voided_at, pk, version, *values in rows:
        if voided_at is None:
            known = Record(pk, version, dict(zip(PLAIN, values, strict=True)))
            plan.stored[term, happened_on] = known
    visits = bulk.lookup(RoundVisit, "contact_id", terms, ["record_id"])
    plan.of_rounds = {record for _, record in visits if record}


def _whose(plan: RecordPlan, index: int) -> None:
    """The one contact of this name who may have met the family on the day."""
    table, day = plan.table, plan.table.columns["date"][index]
    archives = plan.homes.archives.get(plan.homes.households[index], [])
    if not archives:
        table.error(
            index, "household_no", "archive_missing",
            "这一户没有特殊家庭档案。请先导入特殊家庭档案，或核对户编号。",
        )  # fmt: skip
        return
    # On the day of closing the last contact may still have been there.
    open_then = [
        a for a in archives if a.opened_on <= day and (not a.closed_on or day <= a.closed_on)
    ]
    if not open_then:
        spans = "、".join(f"{a.opened_on}至{a.closed_on or '今'}" for a in archives[:_NAMED])
        table.error(
            index, "date", "archive_not_open",
            f"{day}这一户没有在管的档案（档案：{spans}）。请核对联系日期。",
        )  # fmt: skip
        return
    _named(plan, index, day, archives, open_then)


def _named(
    plan: RecordPlan, index: int, day: date, archives: list[Archive], open_then: list[Archive]
) -> None:
    table = plan.table
    name = folded(table.columns["contact"][index])
    there = [term for one in open_then for term in plan.terms[one.pk] if term.holds(day)]
    called = [term for term in there if term.name == name]
    if len({term.person for term in called}) == 1:
        written = [term for term in called if (term.pk, day) in plan.stored]
        plan.term[index] = (written or sorted(called, key=lambda t: t.started_on))[-1]
    elif called:
        table.error(
            index, "contact", "contact_ambiguous",
            f"{day}这一户有{len(called)}位联系人都叫“{name}”，分不清是哪一位。请到档案里登记这一条。",
        )  # fmt: skip
    else:
        _refuse_stranger(plan, index, name, day, archives, there)


def _refuse_stranger(plan, index: int, name: str, day: date, archives, there: list[Term]) -> None:
    terms = [term for one in archives for term in plan.terms[one.pk] if term.name == name]
    if terms:
        spans = "、".join(term.words for term in terms[:_NAMED])
        plan.table.error(
            index, "contact", "contact_outside_term",
            f"{day}不在{name}担任这一户联系人的期间（{spans}）。请核对日期或联系人。",
        )  # fmt: skip
        return
    names = "、".join(dict.fromkeys(term.name for term in there[:_NAMED])) or "没有"
    plan.table.error(
        index, "contact", "contact_unknown",
        f"“{name}”不是这一户的联系人，{day}的联系人：{names}。请核对姓名，或先安排联系人。",
    )  # fmt: skip


def _duplicates(plan: RecordPlan) -> None:
    """Both rows of one contact on one day are refused."""
    table, days = plan.table, plan.table.columns["date"]
    records = defaultdict(list)
    for index in table.good():
        records[plan.term[index].pk, days[index]].append(index)
    for indices in records.values():
        if len(indices) > 1:
            rows = "、".join(str(table.excel_rows[i]) for i in indices[:5])
            for index in indices:
                table.error(
                    index, "date", "duplicate_in_file",
                    f"第{rows}行是同一联系人同一天的记录。请合成一行。",
                )  # fmt: skip


def _classify(plan: RecordPlan) -> None:
    table, days = plan.table, plan.table.columns["date"]
    for index in table.good():
        known = plan.stored.get((plan.term[index].pk, days[index]))
        if known is None:
            plan.new.append(index)
            continue
        plan.known[index] = known
        purpose = plan.value(index, "purpose")
        if purpose != Purpose.FESTIVAL and known.pk in plan.of_rounds:
            table.error(
                index, "purpose", "record_of_round",
                "这条记录是慰问活动登记的，类别不能改。请先在慰问活动里撤回。",
            )  # fmt: skip
            continue
        if keys := [key for key in PLAIN if plan.value(index, key) != known.values[key]]:
            plan.changed[index] = keys
    plan.created, plan.updated = len(plan.new), len(plan.changed)
    plan.unchanged = len(table) - len(table.bad) - plan.created - plan.updated
    for index, keys in islice(plan.changed.items(), _PREVIEW):
        for key in keys:
            plan.changes.append(
                Change(
                    table.excel_rows[index],
                    f"{table.columns['household_no'][index]}户 {days[index]}",
                    plan.homes.villages[index].name,
                    plan.known[index].pk,
                    table.kind.column(key).heading,
                    plan.known[index].values[key],
                    plan.value(index, key),
                )
            )


def write_records(plan: RecordPlan, journal: Journal) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of changed records."""
    _refuse_moved_terms(plan)
    ids = bulk.reserve_ids(ContactRecord, len(plan.new))
    columns = [
        "id", "contact_id", "happened_on", *PLAIN, "recorded_on", "recorded_by_id", "created_at",
        "row_version", "void_reason",
    ]  # fmt: skip
    bulk.insert(ContactRecord, columns, _rows(plan, ids))
    journal.created(ContactRecord, ids)
    entries = _write_changed(plan, journal)
    bulk.analyze(ContactRecord, rows=len(plan.new))
    return entries


def _refuse_moved_terms(plan: RecordPlan) -> None:
    """Somebody was handed over from since the comparison: the record may lie outside the term by now."""
    needed = {plan.term[index] for index in plan.new}
    rows = bulk.lookup(FamilyContact, "id", [t.pk for t in needed], ["started_on", "ended_on"])
    if {tuple(row) for row in rows} != {(t.pk, t.started_on, t.ended_on) for t in needed}:
        raise changed_meanwhile()


def _rows(plan: RecordPlan, ids: list[int]) -> Iterator[tuple]:
    now, by, days = timezone.now(), plan.ground.by, plan.table.columns["date"]
    recorder = by.pk if isinstance(by, User) else None
    for pk, index in zip(ids, plan.new, strict=True):
        values = [plan.value(index, key) for key in PLAIN]
        yield (
            pk, plan.term[index].pk, days[index], *values, plan.ground.today, recorder, now, 0, "",
        )  # fmt: skip


def _write_changed(plan: RecordPlan, journal: Journal) -> list[log.Entry]:
    changed = {plan.known[index].pk: (index, keys) for index, keys in plan.changed.items()}
    versions = {plan.known[index].pk: plan.known[index].version for index in plan.changed}
    if not bulk.claim(ContactRecord, versions):
        raise changed_meanwhile()
    journal.changed(
        ContactRecord,
        [
            (pk, versions[pk] + 1, {key: [plan.known[index].values[key]] for key in keys})
            for pk, (index, keys) in changed.items()
        ],
    )
    bulk.update(
        ContactRecord,
        PLAIN,
        [(pk, *(plan.value(index, key) for key in PLAIN)) for pk, (index, _) in changed.items()],
    )
    return [
        log.Entry(
            "special.contact_imported", "households.contactrecord", str(pk),
            plan.homes.villages[index].path, {"fields": keys},
        )
        for pk, (index, keys) in changed.items()
    ]  # fmt: skip
