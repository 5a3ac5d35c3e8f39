"""An archive on paper (一户一档): a cover with its contents and the parts, cut into sheets of A4.

Cut here, since old browsers cannot count pages themselves: how tall a row will be is worked out from
its text as a browser lays out a table, with some room to spare.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from math import ceil

from households.models import SpecialFamily
from households.special.archive_page import names_of, paper_parts, parents_of_archive
from households.special.sections import PaperTable

MOST_FAMILIES = 30  # more is no work for a page; a pack of files is
# Millimetres, of .fp-sheet-tall and .fp-form-table; BESIDE is a column's padding and rule.
SHEET_WIDTH, SHEET_HEIGHT, BESIDE = 186.0, 242.0, 2.4
CHARACTER, LINE, PADDING, LEAST_ROW, TITLE = 3.36, 4.6, 1.4, 6.7, 9.7
NARROW = 0.56  # a letter or digit beside a Chinese character
SHORT = 5  # characters that stay on one line where there is room
_UNBROKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Block:
    """What of a table stands on one sheet; `part` counts the sheets that it goes over."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    part: int = 1
    widths: tuple[float, ...] = ()  # of the columns, in percent: the same on every sheet


@dataclass(frozen=True)
class Sheet:
    """One sheet after the cover."""

    number: int
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class ArchivePaper:
    """One family's archive: the cover, which is sheet 1, and the sheets after it."""

    family: SpecialFamily
    names: str
    contents: list[tuple[str, int]]
    sheets: list[Sheet]

    @property
    def total(self) -> int:
        """How many sheets there are with the cover."""
        return len(self.sheets) + 1


def archive_paper(user, family: SpecialFamily, day: date, *, health: bool) -> ArchivePaper:
    """All parts of the archive in the order of inspections; health only where it is asked for."""
    parts = [("档案概况", [_summary(family)])]
    parts += paper_parts(user, family, day, health=health)
    contents, sheets = cut(parts)
    return ArchivePaper(family, names_of(parents_of_archive(family)), contents, sheets)


def cut(
    parts: Iterable[tuple[str, list[PaperTable]]],
) -> tuple[list[tuple[str, int]], list[Sheet]]:
    """Where each part begins, and the sheets. A heading never stands alone at the foot of a sheet."""
    contents, sheets, room = [], [Sheet(2)], SHEET_HEIGHT
    for title, tables in parts:
        for at, table in enumerate(tables):
            lines = [table.headings, *table.rows]
            widths = _column_widths(lines)
            heights = _heights(lines, widths)
            shares = tuple(round((w + BESIDE) / SHEET_WIDTH * 100, 2) for w in widths)
            head, rows = TITLE + heights[0], heights[1:] or [LEAST_ROW]
            if room < head + rows[0]:
                sheets, room = [*sheets, Sheet(sheets[-1].number + 1)], SHEET_HEIGHT
            if at == 0:
                contents.append((title, sheets[-1].number))
            part, here = 1, []
            room -= head
            for row, height in zip(table.rows, rows, strict=False):
                if room < height:
                    sheets[-1].blocks.append(Block(table.title, table.headings, here, part, shares))
                    sheets, room = [*sheets, Sheet(sheets[-1].number + 1)], SHEET_HEIGHT - head
                    part, here = part + 1, []
                here.append(row)
                room -= height
            if not table.rows:
                room -= rows[0]
            sheets[-1].blocks.append(Block(table.title, table.headings, here, part, shares))
    return contents, sheets


def _summary(family: SpecialFamily) -> PaperTable:
    household = family.household
    rows = [
        ("家庭类型", family.get_kind_display()),
        ("村（社区）、户编号", f"{household.village.name}　{household.number}"),
        ("地址", household.address),
        ("建档日期", str(family.opened_on)),
    ]
    if family.closed_on:
        reason = "　".join(filter(None, [family.get_close_reason_display(), family.close_note]))
        rows.append(("结案", f"{family.closed_on}　{reason}"))
    return PaperTable("档案概况", ("项目", "内容"), rows)


def _heights(lines: Iterable[tuple[str, ...]], widths: list[float]) -> list[float]:
    """Of every line of a table, in millimetres."""
    heights = []
    for line in lines:
        deepest = max(
            sum(_lines(part, room) for part in text.split("\n"))
            for text, room in zip(line, widths, strict=True)
        )
        heights.append(max(LEAST_ROW, deepest * LINE + PADDING))
    return heights


def _lines(text: str, room: float) -> int:
    """A line may lose a character to the next: no line begins with a comma, no number is broken."""
    wide = _width(text)
    return 1 if wide <= room else ceil(wide / max(room - CHARACTER, CHARACTER))


def _column_widths(lines: list[tuple[str, ...]]) -> list[float]:
    """Room for text in each column: what cannot break has it, the rest goes to what is longer."""
    columns = list(zip(*lines, strict=True))
    least = [max(map(_unbreakable, column)) for column in columns]
    wanted = [max(map(_width, column)) for column in columns]
    spare = SHEET_WIDTH - BESIDE * len(columns) - sum(least)
    asked = sum(wanted) - sum(least)
    if spare >= asked:  # everything on one line; what is left over is shared out
        more = (spare - asked) / len(columns)
        return [width + more for width in wanted]
    share = max(spare, 0) / asked
    return [low + (high - low) * share for low, high in zip(least, wanted, strict=True)]


def _width(text: str) -> float:
    wide = sum(unicodedata.east_asian_width(one) in "WFA" for one in text)
    return CHARACTER * (wide + NARROW * (len(text) - wide))


def _unbreakable(text: str) -> float:
    """The longest run of letters and digits, and a short word of a heading or a choice as a whole."""
    runs = [_width(run) for run in _UNBROKEN.findall(text)]
    short = _width(text) if len(text) <= SHORT else 0.0
    return max([CHARACTER * 2, short, *runs])
