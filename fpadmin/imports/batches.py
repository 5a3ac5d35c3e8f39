"""The life of an uploaded workbook: upload, check, confirm, write, discard, purge."""

import hashlib
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from fpadmin import bulk
from fpadmin.accounts.models import Region, User
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.imports import engine, files, gate, limits, returned, selectors
from fpadmin.imports.kinds import KINDS, Ground, Outcome, Unreadable, WorkbookKind
from fpadmin.imports.models import (
    CHECKED_AGAIN_STATES,
    DISCARDED_STATES,
    ImportBatch,
    ImportChange,
    ImportIssue,
)
from fpadmin.jobs import services as jobs
from fpadmin.jobs.kinds import JobContext, JobFailed, LeaseLost
from fpadmin.jobs.models import Job

State = ImportBatch.State
PREVIEWED_CHANGES = 5_000
RETURNED_AT_ONCE = 20_000  # rows; above, a job makes the returned file
OPEN = (State.CHECKING, State.CHECKED)


def upload(
    *,
    kind: WorkbookKind,
    office: Region,
    content: bytes,
    file_name: str,
    changed_on: date,
    by: User,
) -> ImportBatch:
    """Keep the workbook and have it checked. Raises RuleViolation with the cause.

    The same file for the same day that somebody is still at work on is not taken twice: that
    batch is returned.
    """
    try:
        gate.check(content, file_name)
    except Unreadable as error:
        raise RuleViolation(error.message, field="file") from error
    sha256 = hashlib.sha256(content).hexdigest()
    same = ImportBatch.objects.filter(
        kind=kind.key, office=office, sha256=sha256, changed_on=changed_on, state__in=OPEN
    ).first()
    if same:
        return same
    stored = files.keep(content)
    try:
        with transaction.atomic():
            batch = ImportBatch.objects.create(
                kind=kind.key,
                office=office,
                file_name=file_name[-200:],
                file=stored,
                sha256=sha256,
                size=len(content),
                changed_on=changed_on,
                uploaded_by=by,
            )
            log.record(
                "import.uploaded",
                by=by,
                target=batch,
                region_path=office.path,
                changes={"kind": kind.key, "size": batch.size, "sha256": sha256},
            )
            _enqueue_check(batch, by)
    except BaseException:
        files.drop(stored)
        raise
    return batch


def _enqueue_check(batch: ImportBatch, by: User) -> None:
    jobs.enqueue(
        kind="import-check",
        params={"batch": batch.pk},
        key=selectors.check_key(batch),
        title=f"检查{KINDS[batch.kind].sheet}",
        by=by,
        region=batch.office,
    )


def check(batch_id: int, *, context: JobContext, today: date) -> dict:
    """Run by the job: find what committing would do and keep it for the preview.

    Does nothing where the batch is no longer waiting for a check.
    """
    batch = _own(batch_id, context)
    if batch.state != State.CHECKING:
        return {}
    try:
        with limits.reading():
            outcome = engine.check(
                KINDS[batch.kind],
                files.read(batch),
                batch.file_name,
                _ground(batch, context, today),
                progress=context.progress,
            )
    except Unreadable as error:
        _refuse(batch, error, context)
        return {"state": State.UNREADABLE}
    with transaction.atomic():
        context.check_fence()
        if not _move(batch, State.CHECKING, State.CHECKED, failure="", **_counts(outcome)):
            return {}
        _keep_findings(batch, outcome)
        log.record(
            "import.checked", by=context.by, target=batch, region_path=batch.office.path,
            count=outcome.rows, changes={"errors": len(outcome.errors)},
        )  # fmt: skip
    return {"state": State.CHECKED, "rows": outcome.rows}


def confirm(batch: ImportBatch, *, good_rows: bool, by: User) -> None:
    """Have the workbook written. A second confirmation of the same batch changes nothing."""
    with transaction.atomic():
        batch.refresh_from_db()
        if batch.state == State.CHECKED:
            _refuse_confirmation(batch, good_rows)
        moved = _move(
            batch, State.CHECKED, State.COMMITTING,
            good_rows_only=good_rows, committed_by=by, failure="",
        )  # fmt: skip
        if not moved:
            batch.refresh_from_db()
            if batch.state in (State.COMMITTING, State.COMMITTED):
                return
            raise RuleViolation(f"这次导入现在是“{batch.get_state_display()}”，不能确认。")
        log.record(
            "import.confirmed", by=by, target=batch, region_path=batch.office.path,
            changes={"good_rows": good_rows},
        )  # fmt: skip
        jobs.enqueue(
            kind="import-commit",
            params={"batch": batch.pk},
            key=selectors.commit_key(batch),
            title=f"写入{KINDS[batch.kind].sheet}",
            by=by,
            region=batch.office,
        )


def _refuse_confirmation(batch: ImportBatch, good_rows: bool) -> None:
    if batch.refused and not good_rows:
        raise RuleViolation(
            f"还有{batch.refused:,}行有错误。请改好后重新上传，或者选择先导入正确的行。",
            field="how",
        )
    if not batch.created + batch.updated:
        raise RuleViolation("没有要写入的内容。")


def commit(batch_id: int, *, context: JobContext, today: date) -> dict:
    """Run by the job: check again and write everything in one transaction, once.

    The batch turns to committed in the transaction that writes the rows. Where the registry
    changed meanwhile so that there are errors now, nothing is written and the preview is renewed.
    """
    batch = _own(batch_id, context)
    if batch.state != State.COMMITTING:
        return {}

    def seal() -> None:
        context.check_fence()
        if not _move(batch, State.COMMITTING, State.COMMITTED, committed_at=timezone.now()):
            raise LeaseLost
        log.record("import.finished", by=context.by, target=batch, region_path=batch.office.path)

    try:
        with limits.reading():
            outcome = engine.commit(
                KINDS[batch.kind],
                files.read(batch),
                batch.file_name,
                _ground(batch, context, today),
                good_rows=batch.good_rows_only,
                progress=context.progress,
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
            _move(
                batch, State.COMMITTING, State.CHECKED, committed_by=None,
                failure="确认之后登记资料有变动，现在有错误的行，没有写入任何数据。请看过错误再确认。",
                **_counts(outcome),
            )  # fmt: skip
        _keep_findings(batch, outcome)
    return {"created": outcome.created, "updated": outcome.updated, "written": outcome.written}


def check_again(batch: ImportBatch, *, by: User) -> None:
    """Check the stored workbook once more, against the registry as it is now."""
    with transaction.atomic():
        if not any(
            _move(batch, state, State.CHECKING, failure="", committed_by=None)
            for state in CHECKED_AGAIN_STATES
        ):
            batch.refresh_from_db()
            if batch.state != State.CHECKING:
                raise RuleViolation(f"这次导入现在是“{batch.get_state_display()}”，不能重新检查。")
        log.record("import.check-again", by=by, target=batch, region_path=batch.office.path)
        _enqueue_check(batch, by)


def discard(batch: ImportBatch, *, by: User) -> None:
    """Give the batch up before it is written; its file and findings are removed at once."""
    with transaction.atomic():
        if not any(_move(batch, state, State.DISCARDED, file="") for state in DISCARDED_STATES):
            batch.refresh_from_db()
            if batch.state == State.DISCARDED:
                return
            raise RuleViolation(f"这次导入现在是“{batch.get_state_display()}”，不能放弃。")
        stored = batch.file
        _drop_findings(batch)
        log.record("import.discarded", by=by, target=batch, region_path=batch.office.path)
        transaction.on_commit(lambda: files.drop(stored))


def is_large(batch: ImportBatch) -> bool:
    """Whether its returned file takes longer than a page may."""
    return batch.rows > RETURNED_AT_ONCE


def returned_file(
    batch: ImportBatch, *, only_wrong: bool, by: User | log.SystemJob
) -> tuple[str, bytes]:
    """(name, xlsx) of the office's own workbook with the wrong rows marked, or of these alone.

    Raises RuleViolation where there is nothing to mark, Unreadable where the file is gone.
    """
    if not batch.refused:
        raise RuleViolation("没有错误的行。")
    problems = (
        returned.Problem(i.row, i.column, i.cell, i.message, i.severity == "error")
        for i in batch.issues.order_by("row", "pk").iterator(chunk_size=2000)
    )
    make = returned.wrong_rows if only_wrong else returned.marked
    content = make(KINDS[batch.kind], files.read(batch), batch.file_name, problems)
    name = returned.name_of(batch.file_name, only_wrong=only_wrong)
    log.record(
        "import.file-opened", by=by, target=batch, region_path=batch.office.path,
        changes={"only_wrong": only_wrong},
    )  # fmt: skip
    return name, content


@transaction.atomic
def request_returned(batch: ImportBatch, *, only_wrong: bool, by: User) -> Job:
    """Have the returned file made in the background; the same one is made once for each person."""
    stamp = int(batch.checked_at.timestamp()) if batch.checked_at else 0
    which = "wrong" if only_wrong else "all"
    job = jobs.enqueue(
        kind="import-returned",
        params={"batch": batch.pk, "only_wrong": only_wrong},
        key=f"import-returned:{batch.pk}:{which}:{by.pk}:{stamp}",
        title=f"标出错误：{KINDS[batch.kind].sheet}",
        by=by,
        region=batch.office,
        once=True,
    )
    log.record("import.file-asked", by=by, target=batch, region_path=batch.office.path)
    return job


def make_returned(batch_id: int, *, only_wrong: bool, context: JobContext) -> dict:
    """Run by the job: attach the returned file for the person who asked."""
    batch = _own(batch_id, context)
    try:
        with limits.reading():
            name, content = returned_file(batch, only_wrong=only_wrong, by=context.by)
    except Unreadable as error:
        raise JobFailed(error.message) from error
    context.attach(name, content)
    return {"batch": batch.pk}


def purge(*, before: datetime, by: log.SystemJob) -> int:
    """Remove files and findings of batches older than `before`; return how many batches.

    Those never confirmed are given up. Files that belong to no batch go too.
    """
    old = ImportBatch.objects.filter(uploaded_at__lt=before).exclude(file="")
    purged = 0
    for batch in old.exclude(state=State.COMMITTING).select_related("office"):
        with transaction.atomic():
            stored = batch.file
            ImportBatch.objects.filter(pk=batch.pk).update(file="")
            for state in OPEN:
                _move(batch, state, State.DISCARDED)
            _drop_findings(batch)
            log.record("import.purged", by=by, target=batch, region_path=batch.office.path)
        files.drop(stored)
        purged += 1
    files.drop_orphans(before)
    return purged


def _own(batch_id: int, context: JobContext) -> ImportBatch:
    """The batch of a run, where the person who asked may still see and import it."""
    batches = ImportBatch.objects.select_related("office")
    if isinstance(context.by, User):
        batches = batches.visible_to(context.by)
    batch = batches.filter(pk=batch_id).first()
    if batch is None or batch.kind not in KINDS:
        raise JobFailed("这次导入已不在您的管辖范围内。")
    if isinstance(context.by, User) and not context.by.may(KINDS[batch.kind].permission):
        raise JobFailed("您的岗位不能导入这类工作簿。")
    return batch


def _ground(batch: ImportBatch, context: JobContext, today: date) -> Ground:
    return Ground(office=batch.office, on=batch.changed_on, today=today, by=context.by)


def _move(batch: ImportBatch, old: str, new: str, **values) -> bool:
    """Change the state, unless somebody else did so before."""
    moved = ImportBatch.objects.filter(pk=batch.pk, state=old).update(state=new, **values)
    return bool(moved)


def _refuse(batch: ImportBatch, error: Unreadable, context: JobContext) -> None:
    with transaction.atomic():
        context.check_fence()
        for state in (State.CHECKING, State.COMMITTING):
            _move(batch, state, State.UNREADABLE, failure=error.message, checked_at=timezone.now())
        _drop_findings(batch)
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
        "errors": len(outcome.errors),
        "warnings": len(outcome.warnings),
        "checked_at": timezone.now(),
    }


def _drop_findings(batch: ImportBatch) -> None:
    ImportIssue.objects.filter(batch=batch).delete()
    ImportChange.objects.filter(batch=batch).delete()


def _keep_findings(batch: ImportBatch, outcome: Outcome) -> None:
    """All problems, and the first changes, in place of those of an earlier check."""
    _drop_findings(batch)
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
