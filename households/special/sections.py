"""The parts of an archive: each slice registers its own, for the page, the print and the pack."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PaperTable:
    """A table on paper: headings and rows of plain text. Without rows it is printed as 无."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """One part of an archive.

    `context(user, family, day)` is what `template` shows on the page; `paper(user, family, day)` the
    same as tables. Neither holds health or cause of death, which have a page of their own.

    The template draws its whole panel: `<section class="fp-panel" id="{{ section.key }}"
    aria-labelledby="h-{{ section.key }}">` with the heading, its links and its table. Besides its own
    context it sees `section`, `family` (household and village loaded), `day`, and what the page has:
    `request.user`, `csrf_token`, `can_edit`, `can_record`, `can_reveal` (for the tag `masked`).
    """

    key: str
    title: str
    template: str
    context: Callable[..., dict[str, Any]]
    paper: Callable[..., list[PaperTable]]
    order: int = 50


SECTIONS: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add a part. A key that is taken raises."""
    if section.key in SECTIONS:
        raise ValueError(f"archive section {section.key!r} is registered twice")
    SECTIONS[section.key] = section


def in_order() -> list[Section]:
    """The parts in the order of the page."""
    return sorted(SECTIONS.values(), key=lambda s: (s.order, s.key))
