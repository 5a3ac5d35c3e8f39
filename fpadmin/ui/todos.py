"""What waits for a person: sources that the apps register in ready(), asked by the home page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from fpadmin.accounts.permissions import Permission


@dataclass(frozen=True)
class Todo:
    """One line of 今日工作: how many, of what, and the page that shows exactly these.

    `kind` and `word` make its status tag (look: warn, bad, wait, run); `act` is the button.
    """

    label: str
    count: int
    url: str
    kind: str
    word: str
    hint: str = ""
    act: str = "去处理"


@dataclass(frozen=True)
class TodoSource:
    """items(user, day) returns the user's open work, in a fixed number of queries."""

    key: str
    permission: Permission
    items: Callable[..., list[Todo]]
    order: int = 50


SOURCES: dict[str, TodoSource] = {}


def register(source: TodoSource) -> None:
    """Add a source. A key that is taken raises."""
    if source.key in SOURCES:
        raise ValueError(f"todo source {source.key!r} is registered twice")
    SOURCES[source.key] = source


def todos_for(user, day: date) -> list[Todo]:
    """Everything open for `user` on `day`, sources in order; nothing that is zero."""
    sources = sorted(SOURCES.values(), key=lambda source: (source.order, source.key))
    return [
        todo
        for source in sources
        if user.may(source.permission)
        for todo in source.items(user, day)
        if todo.count
    ]
