"""Lists on paper: so many numbered rows to a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PER_SHEET = 18


@dataclass(frozen=True)
class Sheet:
    """One page: its rows with their numbers in the whole list."""

    number: int
    rows: list[tuple[int, Any]]
    is_last: bool


def sheets_of(rows: Sequence[Any], per_sheet: int = PER_SHEET) -> list[Sheet]:
    """The rows on pages; one page without rows where there are none."""
    numbered = list(enumerate(rows, start=1))
    starts = range(0, max(len(numbered), 1), per_sheet)
    last = len(starts)
    return [
        Sheet(number, numbered[start : start + per_sheet], number == last)
        for number, start in enumerate(starts, start=1)
    ]
