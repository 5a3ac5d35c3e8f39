"""The kinds of workbook that an office hands in: one declarative description each, filled in ready()."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from fpadmin.accounts.permissions import Permission


@dataclass(frozen=True)
class Column:
    """One column of a workbook.

    type is text, code, idno, date, month, int, money, bool or choice (then `choices`). `note` is
    printed in the template. `personal` values are masked in messages, previews and logs. `synonyms`
    are others' words for a choice: theirs → ours; what an office taught the import goes before them.
    """

    heading: str
    key: str
    type: str = "text"
    required: bool = False
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict, hash=False)
    note: str = ""
    max_length: int = 200
    personal: bool = False
    future: bool = False  # a date that may lie ahead, such as an expiry
    bounds: tuple[int, int] | None = None  # of an int
    uniform: bool = False  # one value may hold for a whole file, such as a village's list

    @property
    def may_be_fixed(self) -> bool:
        """Whether an office may give one value for every row of a file without the column."""
        return self.uniform or (not self.personal and self.type in ("code", "choice", "bool"))


@dataclass(frozen=True)
class Issue:
    """One problem of one cell. `row` as Excel numbers it; `column` is the template's heading."""

    row: int
    column: str
    code: str
    message: str
    value: str = ""  # masked where it identifies somebody
    error: bool = True


@dataclass(frozen=True)
class Change:
    """One field of a known record that the workbook changes; values masked where personal."""

    row: int
    target: str
    place: str
    target_id: int
    heading: str
    old: str
    new: str


class Decision(StrEnum):
    """What somebody decided of a row that may mean a registered person."""

    SAME = "same"
    NEW = "new"
    SKIP = "skip"


@dataclass(frozen=True)
class Doubt:
    """A row that may mean a known record: `sides` are (heading, file, registry), values masked."""

    row: int
    target_id: int
    name: str
    reason: str
    sides: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Ground:
    """What an import stands on: the office, the day changes count from, today, and who runs it."""

    office: Any  # Region; rows outside its subtree are errors
    on: date
    today: date
    by: Any  # User or SystemJob
    # Row → (what was decided, the record that it was decided about).
    decisions: Mapping[int, tuple[str, int]] = field(default_factory=dict)


@dataclass
class Outcome:
    """What the check found, or the commit did. Counts are of rows.

    `refused` rows have an error, or wait for a refused row above them; `skipped` ones somebody left
    out. The five counts sum to rows.
    """

    kind: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    skipped: int = 0
    doubts: list[Doubt] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    letters: dict[str, str] = field(default_factory=dict)  # heading → the file's column, such as E
    layout: str = ""  # the fingerprint of the learnt layout by which the file was read
    written: bool = False

    @property
    def errors(self) -> list[Issue]:
        return [i for i in self.issues if i.error]

    @property
    def warnings(self) -> list[Issue]:
        return [i for i in self.issues if not i.error]


@dataclass(frozen=True)
class Undo:
    """How what the kind wrote is taken back; undo.py does it from the journal that write() kept.

    `models` in the order in which they are written; the trail gets an event `event` for each row
    of `subjects`, which maps a model to the ways that lead from it to its region's path. Rows of
    `swept` (model → its columns) only say something of the rows that they lead to, and go with
    them. `settle(reversal)` is called between the deletion of new rows and the return of old
    values. `more(reversal)` gives further dependents, beside what undo.py finds for every kind.
    """

    models: tuple[str, ...]
    event: str
    subjects: dict[str, tuple[str, ...]]
    swept: dict[str, tuple[str, ...]] = field(default_factory=dict)
    settle: Callable[..., None] = lambda reversal: None
    more: Callable[..., Any] = lambda reversal: ()


@dataclass(frozen=True)
class WorkbookKind:
    """One kind of workbook.

    plan(table, ground) validates the parsed table against the registry and returns a Plan (see
    engine.py) without writing; write(plan, journal) writes it in the caller's transaction, tells
    the journal what it does, and returns the audit entries of single records.

    `edits_registry` is False of a kind whose rows aren't registered records, such as a bank's answers:
    no page asks from which day its changes count or says what an empty cell does; its day is today.
    `next_pages` are (label, URL name) of where an office goes on once the workbook is written; whoever
    may import the kind may open them.
    """

    key: str
    sheet: str
    columns: tuple[Column, ...]
    permission: Permission
    plan: Callable[..., Any]
    write: Callable[..., Any]
    undo: Undo
    sample: dict[str, str] = field(default_factory=dict)  # a sample row of the template, by key
    note: str = ""
    edits_registry: bool = True
    next_pages: tuple[tuple[str, str], ...] = ()
    order: int = 50  # in which an office imports them: regions 10, residents 20, births 30

    def column(self, key: str) -> Column:
        return next(c for c in self.columns if c.key == key)


class Unreadable(Exception):
    """The file cannot be read as this kind. `code` is documented; str() is the sentence for the user."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


def changed_meanwhile() -> Unreadable:
    """To raise when somebody saved a record between comparison and writing; nothing is written."""
    return Unreadable(
        "changed_meanwhile",
        "写入时登记资料被别人改动，本次没有写入任何数据。请重新检查后再确认。",
    )


KINDS: dict[str, WorkbookKind] = {}


def register(kind: WorkbookKind) -> None:
    """Add a kind. A key that is taken raises."""
    if kind.key in KINDS:
        raise ValueError(f"workbook kind {kind.key!r} is registered twice")
    KINDS[kind.key] = kind


def in_order() -> list[WorkbookKind]:
    """The kinds in the order in which an office imports them."""
    return sorted(KINDS.values(), key=lambda k: (k.order, k.key))
