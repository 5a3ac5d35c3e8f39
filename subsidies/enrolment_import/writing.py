"""Writes an import of rolls in bulk: lines that are corrected, then those that are new."""

from collections.abc import Iterator

from django.utils import timezone

from fpadmin import bulk
from fpadmin.audit import log
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import changed_meanwhile
from subsidies.enrolment_import.plan import EnrolmentPlan
from subsidies.models import Enrolment

_COLUMNS = (
    "id", "policy_code", "resident_id", "grade", "start_month", "end_month", "end_reason",
    "decision", "row_version", "created_at",
)  # fmt: skip
_CHANGED = ("end_month", "end_reason", "grade")


def write_enrolments(plan: EnrolmentPlan, journal: Journal) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of changed lines.

    Months and reasons of an exit are corrected; suspensions and proposals stay as they are.
    """
    entries = _write_changed(plan, journal)
    ids = bulk.reserve_ids(Enrolment, len(plan.new))
    bulk.insert(Enrolment, _COLUMNS, _rows(plan, ids))
    journal.created(Enrolment, ids)
    bulk.analyze(Enrolment, rows=len(plan.new))
    return entries


def _rows(plan: EnrolmentPlan, ids: list[int]) -> Iterator[tuple]:
    now = timezone.now()
    for pk, index in zip(ids, plan.new, strict=True):
        code, resident = plan.key(index)
        yield (
            pk, code, resident, plan.grade(index), plan.start(index), plan.end(index),
            plan.reason(index), "{}", 0, now,
        )  # fmt: skip


def _write_changed(plan: EnrolmentPlan, journal: Journal) -> list[log.Entry]:
    lines = {index: plan.known[index] for index in plan.changed}
    if not bulk.claim(Enrolment, {line.pk: line.version for line in lines.values()}):
        raise changed_meanwhile()
    journal.changed(
        Enrolment,
        [
            (
                lines[index].pk,
                lines[index].version + 1,
                {name: [old] for name, (old, _) in values.items()},
            )
            for index, values in plan.changed.items()
        ],
    )
    rows = [
        (lines[index].pk, plan.end(index), plan.reason(index), plan.grade(index)) for index in lines
    ]
    # Lines that end first: a person has one open line on a roll.
    bulk.update(Enrolment, _CHANGED, [row for row in rows if row[1]])
    bulk.update(Enrolment, _CHANGED, [row for row in rows if not row[1]])
    return [
        log.Entry(
            "enrolment.imported", "subsidies.enrolment", str(lines[index].pk), plan.path(index),
            {"fields": sorted(values)},
        )
        for index, values in plan.changed.items()
    ]  # fmt: skip
