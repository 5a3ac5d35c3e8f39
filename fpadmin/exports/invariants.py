"""No file leaves over the limit without a second person, and none is older than allowed."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F, Q

from fpadmin.exports import rules
from fpadmin.exports.models import Export
from fpadmin.invariants import register


def unapproved(now: datetime) -> Iterator[str]:
    """Made without the second person that they needed."""
    alone = Q(decided_by__isnull=True) | Q(decided_by=F("requested_by"))
    made = Export.objects.filter(needs_approval=True, made_at__isnull=False)
    for trace in made.filter(alone).order_by("pk").values_list("trace", flat=True):
        yield f"导出{trace}没有由另一人批准"


def overdue(now: datetime) -> Iterator[str]:
    """Files kept longer than allowed; the clean-up runs once a night."""
    before = rules.purged_before(now) - timedelta(days=1)
    old = Export.objects.filter(made_at__lt=before).exclude(file="")
    for trace in old.order_by("pk").values_list("trace", flat=True):
        yield f"导出{trace}的文件没有按期清除"


def load() -> None:
    """Register what must hold of exports. Called once, by ready()."""
    register("EXP1", "超过限量的导出都由另一人批准", unapproved)
    register("EXP2", "导出文件按期清除", overdue)
