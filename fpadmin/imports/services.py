"""What people and the schedule do with uploaded workbooks; what the jobs then do stands in runs.py."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from fpadmin.accounts.models import Region, User
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.imports import files, gate, returned, selectors, undo
from fpadmin.imports.kinds import KINDS, Decision, Unreadable, WorkbookKind
from fpadmin.imports.layouts import Layout, is_heading
from fpadmin.imports.models import (
    CHECKED_AGAIN_STATES,
    DISCARDED_STATES,
    HeadingLayout,
    ImportBatch,
)
from fpadmin.jobs import services as jobs
from fpadmin.jobs.models import Job

EVENT_TYPES = {
    "import.uploaded": "上传工作簿",
    "import.checked": "检查工作簿",
    "import.check-again": "重新检查工作簿",
    "import.refused": "工作簿不能读取",
    "import.confirmed": "确认导入",
    "import.committed": "导入写入登记资料",
    "import.finished": "导入完成",
    "import.discarded": "放弃导入",
    "import.purged": "清除导入文件",
    "import.file-asked": "要标出错误的工作簿",
    "import.file-opened": "下载导入的工作簿",
    "import.decided": "核对可能重复的行",
    "import.layout-learnt": "记住列的对应",
    "import.layout-forgotten": "停用列的对应",
    "import.undo-asked": "要撤销导入",
    "import.undo-refused": "导入没有撤销",
    "import.undone": "撤销导入",
}
CHANGE_LABELS = {
    "kind": "类别",
    "rows": "行数",
    "created": "新增",
    "updated": "更新",
    "unchanged": "无变化",
    "refused": "错误行",
    "on": "变动日期",
    "good_rows": "只导入正确的行",
    "only_wrong": "只要错误的行",
    "code": "代码",
    "import_batch": "导入编号",
    "undone": "撤销的改动",
}
NOT_UNDONE = "导入之后这些资料又有登记或修改，没有撤销，登记资料没有变动。"

State = ImportBatch.State
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


def confirm(*, batch: ImportBatch, good_rows: bool, by: User) -> None:
    """Have the workbook written. A second confirmation of the same batch changes nothing."""
    with transaction.atomic():
        batch.refresh_from_db()
        if batch.state == State.CHECKED:
            _refuse_confirmation(batch, good_rows)
        moved = batch.move(
            State.CHECKED, State.COMMITTING,
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


def check_again(*, batch: ImportBatch, by: User) -> None:
    """Check the stored workbook once more, against the registry as it is now."""
    with transaction.atomic():
        if not any(
            batch.move(state, State.CHECKING, failure="", committed_by=None)
            for state in CHECKED_AGAIN_STATES
        ):
            batch.refresh_from_db()
            if batch.state != State.CHECKING:
                raise RuleViolation(f"这次导入现在是“{batch.get_state_display()}”，不能重新检查。")
        log.record("import.check-again", by=by, target=batch, region_path=batch.office.path)
        _enqueue_check(batch, by)


def discard(*, batch: ImportBatch, by: User) -> None:
    """Give the batch up before it is written; its file and findings are removed at once."""
    with transaction.atomic():
        if not any(batch.move(state, State.DISCARDED, file="") for state in DISCARDED_STATES):
            batch.refresh_from_db()
            if batch.state == State.DISCARDED:
                return
            raise RuleViolation(f"这次导入现在是“{batch.get_state_display()}”，不能放弃。")
        stored = batch.file
        batch.drop_findings()
        log.record("import.discarded", by=by, target=batch, region_path=batch.office.path)
        transaction.on_commit(lambda: files.drop(stored))


def request_undo(*, batch: ImportBatch, by: User) -> None:
    """Have everything that the batch wrote undone. A second request changes nothing.

    Refuses while something depends on it, and where the journal is gone.
    """
    with transaction.atomic():
        batch.refresh_from_db()
        if batch.state == State.COMMITTED:
            _refuse_undo(batch)
        if not batch.move(State.COMMITTED, State.UNDOING, undone_by=by, failure=""):
            batch.refresh_from_db()
            if batch.state in (State.UNDOING, State.UNDONE):
                return
            raise RuleViolation(f"这次导入现在是“{batch.get_state_display()}”，不能撤销。")
        log.record("import.undo-asked", by=by, target=batch, region_path=batch.office.path)
        jobs.enqueue(
            kind="import-undo",
            params={"batch": batch.pk},
            key=selectors.undo_key(batch),
            title=f"撤销导入{KINDS[batch.kind].sheet}",
            by=by,
            region=batch.office,
        )


def learn_layout(
    *, batch: ImportBatch, fingerprint: str, layout: Layout, name: str, by: User
) -> HeadingLayout:
    """Remember how these headings are read, for the batch's office and kind, and check the batch by it.

    One that was learnt before for the same headings is retired. Refuses headings and words that may
    be somebody's data: a layout holds none.
    """
    doubtful = [n for n in layout.columns if not is_heading(n)]
    doubtful += [w for words in layout.words.values() for w in words if not is_heading(w)]
    if doubtful:
        raise RuleViolation("选的行像是资料，不是列名。请另选表头所在的行。")
    with transaction.atomic():
        now = timezone.now()
        same = HeadingLayout.objects.filter(
            office=batch.office, kind=batch.kind, fingerprint=fingerprint, retired_at__isnull=True
        )
        same.update(retired_at=now)
        learnt = HeadingLayout.objects.create(
            office=batch.office, kind=batch.kind, fingerprint=fingerprint, name=name,
            columns=dict(layout.columns), fixed=dict(layout.fixed),
            words={key: dict(words) for key, words in layout.words.items()}, made_by=by,
        )  # fmt: skip
        log.record(
            "import.layout-learnt", by=by, target=learnt, region_path=batch.office.path,
            changes={"kind": batch.kind, "name": name},
        )  # fmt: skip
        check_again(batch=batch, by=by)
    return learnt


def forget_layout(*, batch: ImportBatch, by: User) -> None:
    """Stop reading files by the layout of this batch; the batch is checked again without it."""
    with transaction.atomic():
        layout = batch.layout
        if layout is None or layout.retired_at:
            raise RuleViolation("这个文件没有用到记住的对应。")
        HeadingLayout.objects.filter(pk=layout.pk).update(retired_at=timezone.now())
        log.record(
            "import.layout-forgotten", by=by, target=layout, region_path=batch.office.path,
            changes={"kind": batch.kind, "name": layout.name},
        )  # fmt: skip
        if batch.can_be_checked_again:
            check_again(batch=batch, by=by)


def decide(*, batch: ImportBatch, decisions: Mapping[int, str], by: User) -> None:
    """Keep what somebody decided of doubtful rows (doubt's key → Decision or ""), and check again.

    Only before the batch is written. A decision that is no longer wanted is taken back by "".
    """
    now = timezone.now()
    with transaction.atomic():
        batch.refresh_from_db()
        if batch.state != State.CHECKED:
            raise RuleViolation(f"这次导入现在是“{batch.get_state_display()}”，不能再作决定。")
        changed = 0
        for decision in ("", *Decision):
            keys = [pk for pk, decided in decisions.items() if decided == decision]
            changed += (
                batch.doubts.filter(pk__in=keys)
                .exclude(decision=decision)
                .update(
                    decision=decision,
                    decided_by=by if decision else None,
                    decided_at=now if decision else None,
                )
            )
        if not changed:
            return
        log.record(
            "import.decided", by=by, target=batch, region_path=batch.office.path, count=changed
        )
        check_again(batch=batch, by=by)


def _refuse_undo(batch: ImportBatch) -> None:
    if not batch.effects.exists():
        raise RuleViolation("这次导入的改动记录已清除，不能撤销。")
    if next(undo.dependents(undo.Reversal(batch)), None):
        raise RuleViolation(NOT_UNDONE)


def returned_file(
    *, batch: ImportBatch, only_wrong: bool, by: User | log.SystemJob
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
    content = make(KINDS[batch.kind], files.read(batch), batch.file_name, problems, batch.read_by())
    name = returned.name_of(batch.file_name, only_wrong=only_wrong)
    log.record(
        "import.file-opened", by=by, target=batch, region_path=batch.office.path,
        changes={"only_wrong": only_wrong},
    )  # fmt: skip
    return name, content


@transaction.atomic
def request_returned(*, batch: ImportBatch, only_wrong: bool, by: User) -> Job:
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


def purge(*, before: datetime, by: log.SystemJob) -> int:
    """Remove files, findings and journals of batches older than `before`; return how many batches.

    They can't be undone from then on. Those never confirmed are given up. Files that belong to no
    batch go too.
    """
    old = ImportBatch.objects.filter(uploaded_at__lt=before).exclude(file="")
    purged = 0
    working = (State.COMMITTING, State.UNDOING)
    for batch in old.exclude(state__in=working).select_related("office"):
        with transaction.atomic():
            stored = batch.file
            ImportBatch.objects.filter(pk=batch.pk).update(file="")
            for state in OPEN:
                batch.move(state, State.DISCARDED)
            batch.drop_findings()
            batch.effects.all().delete()
            log.record("import.purged", by=by, target=batch, region_path=batch.office.path)
        files.drop(stored)
        purged += 1
    files.drop_orphans(before)
    return purged
