"""Writes an import of archives in bulk: persons, archives, parents, terms, cards, insurances."""

from itertools import islice

from fpadmin import bulk
from fpadmin.audit import log
from fpadmin.crypto import digest, encryptor
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import changed_meanwhile
from households.models import (
    ContactPerson,
    FamilyContact,
    FamilyParent,
    MedicalCard,
    NursingInsurance,
    SpecialFamily,
)
from households.special_import.plan import CONTACTS, PLAIN, FamilyPlan

HANDED_OVER, ENDED = "交接", "导入时清空"
_CHUNK = 500
_FIELDS = {
    "medical_card_no": "medical_cards", "medical_card_date": "medical_cards",
    "nursing_insurance": "nursing_insurances",
} | dict.fromkeys(CONTACTS, "contacts")  # fmt: skip


def write_families(plan: FamilyPlan, journal: Journal) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of changed records."""
    _claim(plan, journal)
    entries = _write_people(plan, journal)
    archives = _write_archives(plan, journal)
    _write_terms(plan, journal, archives)
    _write_cards(plan, journal, archives)
    _write_insurances(plan, journal, archives)
    return [
        *entries,
        *(
            log.Entry(
                "special.imported", "households.specialfamily", str(plan.known[index].pk),
                plan.homes.villages[index].path,
                {"fields": sorted({_FIELDS.get(key, key) for key in keys})},
            )
            for index, keys in plan.changed.items()
        ),
    ]  # fmt: skip


def _claim(plan: FamilyPlan, journal: Journal) -> None:
    """Hold the changed archives; whoever changed their contacts meanwhile is not overwritten."""
    archives = [plan.known[index] for index in plan.changed]
    if not bulk.claim(SpecialFamily, {one.pk: one.version for one in archives}):
        raise changed_meanwhile()
    remaining = iter([one.pk for one in archives])
    while some := list(islice(remaining, _CHUNK)):
        rows = FamilyContact.objects.filter(family__in=some, ended_on__isnull=True)
        planned = {t.pk for pk in some for t in plan.terms.get(pk, ()) if t.ended_on is None}
        if set(rows.order_by().values_list("pk", flat=True)) != planned:
            raise changed_meanwhile()
    changed = [
        (plan.known[index], {key: [old] for key, (old, _) in keys.items() if key in PLAIN})
        for index, keys in plan.changed.items()
    ]
    journal.changed(SpecialFamily, [(one.pk, one.version + 1, old) for one, old in changed])
    bulk.update(
        SpecialFamily,
        list(PLAIN),
        [(plan.known[i].pk, *(plan.value(i, key) for key in PLAIN)) for i in plan.changed],
    )


def _write_people(plan: FamilyPlan, journal: Journal) -> list[log.Entry]:
    """New persons and corrections of known ones; no account is ever linked by a name."""
    people = [person for person in plan.people.new.values() if person.claims]
    seal = encryptor("households_contactperson.phone")
    for pk, person in zip(bulk.reserve_ids(ContactPerson, len(people)), people, strict=True):
        person.pk = pk
    bulk.insert(
        ContactPerson,
        ["id", "region_id", "name", "post", "phone", "phone_digest", "kind", "row_version"],
        [(p.pk, p.region, p.name, p.post, seal(p.phone), p.digest, p.kind, 0) for p in people],
    )
    journal.created(ContactPerson, [person.pk for person in people])
    return _correct_people(plan, journal)


def _correct_people(plan: FamilyPlan, journal: Journal) -> list[log.Entry]:
    people = [person for person in plan.people.by_pk.values() if person.changes]
    if not bulk.claim(ContactPerson, {person.pk: person.version for person in people}):
        raise changed_meanwhile()
    journal.changed(ContactPerson, [(p.pk, p.version + 1, _before(p)) for p in people])
    seal = encryptor("households_contactperson.phone")
    bulk.update(
        ContactPerson,
        ["post", "phone", "phone_digest", "kind"],
        [
            (
                p.pk,
                p.value("post"),
                seal(p.value("phone")),
                digest(p.value("phone")),
                p.value("kind"),
            )
            for p in people
        ],
    )
    paths = dict(
        ContactPerson.objects.filter(pk__in=[p.pk for p in people]).values_list(
            "pk", "region__path"
        )
    )
    return [
        log.Entry(
            "special.person_changed", "households.contactperson", str(person.pk),
            paths[person.pk], {"fields": sorted(person.changes)},
        )
        for person in people
    ]  # fmt: skip


def _before(person) -> dict[str, list]:
    old = {name: [getattr(person, name)] for name in person.changes}
    if "phone" in old:
        old["phone_digest"] = [person.digest]
    return old


def _write_archives(plan: FamilyPlan, journal: Journal) -> dict[int, int]:
    """New archives and their parents; returns the archive of every record."""
    ids = bulk.reserve_ids(SpecialFamily, len(plan.new))
    homes, opened = plan.homes.households, plan.table.columns["opened_on"]
    SpecialFamily.objects.bulk_create(
        (
            SpecialFamily(
                pk=pk, household_id=homes[index], opened_on=opened[index],
                **{key: plan.value(index, key) for key in PLAIN},
            )
            for pk, index in zip(ids, plan.new, strict=True)
        ),
        batch_size=_CHUNK,
    )  # fmt: skip
    journal.created(SpecialFamily, ids)
    parents = [
        (pk, person, opened[index])
        for pk, index in zip(ids, plan.new, strict=True)
        for person in plan.parents[homes[index]]
    ]
    keys = bulk.reserve_ids(FamilyParent, len(parents))
    bulk.insert(
        FamilyParent,
        ["id", "family_id", "resident_id", "started_on"],
        [(key, *row) for key, row in zip(keys, parents, strict=True)],
    )
    journal.created(FamilyParent, keys)
    known = {index: archive.pk for index, archive in plan.known.items()}
    return known | dict(zip(plan.new, ids, strict=True))


def _write_terms(plan: FamilyPlan, journal: Journal, archives: dict[int, int]) -> None:
    """Old terms end before new ones begin: a family has each person once at a time."""
    on, good = plan.ground.on, archives.keys()
    begun = [new for new in plan.begun if new.cell[0] in good]
    followed = {new.follows for new in begun}
    ended = [
        (term.pk, on, HANDED_OVER if term.pk in followed else ENDED)
        for index, terms in plan.ended.items()
        if index in good
        for term in terms
    ]
    journal.changed(
        FamilyContact,
        [(pk, None, {"ended_on": [None, day], "end_reason": ["", why]}) for pk, day, why in ended],
    )
    bulk.update(FamilyContact, ["ended_on", "end_reason"], ended)
    keys = bulk.reserve_ids(FamilyContact, len(begun))
    bulk.insert(
        FamilyContact,
        ["id", "family_id", "person_id", "started_on", "end_reason", "follows_id"],
        [
            (
                key, archives[new.cell[0]], plan.people.of[new.cell].pk, new.started_on, "",
                new.follows,
            )
            for key, new in zip(keys, begun, strict=True)
        ],
    )  # fmt: skip
    journal.created(FamilyContact, keys)


def _write_cards(plan: FamilyPlan, journal: Journal, archives: dict[int, int]) -> None:
    new = [(archives[index], *card) for index, card in plan.new_cards.items() if index in archives]
    keys = bulk.reserve_ids(MedicalCard, len(new))
    bulk.insert(
        MedicalCard,
        ["id", "family_id", "number", "issued_on", "end_reason"],
        [(key, *card, "") for key, card in zip(keys, new, strict=True)],
    )
    journal.created(MedicalCard, keys)
    changed = [
        (card, values)
        for index, changes in plan.card_changes.items()
        if index in archives
        for card, values in changes
    ]
    journal.changed(MedicalCard, [(card.pk, None, values) for card, values in changed])
    for columns in (("issued_on",), ("ended_on", "end_reason")):
        rows = [
            (card.pk, *(values[name][1] for name in columns))
            for card, values in changed
            if columns[0] in values
        ]
        bulk.update(MedicalCard, columns, rows)


def _write_insurances(plan: FamilyPlan, journal: Journal, archives: dict[int, int]) -> None:
    new = [(archives[i], since) for i, since in plan.new_insurances.items() if i in archives]
    keys = bulk.reserve_ids(NursingInsurance, len(new))
    bulk.insert(
        NursingInsurance,
        ["id", "family_id", "starts_on", "insurer", "policy_number"],
        [(key, *row, "", "") for key, row in zip(keys, new, strict=True)],
    )
    journal.created(NursingInsurance, keys)
    on = plan.ground.on
    ended = [
        one for index, some in plan.ended_insurances.items() if index in archives for one in some
    ]
    journal.changed(
        NursingInsurance, [(one.pk, None, {"ends_on": [one.ends_on, on]}) for one in ended]
    )
    bulk.update(NursingInsurance, ["ends_on"], [(one.pk, on) for one in ended])
