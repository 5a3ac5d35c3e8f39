"""What a workbook of archives would do, as far as it is decided."""

from dataclasses import dataclass, field
from datetime import date

from fpadmin.imports.kinds import Change, Doubt, Ground
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from households.special_import.cells import Contact
from households.special_import.homes import Archive, Homes
from households.special_import.people import Cell, People, Person

PLAIN = {"kind": "", "difficulties": ""}  # columns of the archive itself, and what blank means
CONTACTS = ("contact1", "contact2", "contact3")


@dataclass(eq=False, slots=True)
class Term:
    """A stored term of a contact."""

    pk: int
    person: int
    started_on: date
    ended_on: date | None
    follows: int | None


@dataclass(eq=False, slots=True)
class NewTerm:
    """A term that begins. `follows` is the stored term that it takes over from."""

    cell: Cell
    started_on: date
    follows: int | None = None


@dataclass(eq=False, slots=True)
class Card:
    """A stored card of a family or of one member."""

    pk: int
    resident: int | None
    number: str
    issued_on: date | None
    expires_on: date | None
    ended_on: date | None


@dataclass(eq=False, slots=True)
class Insurance:
    """A stored nursing insurance."""

    pk: int
    starts_on: date | None
    ends_on: date | None


@dataclass
class FamilyPlan:
    """What the workbook would do. Indices are of table records; refused ones do nothing."""

    table: Table
    ground: Ground
    homes: Homes
    contacts: dict[Cell, Contact]  # of the cells that name one
    people: People = None
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    new: list[int] = field(default_factory=list)
    known: dict[int, Archive] = field(default_factory=dict)  # open ones
    closed: dict[int, Archive] = field(default_factory=dict)  # left as they are
    parents: dict[int, list[int]] = field(default_factory=dict)  # household → of a new archive
    changed: dict[int, dict[str, tuple[str, str]]] = field(default_factory=dict)  # key → old, new
    terms: dict[int, list[Term]] = field(default_factory=dict)  # archive → its terms
    current: dict[Cell, Term] = field(default_factory=dict)  # the cell's own term of the family
    begun: list[NewTerm] = field(default_factory=list)
    ended: dict[int, list[Term]] = field(default_factory=dict)  # record → terms that end
    cards: dict[int, list[Card]] = field(default_factory=dict)
    new_cards: dict[int, tuple[str, date | None]] = field(default_factory=dict)
    card_changes: dict[int, list[tuple[Card, dict[str, list]]]] = field(default_factory=dict)
    insurances: dict[int, list[Insurance]] = field(default_factory=dict)
    new_insurances: dict[int, date | None] = field(default_factory=dict)  # record → since when
    ended_insurances: dict[int, list[Insurance]] = field(default_factory=dict)

    def value(self, index: int, key: str) -> str:
        """The final value of a plain column: the cell, what is kept, or blank."""
        cell = self.table.columns[key][index]
        if cell is CLEAR:
            return PLAIN[key]
        if cell is None:
            archive = self.known.get(index)
            return getattr(archive, key) if archive else PLAIN[key]
        return cell

    def township(self, index: int) -> int:
        """The township in which the record's contacts are persons."""
        return self.homes.villages[index].parent_id

    def note(self, index: int, key: str, old: str, new: str) -> None:
        """Remember for the preview what a cell changes of a known archive."""
        if index in self.known:
            self.changed.setdefault(index, {})[key] = (old, new)

    def person_of(self, term: Term) -> Person:
        """Whose stored term it is."""
        return self.people.by_pk[term.person]
