"""The left menu and the home page's cards: plain lists that the apps fill in ready()."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from fpadmin.accounts.permissions import Permission


@dataclass(frozen=True)
class MenuEntry:
    """One line of the menu. `group` is the key of its top-level entry, "" for a top-level one.

    `url_name` is reversed without arguments. `active` lists URL-name prefixes (`households:resident`)
    that mark this entry as the current place. `count(user)` is the open work behind it, asked only
    where the line is shown.
    """

    key: str
    label: str
    url_name: str
    permission: Permission
    icon: str = ""
    group: str = ""
    order: int = 50
    separated: bool = False
    active: tuple[str, ...] = ()
    count: Callable | None = None


@dataclass(frozen=True)
class Card:
    """One block of the home page. `figures(user, day)` returns [(label, number, url)], set-based."""

    key: str
    label: str
    permission: Permission
    figures: Callable
    order: int = 50


@dataclass(frozen=True)
class Figure:
    """One key figure; a number of None is shown as —, a url leads to the list it counts."""

    label: str
    number: int | None
    url: str = ""
    icon: str = ""
    bad: bool = False
    unit: str = ""


@dataclass(frozen=True)
class HomeCard:
    """A card with its figures for one user and day."""

    key: str
    label: str
    figures: list[Figure]


@dataclass(frozen=True)
class MenuLine:
    """An entry as one user sees it on one page."""

    entry: MenuEntry
    url: str
    is_current: bool
    children: tuple["MenuLine", ...] = ()
    user: object = None

    @property
    def waiting(self) -> int:
        """How much open work stands behind the line."""
        return self.entry.count(self.user) if self.entry.count else 0

    @property
    def is_open(self) -> bool:
        """Whether the user is in this group: only then its lines are shown."""
        return bool(self.children) and (
            self.is_current or any(line.is_current for line in self.children)
        )


ENTRIES: dict[str, MenuEntry] = {}
CARDS: dict[str, Card] = {}


def register_entry(entry: MenuEntry) -> None:
    """Add a line of the menu. A key that is taken raises."""
    if entry.key in ENTRIES:
        raise ValueError(f"menu entry {entry.key!r} is registered twice")
    ENTRIES[entry.key] = entry


def register_card(card: Card) -> None:
    """Add a block of the home page. A key that is taken raises."""
    if card.key in CARDS:
        raise ValueError(f"home card {card.key!r} is registered twice")
    CARDS[card.key] = card


def menu_for(user, view_name: str) -> list[MenuLine]:
    """What `user` may open, in order, with the place of `view_name` (`app:name`) marked once.

    A group whose own page is not permitted leads to its first permitted line.
    """
    allowed = sorted(
        (entry for entry in ENTRIES.values() if user.may(entry.permission)),
        key=lambda entry: (entry.order, entry.key),
    )
    current = _current(allowed, view_name)
    lines = []
    for entry in sorted(ENTRIES.values(), key=lambda entry: (entry.order, entry.key)):
        if entry.group:
            continue
        children = tuple(
            MenuLine(child, reverse(child.url_name), child.key == current, user=user)
            for child in allowed
            if child.group == entry.key
        )
        if entry in allowed:
            lines.append(MenuLine(entry, reverse(entry.url_name), entry.key == current, children))
        elif children:
            lines.append(MenuLine(entry, children[0].url, False, children))
    return lines


def cards_for(user, day) -> list[HomeCard]:
    """The home page's blocks that `user` may see, each with its figures for `day`, none empty."""
    cards = [
        HomeCard(card.key, card.label, [Figure(*figure) for figure in card.figures(user, day)])
        for card in sorted(CARDS.values(), key=lambda card: (card.order, card.key))
        if user.may(card.permission)
    ]
    return [card for card in cards if card.figures]


def _current(entries, view_name: str) -> str:
    """The key of the entry that fits best: the longest prefix, and a line before its group."""
    best, best_rank = "", (0, 0)
    for entry in entries:
        for prefix in (entry.url_name, *entry.active):
            rank = (len(prefix), bool(entry.group))
            if view_name.startswith(prefix) and rank > best_rank:
                best, best_rank = entry.key, rank
    return best
