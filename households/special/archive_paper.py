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
from households.special import sections
from households.special.archive_page import graded_children, names_of, parents_of_archive
from households.special.sections import PaperTable

MOST_FAMILIES = 30  # more is no work for a page; a pack of files is
# Millimetres, of .fp-sheet-tall and .fp-form-table.
SHEET_WIDTH, SHEET_HEIGHT = 184.0, 232.0
CHARACTER, LINE, PADDING, LEAST_ROW, TITLE = 3.36, 4.6, 1.4, 6.8, 11.0
_UNBROKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Block:
    """What of a table stands on one sheet; `part` counts the sheets that it goes over."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    part: int = 1


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
    parts += [(one.title, one.paper(user, family, day)) for one in sections.in_order()]
    if health:
        parts.append(("健康情况", [_health(user, family)]))
    contents, sheets = cut(parts)
    return ArchivePaper(family, names_of(parents_of_archive(family)), contents, sheets)


def cut(
    parts: Iterable[tuple[str, list[PaperTable]]],
) -> tuple[list[tuple[str, int]], list[Sheet]]:
    """Where each part begins, and the sheets. A heading never stands alone at the foot of a sheet."""
    contents, sheets, room = [], [Sheet(2)], SHEET_HEIGHT
    for title, tables in parts:
        for at, table in enumerate(tables):
            heights = _heights(table)
            head, rows = TITLE + heights[0], heights[1:] or [LEAST_ROW]
            if room < head + rows[0]:
                sheets, room = [*sheets, Sheet(sheets[-1].number + 1)], SHEET_HEIGHT
            if at == 0:
                contents.append((title, sheets[-1].number))
            part, here = 1, []
            room -= head
            for row, height in zip(table.rows, rows, strict=False):
                if room < height:
                    sheets[-1].blocks.append(Block(table.title, table.headings, here, part))
                    sheets, room = [*sheets, Sheet(sheets[-1].number + 1)], SHEET_HEIGHT - head
                    part, here = part + 1, []
                here.append(row)
                room -= height
            if not table.rows:
                room -= rows[0]
            sheets[-1].blocks.append(Block(table.title, table.headings, here, part))
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


def _health(user, family: SpecialFamily) -> PaperTable:
    rows = [
        ("子女死亡原因", family.cause_of_death or "无记录"),
        ("健康情况", family.health_note or "无记录"),
    ]
    for child in graded_children(user, family):
        certified = f"　{child.disability_date}鉴定" if child.disability_date else ""
        rows.append((f"{child.child_name}伤残等级", f"{child.disability_grade}{certified}"))
    return PaperTable("健康情况（仅限经办和审核）", ("项目", "内容"), rows)


def _heights(table: PaperTable) -> list[float]:
    """Of the headings and of every row, in millimetres."""
    lines = [table.headings, *table.rows]
    widths = _column_widths(lines)
    heights = []
    for line in lines:
        deepest = max(
            sum(max(1, ceil(_width(part) / room)) for part in text.split("\n"))
            for text, room in zip(line, widths, strict=True)
        )
        heights.append(max(LEAST_ROW, deepest * LINE + PADDING))
    return heights


def _column_widths(lines: list[tuple[str, ...]]) -> list[float]:
    """As a browser shares the width out: what cannot break first, then by what the text would fill."""
    columns = list(zip(*lines, strict=True))
    least = [max(map(_unbreakable, column)) for column in columns]
    wanted = [max(max(map(_width, column)), 1.0) for column in columns]
    room = SHEET_WIDTH - 2.5 * len(columns)  # padding and rules
    if sum(wanted) <= room:
        return wanted
    spare, asked = room - sum(least), sum(wanted) - sum(least)
    share = max(spare, 0) / asked if asked else 0
    return [
        max(low + (high - low) * share, CHARACTER) for low, high in zip(least, wanted, strict=True)
    ]


def _width(text: str) -> float:
    wide = sum(unicodedata.east_asian_width(one) in "WFA" for one in text)
    return CHARACTER * (wide + 0.55 * (len(text) - wide))


def _unbreakable(text: str) -> float:
    return max([CHARACTER, *(_width(run) for run in _UNBROKEN.findall(text))])
