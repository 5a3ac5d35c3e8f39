"""Base of every table of records, and the few column kinds that the look knows."""

from collections.abc import Iterator
from dataclasses import dataclass

import django_tables2 as tables
from django.http import QueryDict

from fpadmin.ui.paging import without_position
from fpadmin.ui.templatetags.ui import NOTHING, date_dash, number, time_dash

NUMERIC = {"th": {"class": "fp-num"}, "td": {"class": "fp-num"}}
NOWRAP = {"td": {"class": "fp-nowrap"}}
WIDE = {"td": {"class": "fp-wide"}}
NOWRAP_WIDE = {"td": {"class": "fp-nowrap fp-wide"}}


@dataclass(frozen=True)
class Heading:
    """One head cell. `sort` is "", "ascending" or "descending"; `url` sorts by this column."""

    label: str
    css: str
    url: str = ""
    sort: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell as the template writes it. `is_header` makes it the row's heading."""

    value: object
    label: str
    css: str
    is_header: bool


@dataclass(frozen=True)
class Row:
    """One line: its number in the whole list, its key for the tick, what it is called, its cells."""

    count: int
    pk: int | None
    name: str
    cells: list[Cell]


class NameColumn(tables.Column):
    """What a row is called: its heading, also when the table folds into cards on a phone."""

    is_header = True

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", {"td": {"class": "fp-name"}})
        super().__init__(*args, **kwargs)


class NumberColumn(tables.Column):
    """A figure, right-aligned with thousands commas."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", NUMERIC)
        super().__init__(*args, **kwargs)

    def render(self, value):
        return number(value)


class DayColumn(tables.Column):
    """A date, 2018-09-30."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", NOWRAP)
        super().__init__(*args, **kwargs)

    def render(self, value):
        return date_dash(value)


class TimeColumn(tables.Column):
    """A moment in local time, 2018-09-30 09:42."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", NOWRAP)
        super().__init__(*args, **kwargs)

    def render(self, value):
        return time_dash(value)


class Table(tables.Table):
    """Base of every list: the look's classes, 序号 in front, sorted only by columns that say so.

    A column that may be sorted by says `orderable=True`.
    """

    numbered = True
    caption = ""
    first_number = 1
    # The id of the form that the ticks belong to; "" for a list whose rows are not ticked.
    tick_form = ""
    query: QueryDict | None = None

    def __init__(self, *args, **kwargs):
        # Not in Meta, which a subclass with one of its own would not inherit.
        kwargs.setdefault("attrs", {"class": "table fp-table fp-fold"})
        kwargs.setdefault("orderable", False)
        kwargs.setdefault("default", NOTHING)
        super().__init__(*args, **kwargs)

    def called(self, record) -> str:
        """What a row's tick is called; of columns that are always loaded."""
        return str(record)

    def headings(self) -> Iterator[Heading]:
        """The head cells; sortable ones lead to the same list sorted the other way."""
        for column in self.columns:
            css = column.column.attrs.get("th", {}).get("class", "")
            if not column.orderable or self.query is None:
                yield Heading(column.header, css)
                continue
            query = without_position(self.query)
            query["sort"] = column.order_by_alias.next
            sort = ""
            if column.is_ordered:
                sort = "descending" if column.order_by_alias.is_descending else "ascending"
            yield Heading(column.header, css, f"?{query.urlencode()}", sort)

    def numbered_rows(self) -> Iterator[Row]:
        """The rows of this page with their numbers in the whole list."""
        for count, row in enumerate(self.rows, start=self.first_number):
            yield Row(
                count,
                getattr(row.record, "pk", None),
                self.called(row.record) if self.tick_form else "",
                [
                    Cell(
                        value,
                        column.header,
                        column.column.attrs.get("td", {}).get("class", ""),
                        getattr(column.column, "is_header", False),
                    )
                    for column, value in row.items()
                ],
            )
