"""The export of 100,000 residents with 20 columns, beside openpyxl's write-only mode on the same cells."""

import resource as rusage
import time
from pathlib import Path

import openpyxl
from django.http import QueryDict
from django.utils import timezone

from fpadmin.exports import files, runs, services
from fpadmin.exports.models import Export
from fpadmin.jobs import runner
from fpadmin.ui.listing import LISTS, Asked, Selection
from households.models import Resident
from tests.bench.child import TODAY
from tests.factories.accounts import make_user

COLUMNS = 20


def exported() -> dict:
    """The job as the worker runs it, after another person agreed: seconds and highest memory."""
    county = (
        Resident.objects.select_related("village__parent__parent").first().village.parent.parent
    )
    clerk = make_user("county", county, "bench-export")
    export = _ask(clerk)
    services.approve(
        export=export, by=make_user("county", county, "bench-approve"), now=timezone.now()
    )
    before = rusage.getrusage(rusage.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    state = runner.run(export.job_id)
    seconds = time.perf_counter() - started
    export.refresh_from_db()
    if state != "done":
        raise SystemExit(export.job.error)
    return {
        "seconds": seconds,
        "rows": export.rows,
        "columns": len(export.columns),
        "bytes": export.size,
        "before_mb": before,
        "peak_mb": rusage.getrusage(rusage.RUSAGE_SELF).ru_maxrss / 1024,
    }


def floor(path: Path) -> dict:
    """openpyxl writing the same cells, which lie ready in memory."""
    export = Export.objects.get()
    spec = LISTS["residents"]
    columns = [column for column in spec.columns if column.key in export.columns]
    rows = _selection(export.requested_by).rows(spec)
    chunks = list(runs.cells(rows, columns, clear=False, day=TODAY))
    started = time.perf_counter()
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for chunk in chunks:
        for row in chunk:
            sheet.append(
                [cell.replace(tzinfo=None) if hasattr(cell, "tzinfo") else cell for cell in row]
            )
    book.save(path)
    files.drop(export.file)
    return {"seconds": time.perf_counter() - started, "rows": sum(map(len, chunks))}


def _ask(clerk) -> Export:
    spec = LISTS["residents"]
    return services.request_export(
        by=clerk,
        spec=spec,
        selection=_selection(clerk),
        scope="found",
        columns=[column for column in spec.columns if column.in_file][:COLUMNS],
        clear=False,
        purpose="report",
        note="bench",
        now=timezone.now(),
    )


def _selection(user) -> Selection:
    return Selection(Asked(user, QueryDict(""), {}, TODAY), is_all=True)
