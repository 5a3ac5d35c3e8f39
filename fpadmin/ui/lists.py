"""list_page(): the one way a list is filtered, sorted, counted, paged and shown."""

from dataclasses import dataclass
from functools import cached_property

from django.core.paginator import InvalidPage, Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.acts import acts_of
from fpadmin.ui.columns import columns_for
from fpadmin.ui.filters import Chip, FilterSet
from fpadmin.ui.listing import LISTS, Asked, ListSpec, filter_of, only_needed, rows_of, stable
from fpadmin.ui.tables import Table

PAGE_SIZES = (20, 50, 100)
# Counting stops here, so that a county's list costs no more than a township's.
COUNT_CAP = 100_000


class CappedPaginator(Paginator):
    """Counts up to COUNT_CAP rows and then says that there are more; a wrong page number is mended."""

    def page(self, number) -> Page:
        try:
            return super().page(number)
        except InvalidPage:
            return self.get_page(number)

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNT_CAP)

    @property
    def is_capped(self) -> bool:
        return self._counted > COUNT_CAP

    @cached_property
    def _counted(self) -> int:
        """The paginator gets the table's rows; the QuerySet (or a short list) lies behind them."""
        queryset = self.object_list.data.data
        if isinstance(queryset, list):
            return len(queryset)
        return queryset.order_by().values("pk")[: COUNT_CAP + 1].count()


@dataclass(frozen=True)
class PageLink:
    """One box of the paging: a number, or … where `url` and `is_current` are empty."""

    label: str
    url: str = ""
    is_current: bool = False


@dataclass(frozen=True)
class ListTools:
    """What a registered list offers besides its rows: columns, an export, acts for ticked rows.

    `memory` is the name under which a browser keeps the ticks: the list and its conditions, so that
    other conditions begin without any.
    """

    memory: str
    columns_url: str
    export_url: str
    acts: list[tuple[str, str]]


@dataclass(frozen=True)
class ListPage:
    """What `_components/list.html` shows: filter bar, count, chips, table, paging, empty state."""

    title: str
    unit: str
    filter: FilterSet | None
    chips: list[Chip]
    table: Table
    page: Page
    pages: list[PageLink]
    previous_url: str
    next_url: str
    kept: list[tuple[str, str]]
    tools: ListTools | None = None

    @property
    def view_state(self) -> list[tuple[str, str]]:
        """Sorting and page size, which outlive a new set of conditions."""
        names = ("sort", "per_page")
        return [(name, self.table.query[name]) for name in names if self.table.query.get(name)]

    @property
    def total(self) -> int:
        return self.page.paginator.count

    @property
    def is_capped(self) -> bool:
        """Whether there are more than `total`, which says so then."""
        return self.page.paginator.is_capped

    @property
    def page_sizes(self) -> tuple[int, ...]:
        return PAGE_SIZES


def list_page(
    request: HttpRequest,
    queryset,
    *,
    template: str,
    title: str,
    table_class: type[Table],
    filter_class: type[FilterSet] | None = None,
    unit: str = "条",
    extra: dict | None = None,
) -> HttpResponse:
    """Render `template` with `list` (a ListPage) and `extra`.

    Sorts only by the table's orderable columns, always with the primary key last, so that no row
    shows twice. Wrong page numbers and sizes fall back instead of failing.
    """
    filterset = None
    if filter_class is not None:
        filterset = filter_class(request.GET, queryset=queryset, request=request)
        queryset = filterset.rows()
    table = table_class(queryset, order_by=request.GET.get("sort", ""))
    table.data.data = stable(table.data.data)
    shown = _paged(request, table, filterset, title, unit)
    return render(request, template, {"list": shown, "title": title, **(extra or {})})


def registered_list_page(
    request: HttpRequest, key: str, *, template: str, extra: dict | None = None
) -> HttpResponse:
    """list_page() of a registered list: with the user's own columns, ticks and acts.

    A column that is not shown is not loaded either.
    """
    spec, asked = LISTS[key], Asked.by(request)
    columns = columns_for(spec, request.user)
    hidden = {column.key for column in spec.columns} - {column.key for column in columns}
    filterset = filter_of(spec, asked)
    table = spec.table_class(
        filterset.rows(), order_by=request.GET.get("sort", ""), exclude=sorted(hidden)
    )
    table.data.data = only_needed(stable(table.data.data), columns)
    tools = _tools(request, spec, asked)
    table.tick_form = "ticks" if tools.acts else ""
    shown = _paged(request, table, filterset, spec.title, spec.unit, tools)
    return render(request, template, {"list": shown, "title": spec.title, **(extra or {})})


def list_url(spec: ListSpec, asked: Asked) -> str:
    """The list with the conditions, page and order that `asked` came with."""
    query = asked.GET.urlencode()
    return reverse(spec.url_name) + (f"?{query}" if query else "")


def keys_of_page(spec: ListSpec, asked: Asked) -> tuple[int, ...]:
    """The primary keys of the rows that the page of `asked` shows."""
    rows = rows_of(spec, asked)
    table = spec.table_class(rows)
    table.data.data = rows
    paginator = CappedPaginator(table.rows, _page_size(asked.GET))
    page = paginator.page(asked.GET.get("page") or 1)
    start = max(page.start_index() - 1, 0)
    return tuple(rows.values_list("pk", flat=True)[start : page.end_index()])


def _paged(request, table: Table, filterset, title: str, unit: str, tools=None) -> ListPage:
    query = request.GET.copy()
    table.request, table.query, table.caption = request, query, title
    table.paginate(CappedPaginator, per_page=_page_size(query), page=query.get("page") or 1)
    page = table.page
    table.first_number = page.start_index()
    return ListPage(
        title=title,
        unit=unit,
        filter=filterset,
        chips=filterset.chips(query) if filterset else [],
        table=table,
        page=page,
        pages=_page_links(page, query),
        previous_url=_page_url(query, page.number - 1) if page.has_previous() else "",
        next_url=_page_url(query, page.number + 1) if page.has_next() else "",
        kept=[pair for pair in _pairs(query) if pair[0] not in ("page", "per_page")],
        tools=tools,
    )


def _tools(request, spec: ListSpec, asked: Asked) -> ListTools:
    query = request.GET.urlencode()
    suffix = f"?{query}" if query else ""
    may_export = request.user.may(Permission.EXPORT)
    return ListTools(
        memory=f"{spec.key}?{asked.conditions.urlencode()}",
        columns_url=reverse("lists:column-choice", args=[spec.key]) + suffix,
        export_url=reverse("exports:export-create", args=[spec.key]) + suffix if may_export else "",
        acts=[(act.label, act.url + suffix) for act in acts_of(spec.key, request.user)],
    )


def _page_size(query) -> int:
    size = query.get("per_page", "")
    return int(size) if size in {str(allowed) for allowed in PAGE_SIZES} else PAGE_SIZES[0]


def _page_links(page: Page, query) -> list[PageLink]:
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    return [
        PageLink(str(number), _page_url(query, number), number == page.number)
        if isinstance(number, int)
        else PageLink("…")
        for number in numbers
    ]


def _page_url(query, number: int) -> str:
    query = query.copy()
    query["page"] = str(number)
    return f"?{query.urlencode()}"


def _pairs(query) -> list[tuple[str, str]]:
    return [(name, value) for name, values in query.lists() for value in values]
