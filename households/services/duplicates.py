"""Pairs that may be one person: looked for each night, and decided by a person."""

from datetime import datetime

from django.db import transaction

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households import duplicates
from households.models import Duplicate


@transaction.atomic
def find_duplicates(*, by, now: datetime) -> dict[str, int]:
    """Bring the queue up to date; running it twice changes nothing. Decided pairs never come back."""
    counts = {"closed": duplicates.close(), "found": duplicates.find(now)}
    log.record("duplicates.searched", by=by, count=counts["found"], changes=counts)
    return counts


@transaction.atomic
def decide_different(*, by, pair: Duplicate, now: datetime) -> Duplicate:
    """Two people after all: the pair is never suggested again."""
    pairs = Duplicate.objects.visible_to(by).filter(pk=pair.pk)
    keys = list(pairs.waiting().select_for_update(of=("self",)).values_list("pk", flat=True))
    if not keys:
        raise RuleViolation("这一对已经处理过了，请刷新后再看。")
    Duplicate.objects.filter(pk__in=keys).update(
        state=Duplicate.State.DIFFERENT, decided_by=by, decided_at=now
    )
    pair.refresh_from_db()
    for person in (pair.first, pair.second):
        log.record(
            "duplicate.different", by=by, target=person, region_path=person.village.path
        )  # fmt: skip
    return pair
