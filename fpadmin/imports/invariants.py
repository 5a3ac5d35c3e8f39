"""A workbook is in the registry as a whole, or not at all."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, Q

from fpadmin.imports.models import ImportBatch
from fpadmin.invariants import register


def half_written(now: datetime) -> Iterator[str]:
    """Batches whose state and counts don't tell one story."""
    written = F("created") + F("updated") + F("unchanged") + F("refused") + F("skipped")
    committed = ImportBatch.objects.filter(state=ImportBatch.State.COMMITTED)
    wrong = committed.alias(written=written).filter(
        ~Q(written=F("rows"))
        | Q(committed_at__isnull=True)
        | Q(refused__gt=0, good_rows_only=False)
    )
    for pk in wrong.order_by("pk").values_list("pk", flat=True):
        yield f"导入{pk}写明已完成，行数却对不上"
    State = ImportBatch.State
    early = ImportBatch.objects.exclude(state__in=[State.COMMITTED, State.UNDOING, State.UNDONE])
    for pk in early.filter(committed_at__isnull=False).order_by("pk").values_list("pk", flat=True):
        yield f"导入{pk}没有完成，却有写入时间"


def load() -> None:
    """Register what must hold of imports. Called once, by ready()."""
    register("INV11", "每次导入要么全部写入，要么一行不写", half_written)
