"""No job is forgotten."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from fpadmin.invariants import register
from fpadmin.jobs.models import Job

GRACE = timedelta(minutes=3)  # the sweeper comes by each minute


def forgotten(now: datetime) -> Iterator[str]:
    """Jobs past their lease, running or queued, that nobody has taken up again."""
    late = Q(lease_until__lt=now - GRACE) | Q(lease_until__isnull=True, created_at__lt=now - GRACE)
    for pk, kind in Job.objects.open().filter(late).order_by("pk").values_list("pk", "kind"):
        yield f"任务{pk}（{kind}）超过租约，没有重新排队"


def load() -> None:
    """Register what must hold of jobs. Called once, by ready()."""
    register("INV10", "没有被遗忘的后台任务", forgotten)
