"""Who looked at whom: pages opened, searches made, numbers shown in clear."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation
from households.identifiers import RESIDENT_IDENTIFIERS
from households.models import Household, Resident

REVEALS_PER_HOUR = 60
REVEALABLE = RESIDENT_IDENTIFIERS


def reveal(*, by, resident: Resident, field: str, reason: str, now: datetime) -> str:
    """One identifier in clear, for a stated reason; recorded, and at most 60 an hour per person.

    The refusal is recorded too.
    """
    if field not in REVEALABLE:
        raise ValueError(f"{field!r} is not one of {', '.join(REVEALABLE)}")
    path = resident.village.path
    changes = {"field": field, "reason": reason}
    try:
        with transaction.atomic():
            # Recording locks the chain, so that two requests of one person are counted in turn.
            log.record(
                "resident.revealed", by=by, target=resident, region_path=path, changes=changes
            )
            seen = AuditEvent.objects.filter(
                type="resident.revealed",
                actor_id=by.pk,
                result="ok",
                at__gt=now - timedelta(hours=1),
            ).count()
            if seen > REVEALS_PER_HOUR:
                raise RuleViolation(f"一小时内最多显示{REVEALS_PER_HOUR}个完整号码，请稍后再试。")
    except RuleViolation:
        log.record(
            "resident.revealed",
            by=by,
            target=resident,
            region_path=path,
            changes=changes,
            result="refused",
        )
        raise
    return getattr(resident, field)


def record_view(*, by, target: Resident | Household) -> None:
    """That somebody opened the page of a person or a household."""
    log.record(
        f"{target._meta.model_name}.viewed", by=by, target=target, region_path=target.village.path
    )


def record_search(*, by, terms: Iterable[str], count: int) -> None:
    """That somebody searched by name or number: the terms only as digests."""
    log.record(
        "resident.searched", by=by, count=count, changes={"terms": [digest(t) for t in terms]}
    )
