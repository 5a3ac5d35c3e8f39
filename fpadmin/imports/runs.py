"""What the jobs of the import do: check a workbook, write it, mark its wrong rows."""

import json

from django.db import IntegrityError, transaction
from django.utils import timezone

from fpadmin import bulk, dates
from fpadmin.accounts.models import User
from fpadmin.audit import log
from fpadmin.imports import engine, files, limits, outline, selectors, services, undo
from fpadmin.imports.kinds import KINDS, Doubt, Ground, Outcome, Unreadable
from fpadmin.imports.models import MAPPABLE, ImportBatch, ImportChange, ImportDoubt, ImportIssue
from fpadmin.jobs.kinds import JobContext, JobFailed, LeaseLost

State = ImportBatch.State
PREVIEWED_CHANGES = 5_000


def check(context: JobContext) -> dict:
    """The job import-check: find what committing would do and keep it for the preview.

    Does nothing where the batch is no longer waiting for a check.
    """
    batch = _own(context)
    if batch.state != State.CHECKING:
        return {}
    try:
        with limits.reading():
            outcome = engine.check(
                KINDS[batch.kind],
                files.read(batch),
                batch.file_name,
                _ground(batch, context),
                progress=context.progress,
                layouts=selectors.layouts_of(batch),
            )
    except Unreadable as error:
        _refuse(batch, error, context)
        return {"state": State.UNREADABLE}
    outlined = _outline(batch) if outcome.layout or _leaves_columns(outcome) else ""
    layout = selectors.layout_in_use(batch, outcome.layout)
    with transaction.atomic():
        context.check_fence()
        if not batch.move(
            State.CHECKING, State.CHECKED,
            failure="", failure_code="", layout=layout, **_counts(outcome),
        ):  # fmt: skip
            return {}
        _keep_findings(batch, outcome)
        ImportBatch.objects.filter(pk=batch.pk).update(outline=outlined)
        log.record(
            "import.checked", by=context.by, target=batch, region_path=batch.office.path,
            count=outcome.rows, changes={"errors": len(outcome.errors)},
        )  # fmt: skip
    return {"state": State.CHECKED, "rows": outcome.rows}


def commit(context: JobContext) -> dict:
    """The job import-commit: check again and write everything in one transaction, once.

    The batch turns to committed in the transaction that writes the rows. Where the registry
    changed meanwhile so that there are errors now, nothing is written and the preview is renewed.
    """
    batch = _own(context)
    if batch.state != State.COMMITTING:
        return {}

    def seal() -> None:
        context.check_fence()
        if not batch.move(State.COMMITTING, State.COMMITTED, committed_at=timezone.now()):
            raise LeaseLost
        log.record("import.finished", by=context.by, target=batch, region_path=batch.office.path)

    try:
        with limits.reading():
            outcome = engine.commit(
                KINDS[batch.kind],
                files.read(batch),
                batch.file_name,
                _ground(batch, context),
                good_rows=batch.good_rows_only,
                progress=context.progress,
                layouts=batch.read_by(),
                batch_id=batch.pk,
                before_commit=seal,
            )
    except Unreadable as error:
        _refuse(batch, error, context)
        return {"state": State.UNREADABLE}
    with transaction.atomic():
        context.check_fence()
        if outcome.written:
            counts = _counts(outcome)
            counts.pop("checked_at")
            ImportBatch.objects.filter(pk=batch.pk).update(**counts)
        else:
            batch.move(
                State.COMMITTING, State.CHECKED, committed_by=None,
                failure="确认之后登记资料有变动，现在有错误的行，没有写入任何数据。请看过错误再确认。",
                **_counts(outcome),
            )  # fmt: skip
        _keep_findings(batch, outcome)
    return {"created": outcome.created, "updated": outcome.updated, "written": outcome.written}


def take_back(context: JobContext) -> dict:
    """The job import-undo: undo everything that the batch wrote in one transaction, once.

    Where something depends on it by now, nothing changes and the batch is as written as before.
    """
    batch = _own(context)
    if batch.state != State.UNDOING:
        return {}
    context.progress(0, 0, "撤销")
    try:
        with transaction.atomic():
            bulk.one_at_a_time(f"import.{batch.kind}")
            context.check_fence()
            reversal = undo.Reversal(batch)
            if next(undo.dependents(reversal), None) is None:
                return _taken_back(batch, reversal, context)
    except (IntegrityError, Unreadable):  # somebody saved at this very moment
        pass
    with transaction.atomic():
        context.check_fence()
        batch.move(State.UNDOING, State.COMMITTED, undone_by=None, failure=services.NOT_UNDONE)
        log.record(
            "import.undo-refused", by=context.by, target=batch, region_path=batch.office.path
        )
    return {"undone": False}


def _taken_back(batch: ImportBatch, reversal: undo.Reversal, context: JobContext) -> dict:
    undo.take_back(reversal, by=context.by)
    if not batch.move(State.UNDOING, State.UNDONE, undone_at=timezone.now()):
        raise LeaseLost
    batch.effects.all().delete()
    log.record(
        "import.undone", by=context.by, target=batch, region_path=batch.office.path,
        count=batch.created + batch.updated,
        changes={"kind": batch.kind, "created": batch.created, "updated": batch.updated},
    )  # fmt: skip
    return {"undone": True}


def make_returned(context: JobContext) -> dict:
    """The job import-returned: attach the returned file for the person who asked."""
    batch = _own(context)
    try:
        with limits.reading():
            name, content = services.returned_file(
                batch=batch, only_wrong=context.params["only_wrong"], by=context.by
            )
    except Unreadable as error:
        raise JobFailed(error.message) from error
    context.attach(name, content)
    return {"batch": batch.pk}


def _own(context: JobContext) -> ImportBatch:
    """The batch of a run, where the person who asked may still see and import it."""
    batches = ImportBatch.objects.select_related("office", "layout")
    if isinstance(context.by, User):
        batches = batches.visible_to(context.by)
    batch = batches.filter(pk=context.params["batch"]).first()
    if batch is None or batch.kind not in KINDS:
        raise JobFailed("这次导入已不在您的管辖范围内。")
    if isinstance(context.by, User) and not context.by.may(KINDS[batch.kind].permission):
        raise JobFailed("您的岗位不能导入这类工作簿。")
    return batch


def _ground(batch: ImportBatch, context: JobContext) -> Ground:
    return Ground(
        office=batch.office,
        on=batch.changed_on,
        today=dates.today(),
        by=context.by,
        decisions=selectors.decisions_of(batch),
    )


def _leaves_columns(outcome: Outcome) -> bool:
    return any(issue.code == "unknown_column" for issue in outcome.issues)


def _outline(batch: ImportBatch) -> str:
    """What the headings look like, for the page where an office says which is which."""
    try:
        with limits.reading():
            found = outline.outline(
                KINDS[batch.kind], files.read(batch), batch.file_name, dates.today()
            )
    except Unreadable:
        return ""
    return outline.packed(found)


def _refuse(batch: ImportBatch, error: Unreadable, context: JobContext) -> None:
    outlined = _outline(batch) if error.code in MAPPABLE else ""
    with transaction.atomic():
        context.check_fence()
        for state in (State.CHECKING, State.COMMITTING):
            batch.move(
                state, State.UNREADABLE,
                failure=error.message, failure_code=error.code, checked_at=timezone.now(),
            )  # fmt: skip
        batch.drop_findings()
        ImportBatch.objects.filter(pk=batch.pk).update(outline=outlined)
        log.record(
            "import.refused", by=context.by, target=batch, region_path=batch.office.path,
            changes={"code": error.code},
        )  # fmt: skip


def _counts(outcome: Outcome) -> dict:
    return {
        "rows": outcome.rows,
        "created": outcome.created,
        "updated": outcome.updated,
        "unchanged": outcome.unchanged,
        "refused": outcome.refused,
        "skipped": outcome.skipped,
        "errors": len(outcome.errors),
        "warnings": len(outcome.warnings),
        "checked_at": timezone.now(),
    }


def _doubt(batch: ImportBatch, found: Doubt, decided: ImportDoubt | None) -> ImportDoubt:
    doubt = ImportDoubt(
        batch=batch, row=found.row, target_id=found.target_id, name=found.name[:100],
        reason=found.reason[:60], sides=json.dumps(found.sides, ensure_ascii=False),
    )  # fmt: skip
    if decided:
        doubt.decision = decided.decision
        doubt.decided_by_id, doubt.decided_at = decided.decided_by_id, decided.decided_at
    return doubt


def _keep_findings(batch: ImportBatch, outcome: Outcome) -> None:
    """All problems, doubts, and the first changes, in place of those of an earlier check."""
    decided = {(doubt.row, doubt.target_id): doubt for doubt in batch.doubts.exclude(decision="")}
    batch.drop_findings()
    ImportDoubt.objects.bulk_create(
        (_doubt(batch, one, decided.get((one.row, one.target_id))) for one in outcome.doubts),
        batch_size=500,
    )
    letters = outcome.letters
    bulk.insert(
        ImportIssue,
        ["batch_id", "severity", "row", "column", "cell", "code", "value", "message"],
        (
            (
                batch.pk,
                ImportIssue.Severity.ERROR if i.error else ImportIssue.Severity.WARNING,
                i.row,
                i.column[:100],
                f"{letters[i.column]}{i.row}" if i.row and i.column in letters else "",
                i.code[:40],
                i.value[:200],
                i.message[:300],
            )
            for i in outcome.issues
        ),
    )
    bulk.insert(
        ImportChange,
        ["batch_id", "row", "target", "place", "target_id", "field", "old", "new"],
        (
            (
                batch.pk, c.row, c.target[:100], c.place[:100], c.target_id, c.heading[:100],
                c.old[:200], c.new[:200],
            )
            for c in outcome.changes[:PREVIEWED_CHANGES]
        ),
    )  # fmt: skip
