"""The search for a person: read from what was typed, kept in the session, asked of the database."""

import contextlib
import secrets
from dataclasses import asdict, dataclass
from datetime import date

from django.db.models import Q
from django.http import QueryDict

from fpadmin.crypto import digest
from fpadmin.identity import InvalidIdNumber, half_width, normalise_id_number, parse_id_number
from households.name_search import named

KEPT_SEARCHES = 20
_SESSION_KEY = "searches"
# Lists that the search for a person leads to: the URL name and the filter bar of each.
LISTS: dict[str, tuple[str, type]] = {}


def register_list(key: str, url_name: str, filter_class: type) -> None:
    """Let a list be searched by name and number; its filter_class is a SearchFilter. A taken key raises."""
    if key in LISTS:
        raise ValueError(f"list {key!r} is registered twice")
    LISTS[key] = (url_name, filter_class)


@dataclass(frozen=True)
class Search:
    """A person search as the session keeps it: part of a name, or the digest of a number."""

    name: str = ""
    digest: str = ""
    masked: str = ""

    def matches(self) -> Q:
        """Names by any part, pinyin initials by their beginning, numbers whole; never a record
        that was merged into another."""
        condition = Q(merged_into__isnull=True)
        if self.digest:
            condition &= Q(id_number_digest=self.digest)
        if self.name:
            condition &= named(self.name)
        return condition


def parse_search(text: str, today: date) -> Search:
    """What the top bar was given: a whole ID number, else a name or pinyin initials."""
    text = half_width(text).strip()
    number = normalise_id_number(text)
    if len(number) in (15, 18) and number[:-1].isascii() and number[:-1].isdigit():
        return search_for(number=number, today=today)
    return Search(name=text)


def search_for(*, name: str = "", number: str = "", today: date) -> Search:
    """A search by name, number or both. A 15-digit number finds its 18 characters."""
    number = normalise_id_number(number)
    if not number:
        return Search(name=name)
    # An invalid one matches nobody, which is what the list then says.
    with contextlib.suppress(InvalidIdNumber):
        number = parse_id_number(number, today=today).number
    masked = f"{number[:6]}********{number[-4:]}" if len(number) == 18 else "****"
    return Search(name=name, digest=digest(number), masked=masked)


def asked_for(values: dict, before: Search | None, today: date) -> Search:
    """The search that a search form asks for; `before` is the one its page already showed."""
    if values["q"]:
        return parse_search(values["q"], today)
    search = search_for(name=values["name"], number=values["id_number"], today=today)
    if before and before.digest and not search.digest:
        # The number stays masked on the page, so that it cannot be posted again.
        return Search(search.name, before.digest, before.masked)
    return search


def keep(session, search: Search) -> str:
    """The token under which the session now holds `search`; the oldest of too many goes."""
    newest = list(session.get(_SESSION_KEY, {}).items())[-KEPT_SEARCHES + 1 :]
    token = secrets.token_urlsafe(8)
    session[_SESSION_KEY] = dict(newest) | {token: asdict(search)}
    return token


def kept(session, token: str) -> Search | None:
    """The search that the session holds under `token`."""
    found = session.get(_SESSION_KEY, {}).get(token)
    return Search(**found) if found else None


def carried(token: str, search: Search) -> dict:
    """What kept() reads, for a background job that has no session."""
    return {_SESSION_KEY: {token: asdict(search)}}


def conditions(data, filter_class) -> QueryDict:
    """The posted conditions of the filter bar that are nobody's name or number."""
    allowed = {*filter_class.base_filters, "age_min", "age_max", "sort", "per_page", "more"}
    query = QueryDict(mutable=True)
    for name in sorted(allowed - {"search"}):
        if data.get(name):
            query[name] = data[name]
    return query
