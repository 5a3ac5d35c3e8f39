"""Reads for the import's pages."""

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.urls import reverse

from fpadmin.accounts.models import User
from fpadmin.imports.kinds import WorkbookKind, in_order
from fpadmin.imports.models import ImportBatch, ImportChange
from fpadmin.jobs.models import Job
from fpadmin.ui.todos import Todo


def kinds_for(user: User) -> list[WorkbookKind]:
    """The kinds of workbook that `user` may import, in the order in which an office does."""
    return [kind for kind in in_order() if user.may(kind.permission)]


def batches_for(user: User) -> QuerySet[ImportBatch]:
    """The batches of the user's region whose kind the user may import, newest first."""
    return (
        ImportBatch.objects.visible_to(user)
        .filter(kind__in=[kind.key for kind in kinds_for(user)])
        .select_related("office", "uploaded_by", "committed_by")
        .order_by("-pk")
    )


def check_key(batch: ImportBatch) -> str:
    """The key of the job that checks the batch."""
    return f"import-check:{batch.pk}"


def commit_key(batch: ImportBatch) -> str:
    """The key of the job that writes the batch."""
    return f"import-commit:{batch.pk}"


def job_of(batch: ImportBatch) -> Job | None:
    """The latest background run for the batch's state: the check's or the commit's."""
    key = check_key(batch) if batch.state == ImportBatch.State.CHECKING else commit_key(batch)
    return Job.objects.filter(key=key).order_by("-pk").first()


def earlier_import(batch: ImportBatch, user: User) -> ImportBatch | None:
    """The last time that this very file was written, as far as `user` may see it."""
    return (
        batches_for(user)
        .filter(kind=batch.kind, sha256=batch.sha256, state=ImportBatch.State.COMMITTED)
        .exclude(pk=batch.pk)
        .first()
    )


@dataclass(frozen=True)
class ChangedRecord:
    """One record of the preview with its changed fields."""

    target: str
    place: str
    changes: list[ImportChange]


def changed_records(changes) -> list[ChangedRecord]:
    """The changes, in their order, gathered by record."""
    records: list[ChangedRecord] = []
    last = None
    for change in changes:
        if (change.row, change.target_id) != last:
            records.append(ChangedRecord(change.target, change.place, []))
            last = (change.row, change.target_id)
        records[-1].changes.append(change)
    return records


def todos(user, day: date) -> list[Todo]:
    """Checked workbooks that wait for somebody's word."""
    kinds = [kind.key for kind in kinds_for(user)]
    waiting = ImportBatch.objects.visible_to(user).filter(
        kind__in=kinds, state=ImportBatch.State.CHECKED
    )
    return [
        Todo(
            label="工作簿已检查，等您确认",
            count=waiting.count(),
            url=f"{reverse('imports:batch-list')}?state={ImportBatch.State.CHECKED}",
            kind="warn",
            word="待确认",
            hint="确认前没有写入任何数据",
        )
    ]
