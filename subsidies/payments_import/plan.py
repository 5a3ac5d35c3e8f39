"""What a workbook of past payments would do, as far as it is decided."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from fpadmin.imports.kinds import Change, Doubt, Ground
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from subsidies.payments.periods import FIRST, WHOLE, benefit_months, slot_of
from subsidies.policies import catalogue
from subsidies.policies.catalogue import Policy
from subsidies.registered import Person

POLICY, NUMBER, YEAR, GRADE = "policy_code", "idno", "year", "grade"
START, MONTHS, AMOUNT, PAID_ON = "start_month", "months", "amount", "paid_on"
PAYEE, ACCOUNT, NOTE = "payee", "account", "note"

Slot = tuple[str, int, str]  # policy, person, what may be paid once


@dataclass(frozen=True, slots=True)
class Known:
    """A live line as stored; `number` and `is_history` are of its batch."""

    pk: int
    year: int
    pay_year: int
    grade: str
    months: int
    amount: Decimal
    name: str
    account: str  # its digest
    paid_on: date | None
    state: str
    basis: dict
    number: str
    is_history: bool

    @property
    def note(self) -> str:
        """What the file said beside it."""
        return self.basis.get("note", "")


@dataclass
class PaymentPlan:
    """What the workbook would do. Indices are of table records; none of them has an error."""

    table: Table
    ground: Ground
    digests: list[str]
    accounts: list[str]  # digests of the accounts given
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    places: dict[int, tuple[str, str]] = field(default_factory=dict)
    bits: dict[int, int] = field(default_factory=dict)
    stored: dict[Slot, list[Known]] = field(default_factory=dict)
    known: dict[int, Known] = field(default_factory=dict)
    new: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)  # known lines with another day

    def cell(self, key: str, index: int):
        """The typed value; None where it is blank or is to be cleared."""
        value = self.table.columns[key][index]
        return None if value is CLEAR else value

    def code(self, index: int) -> str:
        """The code of the record's policy."""
        return self.table.columns[POLICY][index]

    def policy(self, index: int) -> Policy:
        """The record's policy as shipped."""
        return catalogue.policy(self.code(index))

    def person(self, index: int) -> Person:
        """Who was paid."""
        return self.people[self.digests[index]]

    def path(self, index: int) -> str:
        """Of the village that the person lives in."""
        return self.places[self.person(index).village][0]

    def year(self, index: int) -> int:
        """The benefit year."""
        return self.table.columns[YEAR][index]

    def grade(self, index: int) -> str:
        """The grade or stage, "" where the policy has none."""
        return self.cell(GRADE, index) or ""

    def paid_on(self, index: int) -> date:
        """When the money arrived."""
        return self.table.columns[PAID_ON][index]

    def amount(self, index: int) -> Decimal:
        """Yuan."""
        return self.table.columns[AMOUNT][index]

    def slot(self, index: int) -> Slot:
        """What no two lines may pay the same months of."""
        slot = slot_of(self.policy(index), self.year(index), self.grade(index))
        return self.code(index), self.person(index).pk, slot

    def month_count(self, index: int) -> int:
        """How many months were paid, as lines of batches count them."""
        policy = self.policy(index)
        if policy.cycle == "month":
            return self.bits[index].bit_count()
        return 1 if policy.cycle == "once" else len(benefit_months(policy, self.year(index)))


def months_named(policy: Policy, year: int, start: date | None, count: int | None) -> int | None:
    """The months of the benefit year as bits: `count` from `start`, or from its first; None if outside.

    What is paid by the year or once has the first bit alone.
    """
    if policy.cycle != "month":
        return FIRST
    months = benefit_months(policy, year)
    if start is not None and start not in months:
        return None
    first = months.index(start) if start else 0
    last = first + (count or 0)
    if last > len(months):
        return None
    return (WHOLE >> (len(months) - last)) & ~((1 << first) - 1)
