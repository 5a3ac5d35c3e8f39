"""Writes another department's list in bulk, and has it compared with ours in the background."""

from collections.abc import Iterator

from django.utils import timezone

from fpadmin import bulk
from fpadmin.audit import log
from fpadmin.crypto import encryptor
from fpadmin.imports.identifiers import text_of
from fpadmin.imports.journal import Journal
from subsidies.comparison.runs import start
from subsidies.models import RosterEntry
from subsidies.roster_import.entries import NUMBER, PLAIN, EntryPlan

_COLUMNS = (
    "id", "office_id", "source", *PLAIN, "id_number", "id_number_digest", "event_date",
    "resident_id", "created_at",
)  # fmt: skip


def write_entries(plan: EntryPlan, journal: Journal) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of the trail."""
    ids = bulk.reserve_ids(RosterEntry, len(plan.new))
    bulk.insert(RosterEntry, _COLUMNS, _rows(plan, ids))
    journal.created(RosterEntry, ids)
    bulk.analyze(RosterEntry, rows=len(plan.new))
    entries = _write_changed(plan, journal)
    if plan.new or plan.changed:
        start(region=plan.ground.office, by=plan.ground.by)
    return entries


def _rows(plan: EntryPlan, ids: list[int]) -> Iterator[tuple]:
    now, office = timezone.now(), plan.ground.office.pk
    columns, seal = plan.table.columns, encryptor("subsidies_rosterentry.id_number")
    for pk, index in zip(ids, plan.new, strict=True):
        yield (
            pk, office, columns["source"][index], *(plan.value(index, key) for key in PLAIN),
            seal(text_of(columns[NUMBER][index])), plan.digests[index], plan.day(index),
            plan.resident(index), now,
        )  # fmt: skip


def _write_changed(plan: EntryPlan, journal: Journal) -> list[log.Entry]:
    """Corrected entries are compared again."""
    keys = {index: plan.known[index].pk for index in plan.changed}
    journal.changed(
        RosterEntry,
        [
            (keys[index], None, {name: list(pair) for name, pair in values.items()})
            for index, values in plan.changed.items()
        ],
    )
    bulk.update(
        RosterEntry,
        (*PLAIN, "compared_at"),
        [(keys[index], *(plan.value(index, key) for key in PLAIN), None) for index in plan.changed],
    )
    office = plan.ground.office.path
    return [
        log.Entry(
            "roster.imported", "subsidies.rosterentry", str(keys[index]), office,
            {"fields": sorted(values)},
        )
        for index, values in plan.changed.items()
    ]  # fmt: skip
