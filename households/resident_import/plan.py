"""What an import of residents would do: the records, the people they are, and what differs."""

from dataclasses import dataclass, field
from datetime import date

from fpadmin.accounts.models import Region
from fpadmin.imports.kinds import Change, Doubt, Ground
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from households.models import (
    Residency,
)

# Workbook columns kept as they are under the same name: key → the value of a blank cell.
PLAIN = {
    "name": "", "sex": "", "birth_date": None, "death_date": None, "ethnicity": "", "relation": "",
    "hukou": "", "residence": "", "hukou_region_code": "", "marital": "",
    "first_marriage_date": None, "education": "", "employment": "", "only_child_cert_no": "",
    "only_child_cert_date": None, "disability_grade": "", "bank": "", "note": "",
}  # fmt: skip
# Encrypted columns, compared by digest: workbook key → database column.
SECRET = {
    "idno": "id_number", "spouse_idno": "spouse_id_number", "father_idno": "father_id_number",
    "mother_idno": "mother_id_number", "phone": "phone", "bank_account": "bank_account",
}  # fmt: skip
LINKS = {"spouse_idno": "spouse", "father_idno": "father", "mother_idno": "mother"}
# Needed of every known person, whether or not anything differs.
KEPT = ("death_date", "hukou_region_code", "departed_on")
STORED = (
    "id", "village_id", "household_id", *KEPT,
    *(key for key in PLAIN if key not in KEPT), *(f"{c}_digest" for c in SECRET.values()),
    "name_initials", "row_version",
)  # fmt: skip
AT = {name: position for position, name in enumerate(STORED)}


@dataclass(slots=True)
class Person:
    """A known resident: where, whether dead or departed, and, only where something differs, all as stored."""

    pk: int
    household_id: int
    death_date: date | None
    hukou_region_code: str
    departed_on: date | None = None
    elsewhere: bool = False  # left the books of another office
    stored: tuple = ()  # a row of STORED

    def value(self, key: str):
        return self.stored[AT[key]]

    def digest(self, key: str) -> str:
        return self.stored[AT[f"{SECRET[key]}_digest"]] or ""


@dataclass
class ResidentPlan:
    """What the workbook would do. Indices are of table records; none of them has an error."""

    table: Table
    ground: Ground
    villages: list[Region | None]
    groups: list[Region | None]
    digests: dict[str, list[str]]
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    new: list[int] = field(default_factory=list)
    known: dict[int, Person] = field(default_factory=dict)  # record → the person it is
    changed: dict[int, list[str]] = field(default_factory=dict)  # record → keys that differ
    households: dict[tuple[int, str], tuple[int, int | None]] = field(default_factory=dict)
    new_households: dict[tuple[int, str], int] = field(default_factory=dict)  # → a record of it
    regrouped: dict[int, int] = field(default_factory=dict)  # household id → group id
    spells: dict[int, Residency] = field(default_factory=dict)  # person → the open spell
    low_income: dict[tuple[int, str], bool] = field(default_factory=dict)  # what changes
    people: dict[str, int] = field(default_factory=dict)  # digest → registered person

    def household_key(self, index: int) -> tuple[int, str]:
        return self.villages[index].pk, self.table.columns["household_no"][index]

    def returns(self, index: int) -> bool:
        """Whether the record brings somebody back who had left the books: a new stay begins."""
        person = self.known.get(index)
        gone = person is not None and person.departed_on is not None
        return gone and self.value(index, "death_date") is None

    def stays_away(self, index: int) -> bool:
        """Whether the record is of somebody who left the books and has died: no stay begins."""
        person = self.known.get(index)
        gone = person is not None and person.departed_on is not None
        return gone and self.value(index, "death_date") is not None

    def home(self, index: int) -> tuple[int, int]:
        """Household and village that the record leads to; who stays away keeps the last ones."""
        if self.stays_away(index):
            person = self.known[index]
            return person.household_id, person.value("village_id")
        return self.households[self.household_key(index)][0], self.villages[index].pk

    def value(self, index: int, key: str):
        """The final value of a plain column: the cell, what is kept, or blank."""
        cell = self.table.columns[key][index]
        if cell is CLEAR:
            return PLAIN[key]
        if cell is not None:
            return cell
        person = self.known.get(index)
        if person is None:
            return PLAIN[key]
        return getattr(person, key) if key in KEPT else person.value(key)
