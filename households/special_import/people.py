"""Which persons the cells of contacts mean, and what the file says anew of them.

A person is known by township, name and phone. Within a family a current contact of the same name is
the same person, and the cell then corrects his post, phone and kind: unless another row says otherwise.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q

from fpadmin.crypto import digest
from fpadmin.imports.reader import Table
from households.models import ContactPerson
from households.special_import.cells import Contact, folded, shown

Key = tuple[int, str, str]  # township, folded name, digest of the phone
Cell = tuple[int, str]  # record, column key
FIELDS = ("post", "phone", "kind")


@dataclass(eq=False)
class Person:
    """Somebody who contacts families, stored (with a pk) or to be made from `claims`."""

    region: int
    name: str
    post: str
    phone: str
    digest: str
    kind: str
    pk: int | None = None
    version: int = 0
    left_on: date | None = None
    claims: list[tuple[Cell, Contact]] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)  # field → its new value

    @property
    def key(self) -> Key:
        return self.region, folded(self.name), self.digest

    @property
    def shown(self) -> str:
        """For a preview: the phone masked."""
        return shown(self.name, self.post, self.phone, self.kind)

    def value(self, name: str) -> str:
        """The field as it will be."""
        return self.changes.get(name, getattr(self, name))


class People:
    """The persons of some townships, and those whom the file makes."""

    def __init__(self, townships: Iterable[int], others: Iterable[int]):
        """`others` are known persons who may stand in another township."""
        self.by_pk: dict[int, Person] = {}
        self.by_key: dict[Key, Person] = {}
        self.new: dict[Key, Person] = {}
        self.of: dict[Cell, Person] = {}
        rows = ContactPerson.objects.filter(
            Q(region__in=set(townships)) | Q(pk__in=set(others))
        ).order_by("pk")
        for row in rows:
            person = Person(
                row.region_id, row.name, row.post, row.phone, row.phone_digest, row.kind,
                pk=row.pk, version=row.row_version, left_on=row.left_on,
            )  # fmt: skip
            self.by_pk[row.pk] = person
            self.by_key.setdefault(person.key, person)

    def find(self, township: int, contact: Contact) -> Person | None:
        """The stored person of exactly this name and phone."""
        return self.by_key.get((township, contact.known_as, contact.digest))

    def bind(
        self,
        cells: list[tuple[Cell, int, Contact]],
        current: dict[Cell, Person],
    ) -> dict[Key, set[Person]]:
        """Give every cell its person; `current` are those of the family's own contacts.

        Returns key → stored persons who would have that key by the file's phone.
        """
        wanted: dict[Key, set[Person]] = defaultdict(set)
        for cell, _, contact in cells:
            person = current.get(cell)
            if person and contact.digest and contact.digest != person.digest:
                wanted[person.region, person.key[1], contact.digest].add(person)
        for cell, township, contact in cells:
            key = (township, contact.known_as, contact.digest)
            person = current.get(cell) or self.by_key.get(key)
            if person is None and wanted.get(key):
                person = min(wanted[key], key=lambda one: one.pk)
            if person is None:
                person = self.new.setdefault(
                    key,
                    Person(township, contact.name, "", contact.phone, contact.digest, contact.kind),
                )
            self.of[cell] = person
            person.claims.append((cell, contact))
        return wanted


def settle(people: People, table: Table, wanted: dict[Key, set[Person]]) -> None:
    """Decide what the file's good rows change of stored persons, and fill the new ones."""
    for person in dict.fromkeys(people.of.values()):
        person.claims = [(cell, c) for cell, c in person.claims if cell[0] not in table.bad]
        given = {
            name: list(dict.fromkeys(v for _, c in person.claims if (v := getattr(c, name))))
            for name in FIELDS
        }
        if person.pk is None:
            person.post = next(iter(given["post"]), "")
        elif not _disputed(people, person, given, wanted):
            person.changes = {
                name: values[0]
                for name, values in given.items()
                if values and values[0] != getattr(person, name)
            }
        for (index, column), contact in person.claims:
            if any((v := getattr(contact, name)) and v != person.value(name) for name in FIELDS):
                table.warn(
                    index, column, "contact_differs",
                    f"别的行里{contact.name}的单位职务、电话或类别与这里不同，没有改动他的登记。"
                    "请核对后到联系人里修改。",
                )  # fmt: skip


def _disputed(
    people: People, person: Person, given: dict[str, list], wanted: dict[Key, set[Person]]
) -> bool:
    """Whether rows say different things, or another person has or would have the new phone."""
    if any(len(values) > 1 for values in given.values()):
        return True
    if not given["phone"] or given["phone"][0] == person.phone:
        return False
    key = (person.region, person.key[1], digest(given["phone"][0]))
    return key in people.by_key or len(wanted[key]) > 1
