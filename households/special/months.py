"""Families and months: who was to be contacted in which month, and who was.

A month counts for a family whose archive is open on its last day, once that day has come.
"""

from datetime import date

from django.db.models import Exists, OuterRef

from fpadmin.dates import month_end
from fpadmin.reporting.registry import Span
from households.models import ContactRecord


def months_of(span: Span) -> list[tuple[date, date]]:
    """First and last day of every month that ends in the span."""
    months, first = [], span.start.replace(day=1)
    while (last := month_end(first.year, first.month)) <= span.as_of:
        months.append((first, last))
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return months


def contacted_between(first: date, last: date) -> Exists:
    """For SpecialFamily: at least one contact in these days."""
    return Exists(
        ContactRecord.objects.counted().filter(
            contact__family=OuterRef("pk"), happened_on__range=(first, last)
        )
    )
