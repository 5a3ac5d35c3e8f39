"""Writes an invented registry in bulk: one transaction, village by village, memory bounded by one village."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.crypto import digest, encrypt
from households.demo.people import Birth, Family, IdNumbers, Person
from households.demo.places import GROUPS_PER_VILLAGE, Place
from households.demo.population import Village, families
from households.demo.special import bereave, make_archives
from households.models import ChildRecord, Household, LowIncomeSpell, Residency, Resident
from households.rules import name_initials

KNOWN_BIRTH_START = timedelta(6 * 365)  # of whom the registry knows since when they are here

HOUSEHOLD = ("id", "village_id", "group_id", "number", "address", "row_version", "created_at")
LOW_INCOME = ("household_id", "started_on", "ended_on")
SPELL = (
    "resident_id", "household_id", "village_id", "relation", "residence", "hukou",
    "hukou_region_code", "started_on", "ended_on", "reason",
)  # fmt: skip
RESIDENT = (
    "id", "name", "name_initials", "id_number", "id_number_digest", "sex", "birth_date", "death_date",
    "ethnicity", "household_id", "village_id", "relation", "hukou", "residence", "hukou_region_code",
    "marital", "first_marriage_date", "spouse_id", "spouse_id_number", "spouse_id_number_digest",
    "father_id", "father_id_number", "father_id_number_digest", "mother_id", "mother_id_number",
    "mother_id_number_digest", "education", "employment", "phone", "phone_digest",
    "only_child_cert_no", "only_child_cert_date", "disability_grade", "bank", "bank_account",
    "bank_account_digest", "note", "row_version", "created_at", "updated_at",
)  # fmt: skip
BIRTH = (
    "mother_id", "mother_id_number", "mother_id_number_digest", "father_id", "father_id_number",
    "father_id_number_digest", "child_id", "child_name", "child_id_number", "child_id_number_digest",
    "sex", "birth_date", "order", "origin", "within_policy", "hospital", "birth_certificate_no",
    "survival", "death_date", "disability_grade", "disability_date", "row_version", "created_at",
)  # fmt: skip


def load(
    places: list[Place], *, seed: int, today: date, by, progress: Callable[[int, int], None]
) -> dict[str, int]:
    """Invents the people of `places` (see places.plan) with their households and births; all or none.

    The same places, seed and day give the same people. Returns the counts of what was written.
    """
    counts = {"regions": 0, "households": 0, "residents": 0, "births": 0, "archives": 0}
    residents = sum(place.people for place in places)
    now = timezone.now()
    with transaction.atomic():
        _check_keys_at_once()
        regions = make_regions(places)
        counts["regions"] = len(regions)
        numbers: dict[str, IdNumbers] = {}
        for place in places:
            if not place.people:
                continue
            area = place.code[:6]
            if area not in numbers:
                numbers = {area: IdNumbers()}  # a finished county's numbers are forgotten
            rng = Random(f"{seed}:{place.code}")
            made = list(families(Village(rng, area, today, numbers[area]), place.people))
            if not counts["residents"]:  # the village of the demonstration's accounts
                own = regions[place.code]
                bereave(made, rng, today)
            births = _write_village(made, place, regions, now, today)
            counts["households"] += len(made)
            counts["residents"] += place.people
            counts["births"] += births
            progress(counts["residents"], residents)
        # Without statistics the search for families among so many new rows goes person by person.
        bulk.analyze(Resident, Residency, ChildRecord, Household, rows=residents)
        counts["archives"] = make_archives(seed=seed, today=today, own=own)
        log.record("demo.loaded", by=by, region_path=regions["53"].path, count=residents)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return counts


def _check_keys_at_once() -> None:
    """Foreign keys are checked with each statement, else a million checks queue up for the commit."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def make_regions(places: list[Place]) -> dict[str, Region]:
    """All places by code; those that exist already are kept as they are."""
    codes = [place.code for place in places]
    regions: dict[str, Region] = {}
    for start in range(0, len(codes), 500):
        found = Region.objects.filter(code__in=codes[start : start + 500])
        regions |= {region.code: region for region in found}
    for level in Region.Level.values:
        made = []
        for place in places:
            if place.level == level and place.code not in regions:
                parent = regions.get(_parent_code(place))
                path = f"{parent.path if parent else ''}{place.code}."
                made.append(
                    Region(
                        code=place.code, name=place.name, level=level, parent=parent, path=path,
                        urban_rural=place.urban_rural,
                    )
                )  # fmt: skip
        regions |= {r.code: r for r in Region.objects.bulk_create(made, batch_size=500)}
    return regions


def _parent_code(place: Place) -> str:
    return place.code[: {1: 0, 2: 2, 3: 4, 4: 6, 5: 9, 6: 12}[place.level]]


def _write_village(
    made: list[Family], place: Place, regions: dict[str, Region], now: datetime, today: date
) -> int:
    """Households, people, spells and births of one village. Returns the number of births."""
    village = regions[place.code].pk
    groups = [regions[f"{place.code}{g:02d}"].pk for g in range(1, GROUPS_PER_VILLAGE + 1)]
    household_ids = bulk.reserve_ids(Household, len(made))
    people = [person for family in made for person in family.people]
    for pk, person in zip(bulk.reserve_ids(Resident, len(people)), people, strict=True):
        person.pk = pk
    by_household = list(zip(household_ids, made, strict=True))
    births = [birth for family in made for birth in family.births]
    bulk.insert(
        Household,
        HOUSEHOLD,
        (
            (pk, village, groups[family.group], family.number, "", 0, now)
            for pk, family in by_household
        ),
    )
    bulk.insert(
        LowIncomeSpell,
        LOW_INCOME,
        ((pk, family.low_income_since, None) for pk, family in by_household if family.low_income),
    )
    bulk.insert(
        Resident,
        RESIDENT,
        (
            _resident_row(person, pk, village, now)
            for pk, family in by_household
            for person in family.people
        ),
    )
    bulk.insert(
        Residency,
        SPELL,
        (
            row
            for pk, family in by_household
            for person in family.people
            for row in _spell_rows(person, pk, village, today)
        ),
    )
    bulk.insert(ChildRecord, BIRTH, (_birth_row(birth, now) for birth in births))
    return len(births)


def _sealed(value: str, column: str) -> str:
    return encrypt(value, context=f"households_{column}")


def _link(person: Person | None, column: str) -> tuple[Any, str, str]:
    """Key, sealed number and digest of a relative who may be registered, known by number, or nobody."""
    if person is None:
        return None, "", ""
    key = person.pk if person.registered else None
    return key, _sealed(person.id_number, column), digest(person.id_number)


def _resident_row(person: Person, household: int, village: int, now: datetime) -> tuple:
    p = person
    return (
        p.pk, p.name, name_initials(p.name), _sealed(p.id_number, "resident.id_number"),
        digest(p.id_number) or None, p.sex, p.birth_date, p.death_date, p.ethnicity, household, village,
        p.relation, p.hukou, p.residence, p.hukou_region_code, p.marital, p.first_marriage_date,
        *_link(p.spouse, "resident.spouse_id_number"),
        *_link(p.father, "resident.father_id_number"),
        *_link(p.mother, "resident.mother_id_number"),
        p.education, p.employment, _sealed(p.phone, "resident.phone"), digest(p.phone),
        p.only_child_cert_no, p.only_child_cert_date, p.disability_grade, p.bank,
        _sealed(p.bank_account, "resident.bank_account"), digest(p.bank_account), "", 0, now, now,
    )  # fmt: skip


def _spell_rows(person: Person, household: int, village: int, today: date) -> Iterator[tuple]:
    """One spell, or two where somebody left: at home until then, away since."""
    started = person.birth_date if today - person.birth_date < KNOWN_BIRTH_START else None
    head = (person.pk, household, village, person.relation)
    tail = (person.hukou, person.hukou_region_code)
    if person.residence == "流出":
        yield (*head, "常住", *tail, started, person.moved_on, "")
        started = person.moved_on
    elif person.residence == "流入":
        started = person.moved_on
    yield (*head, person.residence, *tail, started, None, "")


def _birth_row(birth: Birth, now: datetime) -> tuple:
    child = birth.child
    return (
        *_link(birth.mother, "childrecord.mother_id_number"),
        *_link(birth.father, "childrecord.father_id_number"),
        child.pk if child.registered else None, child.name,
        _sealed(child.id_number, "childrecord.child_id_number"), digest(child.id_number), child.sex,
        child.birth_date, birth.order, birth.origin, birth.within_policy, birth.hospital, "",
        "死亡" if birth.death_date else "存活", birth.death_date, birth.disability_grade,
        birth.disability_date, 0, now,
    )  # fmt: skip
