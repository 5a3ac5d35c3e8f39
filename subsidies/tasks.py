"""Celery entry points of the benefits: the message carries nothing."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from subsidies.services import application_papers, bank_files, notices


@shared_task
def sweep_papers() -> int:
    """Each night: papers of applications that no row knows go, a day after they were written."""
    before = timezone.now() - timedelta(days=1)
    return application_papers.sweep_papers(before=before, by=SystemJob("定时任务"))


@shared_task
def sweep_photos() -> int:
    """Each night: photos of notices that no row knows go, a day after they were written."""
    before = timezone.now() - timedelta(days=1)
    return notices.sweep_photos(before=before, by=SystemJob("定时任务"))


@shared_task
def sweep_bank_files() -> int:
    """Each night: files for banks that no batch knows go, a day after they were written."""
    before = timezone.now() - timedelta(days=1)
    return bank_files.sweep_files(before=before, by=SystemJob("定时任务"))
