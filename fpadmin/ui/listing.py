"""The registered lists: one description each, from which page, count, export and batch acts are made.

So that they cannot differ: all four read rows_of(spec, asked).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.dates import parse_day
from fpadmin.identity import half_width

# What of a list's address is no condition: it says how the rows are shown, not which.
VIEW_NAMES = ("page", "per_page", "sort", "more", "after", "before", "csrfmiddlewaretoken")
MOST_PICKED = 5_000
# Kinds of personal data that an export counts apart.
BANK, HEALTH = "bank", "health"


@dataclass(frozen=True)
class ListColumn:
    """A column as the chooser, the page and a file know it; `key` is its name in the table class.

    `needs` are the model's columns that it reads: a column that nobody shows is not loaded, and an
    encrypted one not opened. In a file `write` makes the cell of the values of `needs`, by default
    the first of them; `kind` types it: text, code (digits that are a name), number, money (yuan to
    the fen), date, time, or age (a birth date, written as completed years).
    `mask` covers it unless the file is one in clear. `sensitive` is BANK or HEALTH.
    """

    key: str
    label: str
    needs: tuple[str, ...]
    kind: str = "text"
    shown: bool = True
    fixed: bool = False
    in_file: bool = True
    mask: Callable[[str], str] | None = None
    write: Callable[..., Any] | None = None
    sensitive: str = ""
    width: int = 12


@dataclass(frozen=True)
class Asked:
    """Who asks for which rows on what day: all that a filter bar may know of a request.

    A background job has no request: `session` then holds only what the conditions rest on.
    """

    user: Any
    GET: QueryDict
    session: Mapping[str, Any]
    day: date

    @classmethod
    def by(cls, request: HttpRequest) -> "Asked":
        """What this request asks for, today."""
        return cls(request.user, request.GET, request.session, dates.today())

    @property
    def as_of(self) -> date:
        """The day that the list speaks of: the one asked for, else today."""
        try:
            found = parse_day(half_width(self.GET.get("as_of", "")).replace(" ", ""))
        except ValueError:
            found = None
        return found or self.day

    @property
    def conditions(self) -> QueryDict:
        """The address without what only says how the rows are shown."""
        query = self.GET.copy()
        for name in VIEW_NAMES:
            query.pop(name, None)
        return query


@dataclass(frozen=True)
class ListSpec:
    """One list. `queryset(asked)` gives what the user may see, before any condition.

    `name_of(record)` calls a row on the confirm page of an act. `sensitive` names conditions that
    say as much as a sensitive column: a list of people with a disability is one of health data.
    """

    key: str
    title: str
    unit: str
    permission: Permission
    url_name: str
    queryset: Callable[[Asked], QuerySet]
    table_class: type
    filter_class: type
    columns: tuple[ListColumn, ...]
    name_of: Callable[[Any], str] = str
    place_of: Callable[[Any], str] = lambda record: ""
    sensitive: Mapping[str, str] = field(default_factory=dict)

    def column(self, key: str) -> ListColumn | None:
        """The column of that key."""
        return next((column for column in self.columns if column.key == key), None)


LISTS: dict[str, ListSpec] = {}


def register(spec: ListSpec) -> None:
    """Add a list. A key that is taken raises."""
    if spec.key in LISTS:
        raise ValueError(f"list {spec.key!r} is registered twice")
    LISTS[spec.key] = spec


def filter_of(spec: ListSpec, asked: Asked):
    """The filter bar of the list with its conditions; its rows() are the list."""
    return spec.filter_class(asked.GET, queryset=spec.queryset(asked), request=asked)


def rows_of(spec: ListSpec, asked: Asked) -> QuerySet:
    """The rows that the list shows, over all its pages, in its order."""
    return ordered(spec, asked, filter_of(spec, asked).rows())


def ordered(spec: ListSpec, asked: Asked, queryset: QuerySet) -> QuerySet:
    """In the order that the address asks for, the primary key last."""
    table = spec.table_class(queryset, order_by=asked.GET.get("sort", ""))
    return stable(table.data.data)


def stable(queryset):
    """The same order with the primary key as the last word; a list stays as it is."""
    if isinstance(queryset, list):
        return queryset
    order = queryset.query.order_by or tuple(queryset.model._meta.ordering)
    return queryset if order[-1:] in (("pk",), ("-pk",)) else queryset.order_by(*order, "pk")


def only_needed(queryset: QuerySet, columns) -> QuerySet:
    """Load nothing but what `columns` read: no join, no column and no decryption beyond."""
    needs = list(dict.fromkeys(need for column in columns for need in column.needs))
    related = {need.rpartition("__")[0] for need in needs} - {""}
    queryset = queryset.select_related(None)
    if related:
        queryset = queryset.select_related(*sorted(related))
    return queryset.only("pk", *(need for need in needs if need not in queryset.query.annotations))


@dataclass(frozen=True)
class Selection:
    """The rows that somebody ticked, or all that the conditions find."""

    asked: Asked
    picked: tuple[int, ...] = ()
    is_all: bool = False

    @classmethod
    def of(cls, request: HttpRequest) -> "Selection":
        """The ticks of a POST; its address carries the conditions of the list they were made on.

        What is no key at all counts as key 0, which no row has.
        """
        if request.POST.get("all"):
            return cls(Asked.by(request), is_all=True)
        words = ",".join(request.POST.getlist("picked")).split(",")
        keys = [int(w) if w.isascii() and w.isdigit() and len(w) < 18 else 0 for w in words if w]
        return cls(Asked.by(request), tuple(dict.fromkeys(keys)))

    def __bool__(self) -> bool:
        return self.is_all or bool(self.picked)

    def rows(self, spec: ListSpec) -> QuerySet:
        """The rows in the list's order. Of ticked ones those that the user may see."""
        if self.is_all:
            return rows_of(spec, self.asked)
        picked = spec.queryset(self.asked).filter(pk__in=self.picked[:MOST_PICKED])
        return ordered(spec, self.asked, picked)

    def hidden(self) -> list[tuple[str, str]]:
        """The selection as inputs of the next form."""
        if self.is_all:
            return [("all", "1")]
        return [("picked", ",".join(map(str, self.picked)))]


def pack(spec: ListSpec, selection: Selection) -> str:
    """The selection as text for a job that runs later; holds what was searched for: encrypt it."""
    asked = selection.asked
    query = asked.conditions
    if asked.GET.get("sort"):
        query["sort"] = asked.GET["sort"]
    kept = filter_of(spec, asked).carried()
    return json.dumps(
        {
            "query": query.urlencode(),
            "session": kept,
            "picked": selection.picked,
            "all": selection.is_all,
        }
    )


def unpack(text: str, *, user, day: date) -> Selection:
    """The selection of pack(), asked for anew by `user`."""
    packed = json.loads(text)
    asked = Asked(user, QueryDict(packed["query"]), packed["session"], day)
    return Selection(asked, tuple(packed["picked"]), packed["all"])
