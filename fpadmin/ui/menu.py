"""The left menu and the home page's cards: plain lists that the apps fill in ready()."""

from collections.abc import Callable
from dataclasses import dataclass

from fpadmin.accounts.permissions import Permission


@dataclass(frozen=True)
class MenuEntry:
    """One line of the menu. `group` is the key of its top-level entry, "" for a top-level one.

    `url_name` is reversed without arguments. `active` lists URL-name prefixes (`households:resident`)
    that mark this entry as the current place.
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


@dataclass(frozen=True)
class Card:
    """One block of the home page. `figures(user, day)` returns [(label, number, url)], set-based."""

    key: str
    label: str
    permission: Permission
    figures: Callable
    order: int = 50


ENTRIES: dict[str, MenuEntry] = {}
CARDS: dict[str, Card] = {}


def register_entry(entry: MenuEntry) -> None:
    if entry.key in ENTRIES:
        raise ValueError(f"menu entry {entry.key!r} is registered twice")
    ENTRIES[entry.key] = entry


def register_card(card: Card) -> None:
    if card.key in CARDS:
        raise ValueError(f"home card {card.key!r} is registered twice")
    CARDS[card.key] = card
