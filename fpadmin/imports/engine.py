"""Runs one workbook: read, parse, plan, and, when asked, write in one transaction.

A kind's plan(table, ground) returns a Plan: it has validated every good row against the registry
and knows what it would create and change. Only the kind's write(plan, journal) changes the database.
"""

from collections.abc import Callable
from typing import Protocol

from django.db import IntegrityError, transaction

from fpadmin import bulk
from fpadmin.audit import log
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import Change, Doubt, Ground, Outcome, WorkbookKind, changed_meanwhile
from fpadmin.imports.layouts import Layouts
from fpadmin.imports.reader import Progress, Table, read_table


class Plan(Protocol):
    """What an import would do. Rows with errors are in none of the counts."""

    created: int
    updated: int
    unchanged: int
    changes: list[Change]
    doubts: list[Doubt]


def _silent(done: int, total: int, step: str) -> None:
    pass


def check(
    kind: WorkbookKind,
    content: bytes,
    file_name: str,
    ground: Ground,
    *,
    progress: Progress = _silent,
    layouts: Layouts | None = None,
) -> Outcome:
    """What committing the workbook would do. Writes nothing. Raises Unreadable."""
    table = read_table(kind, content, file_name, ground.today, progress, layouts)
    progress(0, 0, "比对登记资料")
    return _outcome(table, kind.plan(table, ground))


def commit(
    kind: WorkbookKind,
    content: bytes,
    file_name: str,
    ground: Ground,
    *,
    good_rows: bool,
    progress: Progress = _silent,
    layouts: Layouts | None = None,
    batch_id: int | None = None,
    before_commit: Callable[[], None] = lambda: None,
) -> Outcome:
    """Check again and write in one transaction, all rows or the good ones.

    With errors and without good_rows nothing is written (outcome.written is False). Imports of one
    kind run one after the other. With `batch_id` the journal of the batch is kept, by which it can
    be undone. `before_commit` is called last, inside the transaction.
    """
    table = read_table(kind, content, file_name, ground.today, progress, layouts)
    try:
        with transaction.atomic():
            bulk.one_at_a_time(f"import.{kind.key}")
            progress(0, 0, "比对登记资料")
            plan = kind.plan(table, ground)
            outcome = _outcome(table, plan)
            if outcome.errors and not good_rows:
                return outcome
            progress(0, 0, "写入")
            entries = kind.write(plan, Journal(batch_id))
            log.record_many(
                [
                    log.Entry(
                        "import.committed",
                        region_path=ground.office.path,
                        count=plan.created + plan.updated,
                        changes={
                            "kind": kind.key,
                            "rows": outcome.rows,
                            "created": plan.created,
                            "updated": plan.updated,
                            "unchanged": plan.unchanged,
                            "refused": outcome.refused,
                            "on": ground.on.isoformat(),
                        },
                    ),
                    *entries,
                ],
                by=ground.by,
            )
            before_commit()
    except IntegrityError as error:
        raise changed_meanwhile() from error
    outcome.written = True
    return outcome


def _outcome(table: Table, plan: Plan) -> Outcome:
    return Outcome(
        kind=table.kind.key,
        rows=len(table),
        created=plan.created,
        updated=plan.updated,
        unchanged=plan.unchanged,
        refused=len(table.bad) - len(table.skipped),
        skipped=len(table.skipped),
        doubts=plan.doubts,
        issues=sorted(table.issues, key=lambda i: (i.row, not i.error)),
        changes=plan.changes,
        letters=table.letters(),
        layout=table.layout,
    )
