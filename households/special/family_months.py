"""Family-months (户月) of a span, set-based: how many count, which had a contact, and their list.

The same months as months.py says of one family: a month counts where the archive is open on its last
day. A contact makes its month a contacted one, whichever day of it.
"""

import calendar
from collections.abc import Iterator
from datetime import date
from itertools import islice

from django.db.models import BigIntegerField, Count, F, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce, ExtractMonth, ExtractYear, Greatest, Least

from fpadmin.reporting.registry import Span
from households.models import ContactRecord

MONTHS = 1_000_000  # more than the index of any month: a family and a month make one number


def index_of(day: date) -> int:
    """The number of the day's month, counted through the years."""
    return day.year * 12 + day.month


def bounds(span: Span) -> tuple[int, int]:
    """The first month that ends in the span, and the first after it that no longer does."""
    last = calendar.monthrange(span.as_of.year, span.as_of.month)[1]
    return index_of(span.start), index_of(span.as_of) + (span.as_of.day == last)


def label_of(index: int) -> str:
    """2018-05"""
    year, month = divmod(index - 1, 12)
    return f"{year}-{month + 1:02d}"


def number_due(span: Span):
    """For SpecialFamily: how many months of the span count."""
    first, end = bounds(span)
    closed = Least(Coalesce(_index("closed_on"), end), end)
    return Greatest(closed - Greatest(_index("opened_on"), first), 0)


def contacts_that_count(span: Span) -> QuerySet:
    """Contact records in months that count for their family, with `month` and `family_month`."""
    first, end = bounds(span)
    opened, closed = _index("contact__family__opened_on"), _index("contact__family__closed_on")
    is_open = Q(contact__family__closed_on__isnull=True) | Q(month__lt=closed)
    return (
        ContactRecord.objects.counted()
        .filter(happened_on__range=(span.start.replace(day=1), span.as_of))
        .annotate(month=_index("happened_on"))
        .filter(is_open, month__range=(first, end - 1), month__gte=opened)
        .annotate(
            family_month=Cast("contact__family", BigIntegerField()) * MONTHS + F("month"),
        )
    )


NUMBER_DONE = Count("family_month", distinct=True)


class FamilyMonths:
    """Family-months as ListRows reads records: dicts of `families`' columns and `month`, in their order.

    `contacts` are contacts_that_count() of these families; `contacted` tells the months with one, those
    without, or (None) all.
    """

    def __init__(self, families: QuerySet, contacts: QuerySet, span: Span, contacted: bool | None):
        self.families, self.contacts, self.span = families, contacts, span
        self.contacted = contacted

    def count(self) -> int:
        due = self.families.order_by().aggregate(n=Sum(number_due(self.span)))["n"] or 0
        if self.contacted is None:
            return due
        done = self.contacts.aggregate(n=NUMBER_DONE)["n"]
        return done if self.contacted else due - done

    def iterator(self, chunk_size: int | None = None) -> Iterator[dict]:
        done = set(self.contacts.values_list("contact__family", "month").distinct())
        first, end = bounds(self.span)
        for family in self.families:
            last = index_of(family["closed_on"]) if family["closed_on"] else end
            for month in range(max(index_of(family["opened_on"]), first), min(last, end)):
                if self.contacted in (None, (family["pk"], month) in done):
                    yield family | {"month": month}

    def __getitem__(self, part: slice) -> list[dict]:
        return list(islice(self.iterator(), part.start, part.stop))


def _index(field: str):
    return ExtractYear(field) * 12 + ExtractMonth(field)
