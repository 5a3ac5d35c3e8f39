"""Packs: exports of a list that are many files instead of one sheet. The apps register theirs.

A pack is asked for, limited, approved, made, shown and purged like any other export.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO

from django.db.models import QuerySet

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission
from fpadmin.exports.workbook import SheetHead
from fpadmin.ui.listing import HEALTH


@dataclass(frozen=True)
class PackPart:
    """What a pack holds only where it is asked for, by somebody with `permission`."""

    key: str
    label: str
    permission: Permission


@dataclass(frozen=True)
class PackOrder:
    """What a pack is made of: rows that `user` may see on `day`, and the parts that were asked for."""

    user: User
    rows: QuerySet
    parts: frozenset[str]
    day: date
    head: SheetHead


@dataclass(frozen=True)
class PackFile:
    """One file of a pack: its path, what writes it, and how many rows are done before it."""

    path: str
    write: Callable[[BinaryIO], Any]
    done: int


@dataclass(frozen=True)
class Pack:
    """`files(order)` yields the files one by one, so that only one is in memory.

    `made(order)` records what left, in the transaction that keeps the file. `sensitive` are the kinds
    of personal data that count for the day's limits.
    """

    key: str
    list_key: str
    title: str
    permission: Permission
    files: Callable[[PackOrder], Iterator[PackFile]]
    made: Callable[[PackOrder], None]
    parts: tuple[PackPart, ...] = ()
    sensitive: frozenset[str] = frozenset({HEALTH})

    def parts_for(self, user: User) -> list[PackPart]:
        """The parts that `user` may ask for."""
        return [part for part in self.parts if user.may(part.permission)]


PACKS: dict[str, Pack] = {}


def register(pack: Pack) -> None:
    """Add a pack. A key that is taken raises."""
    if pack.key in PACKS:
        raise ValueError(f"pack {pack.key!r} is registered twice")
    PACKS[pack.key] = pack
