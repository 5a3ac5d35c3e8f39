"""Celery's entry point of the import."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from fpadmin.imports import services


@shared_task
def purge() -> int:
    """Each night: uploaded files older than IMPORT_KEEP_DAYS go."""
    before = timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS)
    return services.purge(before=before, by=SystemJob("导入文件清理"))
