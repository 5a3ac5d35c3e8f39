"""Exports for tests of their pages; a file is made by the services."""

from django.utils import timezone

from fpadmin.accounts.models import User
from fpadmin.exports.models import Export


def make_export(by: User, **extra) -> Export:
    """An export of the list of residents, over the limit; required values only."""
    values = {
        "list_key": "residents",
        "title": "居民",
        "trace": f"T{Export.objects.count():06d}",
        "region": by.region,
        "scope": "found",
        "selection": '{"query": "", "session": {}, "picked": [], "all": true}',
        "columns": ["name"],
        "rows": 3000,
        "purpose": "check",
        "needs_approval": True,
        "state": "waiting",
        "requested_by": by,
        "requested_at": timezone.now(),
    } | extra
    return Export.objects.create(**values)
