"""What an export tells, how much somebody took on a day, and what waits for a second person."""

from datetime import date, datetime, timedelta

from django.db.models import Q, Sum
from django.urls import reverse
from django.utils import timezone

from fpadmin.accounts.models import User
from fpadmin.audit.models import AuditEvent
from fpadmin.exports.models import Export
from fpadmin.exports.rules import Taken
from fpadmin.ui.listing import ListColumn, ListSpec, Selection
from fpadmin.ui.todos import Todo


def sensitive_kinds(spec: ListSpec, selection: Selection, columns: list[ListColumn]) -> set[str]:
    """The kinds of personal data that such a file tells, by its columns or by who is in it."""
    told = {column.sensitive for column in columns if column.sensitive}
    asked = selection.asked.conditions
    return told | {kind for name, kind in spec.sensitive.items() if asked.get(name)}


def taken_on(user: User, now: datetime, *, except_pk: int | None = None) -> Taken:
    """What `user` took on the day of `now` without a second person."""
    start = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    found = (
        Export.objects.of_day(user, start, start + timedelta(days=1))
        .exclude(pk=except_pk)
        .aggregate(
            everything=Sum("rows", default=0),
            bank=Sum("rows", filter=Q(has_bank=True), default=0),
            health=Sum("rows", filter=Q(has_health=True), default=0),
        )
    )
    # Names behind a figure leave without a request; only the trail counts them.
    listed = AuditEvent.objects.filter(
        type="figure.exported", actor_id=user.pk, at__gte=start, at__lt=start + timedelta(days=1)
    ).aggregate(rows=Sum("count", default=0))["rows"]
    return Taken(found["everything"] + listed, found["bank"], found["health"])


def todos(user: User, day: date) -> list[Todo]:
    """Exports that wait for the user's decision."""
    return [
        Todo(
            label="导出等待审批",
            count=Export.objects.to_decide(user).count(),
            url=f"{reverse('exports:export-list')}?state=waiting",
            kind="warn",
            word="待审批",
            hint="看过范围和用途再决定",
            act="去审批",
        )
    ]
