"""Celery's entry point of the exports."""

from celery import shared_task
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from fpadmin.exports import rules, services


@shared_task
def purge() -> int:
    """Each night: files older than EXPORT_KEEP_DAYS go."""
    before = rules.purged_before(timezone.now())
    return services.purge(before=before, by=SystemJob("导出文件清理"))
