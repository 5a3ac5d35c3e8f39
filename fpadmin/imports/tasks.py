"""Celery's and the jobs' entry points of the import."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from fpadmin import dates
from fpadmin.audit.log import SystemJob
from fpadmin.imports import batches
from fpadmin.jobs.kinds import JobContext


def check(context: JobContext) -> dict:
    """The job import-check."""
    return batches.check(context.params["batch"], context=context, today=dates.today())


def commit(context: JobContext) -> dict:
    """The job import-commit."""
    return batches.commit(context.params["batch"], context=context, today=dates.today())


def make_returned(context: JobContext) -> dict:
    """The job import-returned."""
    return batches.make_returned(
        context.params["batch"], only_wrong=context.params["only_wrong"], context=context
    )


@shared_task
def purge() -> int:
    """Each night: uploaded files older than IMPORT_KEEP_DAYS go."""
    before = timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS)
    return batches.purge(before=before, by=SystemJob("导入文件清理"))
