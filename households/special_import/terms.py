"""Contacts of known archives: who stays, who is handed over from whom, who ends.

A cell's place among 联系人1 to 3 is that of a chain of terms, each following the last, so that the same
file means the same the second time. A blank cell keeps whoever stands in its place.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from itertools import islice

from django.db.models import Max

from fpadmin import bulk
from fpadmin.imports.widgets import CLEAR
from households.models import ContactRecord, FamilyContact
from households.special_import.cells import Contact
from households.special_import.people import Cell, People, settle
from households.special_import.plan import CONTACTS, FamilyPlan, NewTerm, Term

TWICE = "同一位联系人写了两次。请改填另一位，或留空。"
_CHUNK = 500
_COLUMNS = ["id", "person_id", "started_on", "ended_on", "follows_id"]


def plan_contacts(plan: FamilyPlan) -> None:
    """Decide the terms that begin and end, and whom every cell means."""
    terms = defaultdict(list)
    families = {archive.pk for archive in plan.known.values()}
    for family, *row in bulk.lookup(FamilyContact, "family_id", families, _COLUMNS):
        terms[family].append(Term(*row))
    plan.terms = terms
    townships = {plan.township(i) for i in plan.table.good()}
    plan.people = People(townships, {t.person for some in terms.values() for t in some})
    for index in plan.table.good():
        if index in plan.new:
            opened_on = plan.table.columns["opened_on"][index]
            plan.begun += [NewTerm((index, key), opened_on) for key, _ in _named(plan, index)]
        elif index in plan.known:
            _Family(plan, index).decide()
    _refuse_ends(plan)
    cells = [
        ((index, key), plan.township(index), contact)
        for index in plan.table.good()
        if index not in plan.closed
        for key, contact in _named(plan, index)
    ]
    current = {cell: plan.person_of(term) for cell, term in plan.current.items()}
    wanted = plan.people.bind(cells, current)
    _refuse_beginnings(plan)
    settle(plan.people, plan.table, wanted)
    _note_corrections(plan)


def _named(plan: FamilyPlan, index: int) -> list[tuple[str, Contact]]:
    return [(key, plan.contacts[index, key]) for key in CONTACTS if (index, key) in plan.contacts]


class _Family:
    """One known archive: its chains of terms against the three cells."""

    def __init__(self, plan: FamilyPlan, index: int):
        self.plan, self.index, self.on = plan, index, plan.ground.on
        self.archive = plan.known[index]
        self.cells = [plan.table.columns[key][index] for key in CONTACTS]
        self.contacts = [plan.contacts.get((index, key)) for key in CONTACTS]
        self.chains = _chains(plan.terms[self.archive.pk])
        self.left = [chain[-1] for chain in self.chains if chain[-1].ended_on is None]
        # Whoever stands in the place of a blank cell stays.
        self.kept = [
            self.chains[place][-1]
            for place, cell in enumerate(self.cells)
            if cell is None and place < len(self.chains)
        ]

    def decide(self) -> None:
        """Match the cells with current terms; what is left of both begins and ends."""
        named = self._match()
        for place, contact in enumerate(self.contacts):
            if contact and place not in named:
                self._begin(place)
        for place, cell in enumerate(self.cells):
            if cell is CLEAR:
                self._clear(place)

    def _match(self) -> set[int]:
        """Cells of a current contact: by name and phone first, by name alone then."""
        matched: set[int] = set()
        for exactly in (True, False):
            for place, contact in enumerate(self.contacts):
                if contact is None or place in matched:
                    continue
                term = self._same(contact, exactly)
                if term:
                    self.plan.current[self.index, CONTACTS[place]] = term
                    self.left.remove(term)
                    matched.add(place)
        return matched

    def _same(self, contact: Contact, exactly: bool) -> Term | None:
        people, township = self.plan.people, self.plan.township(self.index)
        if not exactly and contact.digest and people.find(township, contact):
            return None  # somebody else of that name, whom the township knows by this phone
        for term in self.left:
            person = self.plan.person_of(term)
            if person.key[1] == contact.known_as and (
                not exactly or person.digest == contact.digest
            ):
                return term
        return None

    def _begin(self, place: int) -> None:
        """A new contact: takes over from whoever is no longer named, else comes in addition."""
        plan, cell = self.plan, (self.index, CONTACTS[place])
        old = self._replaced(place)
        if old is None:
            # Whom the office never named in this place has been there since the archive was opened.
            first = place >= len(self.chains) and not self._served(plan.contacts[cell])
            started_on = self.archive.opened_on if first else self.on
            plan.begun.append(NewTerm(cell, started_on))
            if started_on < self.archive.opened_on:
                self._refuse(cell, f"变动日期不能早于建档日期{self.archive.opened_on}。请改。")
            plan.note(self.index, cell[1], "", plan.contacts[cell].shown)
            return
        plan.begun.append(NewTerm(cell, self.on, follows=old.pk))
        self._end(old)
        plan.note(self.index, cell[1], plan.person_of(old).shown, plan.contacts[cell].shown)

    def _served(self, contact: Contact) -> bool:
        """Whether the person was a contact of this family before."""
        person = self.plan.people.find(self.plan.township(self.index), contact)
        return person is not None and any(
            term.person == person.pk for term in self.plan.terms[self.archive.pk]
        )

    def _replaced(self, place: int) -> Term | None:
        """The current term in this place, else the first that no cell names and no blank keeps."""
        own = self.chains[place][-1] if place < len(self.chains) else None
        if own in self.left:
            return own
        return next((term for term in self.left if term not in self.kept), None)

    def _clear(self, place: int) -> None:
        """清空 ends the term in this place, or the one of the first three that no cell names."""
        firsts = [chain[-1] for chain in self.chains[: len(CONTACTS)]]
        own = firsts[place] if place < len(firsts) else None
        if own not in self.left:
            free = (t for t in firsts if t in self.left and t not in self.kept)
            own = next(free, None)
        if own is None:
            return
        self._end(own)
        cell = (self.index, CONTACTS[place])
        if not (self.left or any(self.contacts)):
            self.plan.table.error(
                self.index, cell[1], "last_contact",
                "清空后这一户就没有联系人了。请改填接替的人，或保留一位。",
            )  # fmt: skip
        self.plan.note(self.index, cell[1], self.plan.person_of(own).shown, "")

    def _end(self, term: Term) -> None:
        self.left.remove(term)
        self.plan.ended.setdefault(self.index, []).append(term)

    def _refuse(self, cell: Cell, message: str) -> None:
        self.plan.table.error(*cell, "contact_day", message)


def _chains(terms: Iterable[Term]) -> list[list[Term]]:
    """Terms by hand-over, the chains in the order of their first terms."""
    chain_of: dict[int, list[Term]] = {}
    chains = []
    for term in sorted(terms, key=lambda t: (t.follows is not None, t.started_on, t.pk)):
        if term.follows in chain_of:
            chain = chain_of[term.follows]
        else:
            chains.append(chain := [])
        chain.append(term)
        chain_of[term.pk] = chain
    return chains


def _refuse_ends(plan: FamilyPlan) -> None:
    """A term ends on the day asked: not before it began, nor before its last record."""
    last = _last_records([t.pk for terms in plan.ended.values() for t in terms])
    on = plan.ground.on
    for index, terms in plan.ended.items():
        for term in terms:
            name = plan.person_of(term).name
            key = _cell_that_ends(plan, index, term)
            if on < term.started_on:
                plan.table.error(
                    index, key, "contact_day",
                    f"{name}从{term.started_on}起才是联系人，不能在变动日期{on}交接。请改变动日期。",
                )  # fmt: skip
            elif term.pk in last and last[term.pk] > on:
                plan.table.error(
                    index, key, "contact_day",
                    f"{name}到{last[term.pk]}还有联系记录，不能在变动日期{on}交接。请改变动日期。",
                )  # fmt: skip


def _cell_that_ends(plan: FamilyPlan, index: int, term: Term) -> str:
    for new in plan.begun:
        if new.follows == term.pk:
            return new.cell[1]
    cells = plan.table.columns
    return next(key for key in CONTACTS if cells[key][index] is CLEAR)


def _last_records(terms: list[int]) -> dict[int, date]:
    """Term → the day of its last record, taken-back ones too: these stay within it as well."""
    found: dict[int, date] = {}
    remaining = iter(terms)
    while some := list(islice(remaining, _CHUNK)):
        rows = ContactRecord.objects.filter(contact__in=some).order_by().values_list("contact")
        found |= dict(rows.annotate(last=Max("happened_on")))
    return found


def _refuse_beginnings(plan: FamilyPlan) -> None:
    """Nobody begins who has left the office, or is or was a contact of the family on that day."""
    seen = set()
    for new in plan.begun:
        (index, key), day = new.cell, new.started_on
        if index in plan.table.bad:
            continue
        person = plan.people.of[new.cell]
        if (index, person) in seen:
            plan.table.error(index, key, "contact_twice", TWICE)
        seen.add((index, person))
        if person.left_on and person.left_on <= day:
            plan.table.error(
                index, key, "contact_left", f"{person.name}已于{person.left_on}离岗。请填接替的人。"
            )
        archive = plan.known.get(index)
        for term in plan.terms[archive.pk] if archive else ():
            overlaps = term.ended_on is None or term.ended_on > day or term.started_on == day
            if person.pk == term.person and overlaps:
                plan.table.error(
                    index, key, "contact_day",
                    f"{person.name}在{day}已经是这一户的联系人。请核对，或改变动日期。",
                )  # fmt: skip
                break


def _note_corrections(plan: FamilyPlan) -> None:
    for (index, key), person in plan.people.of.items():
        if person.changes and (index, key) in plan.current and index not in plan.table.bad:
            plan.note(index, key, person.shown, plan.contacts[index, key].shown)
