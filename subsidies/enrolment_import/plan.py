"""What a workbook of rolls would do, as far as it is decided."""

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from fpadmin.imports.kinds import Change, Doubt, Ground
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from subsidies.registered import Person

POLICY, NUMBER, AMOUNT = "policy_code", "idno", "amount"
START, END, REASON = "start_month", "exit_month", "exit_reason"
LAST = date.max  # the end of a line that has none


@dataclass(frozen=True, slots=True)
class Line:
    """A known line of a roll as stored."""

    pk: int
    version: int
    policy: str
    resident: int
    grade: str
    start: date
    end: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class Span:
    """The months of a line as it will stand; `row` is its table record, None outside the file."""

    start: date
    end: date
    row: int | None = None

    @property
    def words(self) -> str:
        """For a message."""
        return f"{self.start:%Y-%m}至{'今' if self.end == LAST else f'{self.end:%Y-%m}'}"


@dataclass
class EnrolmentPlan:
    """What the workbook would do. Indices are of table records; none of them has an error."""

    table: Table
    ground: Ground
    digests: list[str]
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    places: dict[int, tuple[str, str]] = field(default_factory=dict)
    stored: dict[tuple[str, int], list[Line]] = field(default_factory=dict)  # (policy, resident)
    known: dict[int, Line] = field(default_factory=dict)
    grades: dict[int, str] = field(default_factory=dict)  # of lines that have none yet
    new: list[int] = field(default_factory=list)
    changed: dict[int, dict[str, tuple]] = field(default_factory=dict)  # column → (old, new)

    def policy(self, index: int) -> str:
        """The code of the record's policy."""
        return self.table.columns[POLICY][index]

    def person(self, index: int) -> Person:
        """Whose line the record is."""
        return self.people[self.digests[index]]

    def path(self, index: int) -> str:
        """Of the village that the person lives in."""
        return self.places[self.person(index).village][0]

    def key(self, index: int) -> tuple[str, int]:
        """The roll and the person: lines of one key never overlap."""
        return self.policy(index), self.person(index).pk

    def start(self, index: int) -> date:
        """The first month."""
        return month_of(self.table.columns[START][index])

    def end(self, index: int) -> date | None:
        """The last month paid as it will stand: the cell, what is kept, or none."""
        cell = self.table.columns[END][index]
        if cell is CLEAR:
            return None
        if cell is None:
            return self.known[index].end if index in self.known else None
        return month_of(cell)

    def reason(self, index: int) -> str:
        """Why it ends, as it will stand."""
        cell = self.table.columns[REASON][index]
        if cell is CLEAR:
            return ""
        if cell is None:
            return self.known[index].reason if index in self.known else ""
        return cell

    def grade(self, index: int) -> str:
        """The grade as it will stand: the stored one, else what the amount tells."""
        line = self.known.get(index)
        return (line.grade if line else "") or self.grades.get(index, "")

    def span(self, index: int) -> Span:
        """The record's months."""
        return Span(self.start(index), self.end(index) or LAST, index)

    def is_active(self, index: int) -> bool:
        """On the roll today."""
        span, month = self.span(index), self.ground.today.replace(day=1)
        return span.start <= month <= span.end


@lru_cache(maxsize=4096)
def month_of(text: str) -> date:
    """The first day of a month as the reader gives it."""
    return date(int(text[:4]), int(text[5:]), 1)
