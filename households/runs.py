"""The nightly search for doubles in the ledger: what the job kind find-duplicates does."""

from django.utils import timezone

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import SystemJob
from fpadmin.jobs import services as jobs
from fpadmin.jobs.kinds import JobContext, JobKind, register
from fpadmin.jobs.models import Job
from fpadmin.jobs.runs import office
from households import services


def search(context: JobContext) -> dict:
    """Bring the queue of doubles up to date. May be repeated."""
    counts = services.find_duplicates(by=context.by, now=timezone.now())
    context.progress(1, 1)
    return counts


def start_search(*, by: SystemJob) -> Job:
    """Ask for such a run; asked for twice it is one open job."""
    return jobs.enqueue(
        kind="find-duplicates", params={}, key="find-duplicates", title="查找疑似重复", by=by,
        region=office(),
    )  # fmt: skip


def load() -> None:
    """Register the kind. Called once, by ready()."""
    register(JobKind("find-duplicates", "查找疑似重复", search, Permission.JOBS_MANAGE))
