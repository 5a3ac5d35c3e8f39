"""Sheets and indicators as the page shows them: cells with their text, note and the list they open."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import InvalidPage, Page, Paginator
from django.http import QueryDict
from django.urls import reverse

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import GROUPS, IndicatorGroup, ListRow, Span
from fpadmin.reporting.rendering import NOTHING, HeadCell, half_up, head, shown
from fpadmin.reporting.sheets import (
    TOO_FEW,
    Sheet,
    SheetColumn,
    SheetRow,
    find_return,
    is_small,
    sheet_column,
)

PAGE_SIZES = (20, 50, 100)


@dataclass(frozen=True)
class Cell:
    """One figure on a page. `url` opens its list; a zero has none. `leads` draws the line before it."""

    text: str
    url: str = ""
    hint: str = ""
    leads: bool = False


@dataclass(frozen=True)
class Line:
    """One region's figures."""

    name: str
    is_total: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Section:
    """A table of the page: its heading, the lines of its head and its rows.

    `opens` says whether the reader may open any list behind its figures.
    """

    title: str
    head: list[list[HeadCell]]
    lines: list[Line]
    opens: bool = True


@dataclass(frozen=True)
class CheckLine:
    """A finding with the list that explains it."""

    level: str
    text: str
    detail: str
    url: str


def sections_of(sheet: Sheet, user) -> list[Section]:
    """The tables of a sheet; figures open the lists that `user` may see, without a user none."""
    query = urlencode({"returned": sheet.code, "period": sheet.period}) if user else ""
    closed = _closed(sheet, [c.code for c in sheet.columns], user) if user else set()
    return [
        Section(
            title=name,
            head=head(columns, "村（社区）"),
            lines=[
                Line(
                    "合计" if row.is_total else row.name,
                    row.is_total,
                    cells_of(row, columns, query, closed),
                )
                for row in sheet.rows
            ],
            opens=any(c.code not in closed for c in columns),
        )
        for name in sheet.sections
        for columns in [[c for c in sheet.columns if c.section == name]]
    ]


def checks_of(sheet: Sheet, user) -> list[CheckLine]:
    """What was found, the worst first, with the lists that `user` may see."""
    query = urlencode({"returned": sheet.code, "period": sheet.period})
    closed = {"", *_closed(sheet, [c.code for c in sheet.checks], user)}
    lines = [
        CheckLine(
            c.level,
            c.text,
            c.detail,
            "" if c.code in closed else _list_url(c.code, c.region, query),
        )
        for c in sheet.checks
    ]
    return sorted(lines, key=lambda line: ("bad", "warn", "ok").index(line.level))


def _closed(sheet: Sheet, codes: Iterable[str], user) -> set[str]:
    """Those of `codes` whose list `user` may not open."""
    report = find_return(sheet.code)
    return {code for code in codes if not report.opens_to(user, code)}


def indicator_sections(
    regions: Sequence[Region], figures: dict[str, dict], span: Span, user
) -> list[Section]:
    """Every indicator group as a table for each section of it, a row for each region, the first in bold."""
    query = urlencode({"start": span.start.isoformat(), "as_of": span.as_of.isoformat()})
    sections = []
    for group in GROUPS.values():
        by_code = {i.code: i for i in group.indicators}
        opens = group.opens_to(user)
        closed = () if opens else group.codes
        names = list(dict.fromkeys(c.section for c in group.columns))
        for name in names:
            columns = [sheet_column(c, by_code[c.code]) for c in group.columns if c.section == name]
            title = group.name if len(names) == 1 else f"{group.name}　{name}"
            lines = []
            for count, r in enumerate(regions):
                row = SheetRow(r.code, r.name, r.level, count == 0, figures[r.code])
                lines.append(Line(r.name, row.is_total, cells_of(row, columns, query, closed)))
            sections.append(Section(title, head(columns, "单位"), lines, opens))
    return sections


def definitions() -> list[tuple[str, str]]:
    """(name, meaning) of every registered indicator."""
    return [
        (i.name, i.definition + (f"。目标{i.target}" if i.target else ""))
        for group in GROUPS.values()
        for i in group.indicators
    ]


def cells_of(
    row: SheetRow, columns: Iterable[SheetColumn], query: str, closed: Collection[str] = ()
) -> list[Cell]:
    """The figures of a row; `query` says which days their lists look at, without it they open none.

    `closed` are codes whose list doesn't open to the reader.
    """
    cells, group = [], None
    for column in columns:
        leads = group is not None and (column.group != group)
        group = column.group
        cells.append(_cell(row, column, "" if column.code in closed else query, leads))
    return cells


def _cell(row: SheetRow, column: SheetColumn, query: str, leads: bool = False) -> Cell:
    value = row.figures[column.code]
    if value is None:
        return Cell(NOTHING, leads=leads)
    text, hint = shown(row, column), ""
    if column.kind in ("rate", "ratio"):
        text, _, rest = text.partition("（")
        hint = rest.removesuffix("）")
    if column.kind == "ratio" and is_small(row, column):
        hint += f"，{TOO_FEW}"
    opens = query and value and half_up(float(value)) != 0
    return Cell(text, _list_url(column.code, row.code, query) if opens else "", hint, leads)


def _list_url(code: str, region: str, query: str) -> str:
    return f"{reverse('reporting:figure-list', args=[code, region])}?{query}"


# The list behind a figure ------------------------------------------------------------------------


class RowPaginator(Paginator):
    """Mends a wrong page number instead of failing."""

    is_capped = False

    def page(self, number) -> Page:
        try:
            number = self.validate_number(number)
        except InvalidPage:
            number = 1
        return super().page(number)


@dataclass(frozen=True)
class PageLink:
    """One box of the paging: a number, or … where `url` and `is_current` are empty."""

    label: str
    url: str = ""
    is_current: bool = False


@dataclass(frozen=True)
class RowLine:
    """A record on the page: its place in the list, where it leads, and its further facts (heading, value)."""

    number: int
    row: ListRow
    village: str
    person_url: str
    household_url: str
    facts: list[tuple[str, object]]


@dataclass(frozen=True)
class RowPage:
    """One page of the records behind a figure, as `_components/pagination.html` reads it."""

    page: Page
    lines: list[RowLine]
    headings: list[str]
    pages: list[PageLink]
    previous_url: str
    next_url: str
    kept: list[tuple[str, str]]
    unit: str
    is_capped: bool = False
    page_sizes: tuple[int, ...] = PAGE_SIZES

    @property
    def total(self) -> int:
        return self.page.paginator.count


def row_page(query: QueryDict, rows, group: IndicatorGroup, user, unit: str) -> RowPage:
    """The page that `query` asks for; only its own records are read."""
    size = query.get("per_page", "")
    size = int(size) if size in {str(s) for s in PAGE_SIZES} else PAGE_SIZES[0]
    page = RowPaginator(rows, size).page(query.get("page"))
    records = list(page.object_list)
    names = dict(
        Region.objects.visible_to(user)
        .filter(code__in={r.village_code for r in records})
        .values_list("code", "name")
    )
    headings = list(dict.fromkeys(heading for r in records for heading in r.facts))
    links = group.links(user, records)
    lines = [
        RowLine(
            number, row, names.get(row.village_code, row.village_code), person, household,
            [(heading, row.facts.get(heading, NOTHING)) for heading in headings],
        )
        for number, (row, (person, household)) in enumerate(
            zip(records, links, strict=True), page.start_index()
        )
    ]  # fmt: skip
    return RowPage(
        page=page,
        lines=lines,
        headings=headings,
        pages=[
            PageLink(str(n), _page_url(query, n), n == page.number)
            if isinstance(n, int)
            else PageLink("…")
            for n in page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
        ],
        previous_url=_page_url(query, page.number - 1) if page.has_previous() else "",
        next_url=_page_url(query, page.number + 1) if page.has_next() else "",
        kept=[(k, v) for k, v in query.items() if k not in ("page", "per_page")],
        unit=unit,
    )


def _page_url(query: QueryDict, number: int) -> str:
    query = query.copy()
    query["page"] = str(number)
    return f"?{query.urlencode()}"
