"""Family-months (户月) of a span, set-based: how many count, which had a contact, and their list.

The same months as months.py says of one family: a month counts where the archive is open on its last
day. A contact makes its month a contacted one, whichever day of it.
"""

import calendar
from collections.abc import Iterator
from datetime import date
from itertools import islice

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, ExtractMonth, ExtractYear, Greatest, Least

from fpadmin.reporting.registry import Span
from households.models import ContactRecord


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
    closed = Least(Coalesce(index_in("closed_on"), end), end)
    return Greatest(closed - Greatest(index_in("opened_on"), first), 0)


def contacts_that_count(span: Span) -> QuerySet:
    """Contact records in months that count for their family, with `month`."""
    first, end = bounds(span)
    opened, closed = index_in("contact__family__opened_on"), index_in("contact__family__closed_on")
    is_open = Q(contact__family__closed_on__isnull=True) | Q(month__lt=closed)
    return (
        ContactRecord.objects.counted()
        .filter(happened_on__range=(span.start.replace(day=1), span.as_of))
        .annotate(month=index_in("happened_on"))
        .filter(is_open, month__range=(first, end - 1), month__gte=opened)
        .order_by()
    )


def number_done(span: Span):
    """For SpecialFamily: how many of these months had a contact."""
    contacts = contacts_that_count(span).filter(contact__family=OuterRef("pk"))
    months = contacts.values("contact__family").annotate(n=Count("month", distinct=True))
    return Coalesce(Subquery(months.values("n"), output_field=IntegerField()), 0)


class FamilyMonths:
    """Family-months as ListRows reads records: dicts of `families`' columns and `month`, in their order.

    `contacted` tells the months with a contact, those without, or (None) all.
    """

    def __init__(self, families: QuerySet, span: Span, contacted: bool | None):
        self.families, self.span, self.contacted = families, span, contacted

    def count(self) -> int:
        numbers = self.families.order_by().aggregate(
            due=Sum(number_due(self.span), default=0), done=Sum(number_done(self.span), default=0)
        )
        if self.contacted is None:
            return numbers["due"]
        return numbers["done"] if self.contacted else numbers["due"] - numbers["done"]

    def iterator(self, chunk_size: int | None = None) -> Iterator[dict]:
        contacts = contacts_that_count(self.span).filter(
            contact__family__in=self.families.order_by().values("pk")
        )
        done = set(contacts.values_list("contact__family", "month").distinct())
        first, end = bounds(self.span)
        for family in self.families:
            last = index_of(family["closed_on"]) if family["closed_on"] else end
            for month in range(max(index_of(family["opened_on"]), first), min(last, end)):
                if self.contacted in (None, (family["pk"], month) in done):
                    yield family | {"month": month}

    def __getitem__(self, part: slice) -> list[dict]:
        return list(islice(self.iterator(), part.start, part.stop))


def index_in(field: str):
    """index_of() of a column, as SQL."""
    return ExtractYear(field) * 12 + ExtractMonth(field)
