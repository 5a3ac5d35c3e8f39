"""The findings of the last check, kept from run to run."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from fpadmin.invariants import Result
from fpadmin.selfcheck.models import OpenFinding

BATCH = 1_000


@transaction.atomic
def keep(results: Iterable[Result], now: datetime) -> None:
    """What was found stands instead of what the run before found; what is still there keeps its first day.

    The first MOST_KEPT of each rule. A rule that is registered no more leaves nothing behind.
    """
    found = {
        (result.key, finding.text): OpenFinding(
            rule=result.key,
            text=finding.text[:200],
            target=finding.target,
            target_id=str(finding.pk),
            region_path=finding.region_path or "",
            first_seen_at=now,
            seen_at=now,
        )
        for result in results
        for finding in result.kept
    }
    OpenFinding.objects.bulk_create(
        found.values(),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["rule", "text"],
        update_fields=["target", "target_id", "region_path", "seen_at"],
    )
    OpenFinding.objects.exclude(seen_at=now).delete()
