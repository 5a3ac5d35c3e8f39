"""Celery entry points of the registry: the message carries nothing."""

from celery import shared_task

from fpadmin.audit.log import SystemJob
from households import runs


@shared_task
def find_duplicates() -> None:
    """Each night: have doubles looked for by a job, so that the ledger keeps how many there were."""
    runs.start_search(by=SystemJob("定时任务"))
