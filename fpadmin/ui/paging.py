"""Pages of a list: counted up to a cap, cut by position near either end, by key anywhere.

A page is cut in two steps: the primary keys of its rows, in order, then those rows. So only twenty
rows are ever loaded, joined and opened, however the list is sorted.

"Next page" names the last row of this one (?page=3&after=4711), and the row's sort values are looked
up here: a page deep in a million rows costs what the first does, a row that somebody registers
meanwhile shifts nothing, and no personal value stands in the address. The key of a row that the list
doesn't show says nothing: it is not found, and the page is then cut by its number.
"""

from dataclasses import dataclass
from functools import cached_property

from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import F, Q, QuerySet
from django.http import QueryDict

PAGE_SIZES = (20, 50, 100)
# Where counting stops. A township is always counted whole; above it, counting all that a
# condition finds in a million rows would take longer than everything else on the page.
COUNT_CAP = 100_000
WIDE_COUNT_CAP = 5_000
# So few rows are sorted whole. Asked for the first twenty of a few that it takes for many, the
# database would walk through everybody in order until it had them.
FEW = 500
# What of an address says which page is shown.
POSITION = ("page", "after", "before")


@dataclass(frozen=True)
class PageLink:
    """One box of the paging: a number, or … where `url` and `is_current` are empty."""

    label: str
    url: str = ""
    is_current: bool = False


class ListPage(Page):
    """A page as a list of records with their keys, and the addresses of its neighbours."""

    def __init__(self, keys: list, number: int, paginator, *, is_first: bool, is_last: bool):
        super().__init__(paginator.records(keys), number, paginator)
        self.keys = keys
        self._is_first, self._is_last = is_first, is_last

    def has_previous(self) -> bool:
        return not self._is_first

    def has_next(self) -> bool:
        return not self._is_last

    def start_index(self) -> int:
        return self.paginator.per_page * (self.number - 1) + 1 if self.keys else 0

    def end_index(self) -> int:
        return self.start_index() + len(self.keys) - 1 if self.keys else 0

    def previous_url(self, query: QueryDict) -> str:
        """The page before this one; "" on the first."""
        if self._is_first:
            return ""
        return self._url(query, self.number - 1, before=self.keys[0] if self.keys else None)

    def next_url(self, query: QueryDict) -> str:
        """The page after this one; "" on the last."""
        return "" if self._is_last else self._url(query, self.number + 1, after=self.keys[-1])

    def links(self, query: QueryDict) -> list[PageLink]:
        """The numbered boxes. Behind the cap there is no last page to lead to."""
        current, counted = self.number, self.paginator.num_pages
        last = max(current, counted)
        near = {n for n in range(current - 2, current + 3) if 1 <= n <= last}
        shown = sorted({1, *near} if self.paginator.is_capped else {1, last, *near})
        links: list[PageLink] = []
        for before, number in zip([0, *shown], shown, strict=False):
            if number - before > 1:
                links.append(PageLink("…"))
            if number == current:
                links.append(PageLink(str(number), is_current=True))
            elif number <= counted:
                links.append(PageLink(str(number), self._url(query, number)))
        if self.paginator.is_capped and not self._is_last and links[-1].label != "…":
            links.append(PageLink("…"))
        return links

    def _url(self, query: QueryDict, number: int, *, after=None, before=None) -> str:
        query = without_position(query)
        query["page"] = str(number)
        if self.paginator.order:
            for name, key in (("after", after), ("before", before)):
                if key is not None:
                    query[name] = str(key)
        return f"?{query.urlencode()}"


class ListPaginator(Paginator):
    """Pages of an ordered QuerySet, or of a short list. Wrong numbers and keys are mended.

    The QuerySet must be ordered to the last row: with the primary key at the end.
    """

    def __init__(self, rows, query: QueryDict, *, cap: int = COUNT_CAP):
        super().__init__(rows, page_size(query))
        self._query, self._cap = query, cap

    @cached_property
    def count(self) -> int:
        return min(self._counted, self._cap)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than `count`."""
        return self._counted > self._cap

    @cached_property
    def order(self) -> list[tuple[str, bool]] | None:
        """[(column, is descending)] where rows can be compared by them; None where not."""
        return None if isinstance(self.object_list, list) else _order_of(self.object_list)

    def asked_page(self) -> ListPage:
        """The page that the address asks for."""
        for name, cut in (("after", self._after), ("before", self._before)):
            place = self._place(self._query.get(name, ""))
            if place:
                page = cut(place)
                if page is not None:
                    return page
        return self.page(self._query.get("page") or 1)

    def page(self, number) -> ListPage:
        """The page of that number, cut by position."""
        try:
            number = self.validate_number(number)
        except PageNotAnInteger:
            number = 1
        except EmptyPage:
            number = self.num_pages
        start = (number - 1) * self.per_page
        size = min(self.per_page, max(self.count - start, 0))
        rows = self.object_list
        if isinstance(rows, list):
            keys = list(range(start, start + size))
        elif not self.is_capped and start > self.count // 2:
            # Nearer to the end: counted from there.
            left = self.count - start - size
            keys = self._keys(rows.reverse(), left, left + size)[::-1]
        else:
            keys = self._keys(rows, start, start + size)
        is_last = number >= self.num_pages and not (self.is_capped and self.order)
        return ListPage(keys, number, self, is_first=number == 1, is_last=is_last)

    def records(self, keys: list) -> list:
        """The rows of those keys, in the order of the keys."""
        rows = self.object_list
        if isinstance(rows, list):
            return [rows[place] for place in keys]
        if not keys:
            return []
        found = {row.pk: row for row in rows.order_by().filter(pk__in=keys)}
        return [found[key] for key in keys if key in found]

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        if isinstance(rows, list):
            return len(rows)
        return rows.order_by().values("pk")[: self._cap + 1].count()

    @property
    def _number(self) -> int:
        text = self._query.get("page", "")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
        return number if self.is_capped else min(number, self.num_pages)

    def _place(self, text: str) -> tuple | None:
        """The sort values of the row of that key, if the list shows it and can be compared."""
        if not (text.isascii() and text.isdigit() and len(text) < 18 and self.order):
            return None
        columns = [column for column, _ in self.order]
        return self.object_list.order_by().filter(pk=int(text)).values_list(*columns).first()

    def _after(self, place: tuple) -> ListPage | None:
        rows = self.object_list.filter(_beyond(self.order, place))
        keys = self._keys(rows, 0, self.per_page + 1)
        if not keys:
            return None
        is_last = len(keys) <= self.per_page
        number = max(self._number, 2)
        return ListPage(keys[: self.per_page], number, self, is_first=False, is_last=is_last)

    def _before(self, place: tuple) -> ListPage | None:
        order = [(column, not descending) for column, descending in self.order]
        rows = self.object_list.filter(_beyond(order, place)).reverse()
        keys = self._keys(rows, 0, self.per_page + 1)
        if len(keys) <= self.per_page:
            return self.page(1)
        number = max(self._number, 2)
        keys = keys[: self.per_page][::-1]
        return ListPage(keys, number, self, is_first=False, is_last=False)

    def _keys(self, rows: QuerySet, start: int, end: int) -> list:
        if end <= start:
            return []
        keys = rows.values_list("pk", flat=True)
        return list(keys)[start:end] if self._counted <= FEW else list(keys[start:end])


def page_size(query: QueryDict) -> int:
    """The number of rows that the address asks for, if it is one that is offered."""
    size = query.get("per_page", "")
    return int(size) if size in {str(allowed) for allowed in PAGE_SIZES} else PAGE_SIZES[0]


def without_position(query: QueryDict) -> QueryDict:
    """The address without what says which page is shown: after other conditions it is the first."""
    query = query.copy()
    for name in POSITION:
        query.pop(name, None)
    return query


def _order_of(rows: QuerySet) -> list[tuple[str, bool]] | None:
    """The columns of the order, up to the primary key; None for expressions and empty values."""
    order = []
    for name in rows.query.order_by or rows.model._meta.ordering:
        if isinstance(name, F) or not isinstance(name, str):
            return None
        column = name.lstrip("-")
        if column == "pk":
            column = rows.model._meta.pk.name
        if not _is_plain(rows.model, column):
            return None
        order.append((column, name.startswith("-")))
        if column == rows.model._meta.pk.name:
            return order
    return None


def _is_plain(model, path: str) -> bool:
    """Whether `path` leads to a column that is never empty, over keys that never are."""
    *links, last = path.split("__")
    try:
        for name in links:
            field = model._meta.get_field(name)
            if field.null or not field.many_to_one:
                return False
            model = field.related_model
        field = model._meta.get_field(last)
    except FieldDoesNotExist:
        return False
    return field.concrete and not field.is_relation and not field.null


def _beyond(order: list[tuple[str, bool]], place: tuple) -> Q:
    """Rows that come after the one with these sort values.

    The bound on the first column follows from the rest; it is what an index can begin at.
    """
    condition = Q()
    for (column, descending), value in reversed(list(zip(order, place, strict=True))):
        further = Q(**{f"{column}__{'lt' if descending else 'gt'}": value})
        condition = further | (Q(**{column: value}) & condition) if condition else further
    (first, descending), value = order[0], place[0]
    return Q(**{f"{first}__{'lte' if descending else 'gte'}": value}) & condition
