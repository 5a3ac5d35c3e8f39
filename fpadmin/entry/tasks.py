"""Celery's entry point: old drafts and submissions go."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from fpadmin.entry import services


@shared_task
def purge() -> int:
    """Each night: what is older than DRAFT_KEEP_DAYS, or belongs to an earlier role or place."""
    before = timezone.now() - timedelta(days=settings.DRAFT_KEEP_DAYS)
    return services.purge(before=before, by=SystemJob("草稿清理"))
