"""list_page(): the one way a list is filtered, sorted, counted, paged and shown."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django_tables2.rows import BoundRows

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.acts import acts_of
from fpadmin.ui.columns import columns_for
from fpadmin.ui.filters import Chip, FilterSet
from fpadmin.ui.listing import (
    LISTS,
    Asked,
    ListSpec,
    filter_of,
    only_needed,
    ordered,
    rows_of,
    stable,
)
from fpadmin.ui.paging import (
    COUNT_CAP,
    PAGE_SIZES,
    WIDE_COUNT_CAP,
    ListPaginator,
    PageLink,
    without_position,
)
from fpadmin.ui.paging import ListPage as Page
from fpadmin.ui.tables import Table


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
    pages: list[tuple[str, str]]


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
    rows = ordered(spec, asked, filterset.rows())
    table = spec.table_class(rows, order_by=request.GET.get("sort", ""), exclude=sorted(hidden))
    # In the order that export and acts take, also by a column that is hidden now.
    table.data.data = only_needed(rows, columns)
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
    paginator = ListPaginator(rows_of(spec, asked), asked.GET, cap=_cap(asked.user))
    return tuple(paginator.asked_page().keys)


def _paged(request, table: Table, filterset, title: str, unit: str, tools=None) -> ListPage:
    """The page that the address asks for; the table then holds its rows alone."""
    query = request.GET.copy()
    page = ListPaginator(table.data.data, query, cap=_cap(request.user)).asked_page()
    table.rows = BoundRows(page.object_list, table)
    table.request, table.query, table.caption = request, query, title
    table.first_number = page.start_index()
    return ListPage(
        title=title,
        unit=unit,
        filter=filterset,
        chips=filterset.chips(query) if filterset else [],
        table=table,
        page=page,
        pages=page.links(query),
        previous_url=page.previous_url(query),
        next_url=page.next_url(query),
        kept=[pair for pair in _pairs(without_position(query)) if pair[0] != "per_page"],
        tools=tools,
    )


def _cap(user) -> int:
    """Where counting stops: a township's list is always counted whole."""
    above_township = user.region.level < user.region.Level.TOWNSHIP
    return WIDE_COUNT_CAP if above_township else COUNT_CAP


def _tools(request, spec: ListSpec, asked: Asked) -> ListTools:
    query = request.GET.urlencode()
    suffix = f"?{query}" if query else ""
    may_export = request.user.may(Permission.EXPORT)
    acts = acts_of(spec.key, request.user)
    return ListTools(
        memory=f"{spec.key}?{asked.conditions.urlencode()}",
        columns_url=reverse("lists:column-choice", args=[spec.key]) + suffix,
        export_url=reverse("exports:export-create", args=[spec.key]) + suffix if may_export else "",
        acts=[(act.label, act.url + suffix) for act in acts],
        pages=[(act.label, act.url + suffix) for act in acts if act.for_all],
    )


def _pairs(query: QueryDict) -> list[tuple[str, str]]:
    return [(name, value) for name, values in query.lists() for value in values]
