"""Celery entry points of the registry: the message carries nothing."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from households import runs
from households.services import special_documents


@shared_task
def find_duplicates() -> None:
    """Each night: have doubles looked for by a job, so that the ledger keeps how many there were."""
    runs.start_search(by=SystemJob("定时任务"))


@shared_task
def sweep_documents() -> int:
    """Each night: files of archives that no row knows go, a day after they were written."""
    before = timezone.now() - timedelta(days=1)
    return special_documents.sweep_documents(before=before, by=SystemJob("定时任务"))
