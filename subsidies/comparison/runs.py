"""Comparing in the background: what the job kind compare-rosters does."""

from django.urls import reverse
from django.utils import timezone

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.jobs.kinds import JobContext, JobKind, register
from fpadmin.jobs.models import Job
from fpadmin.jobs.services import enqueue
from subsidies.services import comparison

KIND = "compare-rosters"


def run(context: JobContext) -> dict:
    """Compare params["region"]. Safe to repeat: what was found before stays as it is."""
    region = Region.objects.get(code=context.params["region"])
    return comparison.run(
        by=context.by,
        region=region,
        today=dates.today(),
        now=timezone.now(),
        progress=context.progress,
        before_commit=context.check_fence,
    )


def start(*, region: Region, by) -> Job:
    """Ask for such a run; asked for twice it is one open job."""
    return enqueue(
        kind=KIND, params={"region": region.code}, key=f"{KIND}:{region.code}",
        title=f"{region.name} 比对核查", by=by, region=region,
    )  # fmt: skip


def load() -> None:
    """Register the kind and the events. Called once, by ready()."""
    register_types(comparison.EVENT_TYPES, comparison.CHANGE_LABELS)
    register(
        JobKind(
            KIND, "比对核查", run, Permission.BENEFIT_EDIT,
            page=lambda params: reverse("subsidies:difference-list"),
        )
    )  # fmt: skip
