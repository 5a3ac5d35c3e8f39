"""Special families of invented counties: archives for most of them, with a year of contacts."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from django.db.models import F
from django.utils import timezone

from fpadmin import bulk
from fpadmin.accounts.demo import DEMO_ACCOUNTS
from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Role
from fpadmin.audit import log
from fpadmin.crypto import digest, encrypt
from fpadmin.dates import age_on, month_end
from households.demo.people import Family, name_of, phone_of
from households.models import (
    ChildRecord,
    ContactKind,
    ContactPerson,
    ContactRecord,
    FamilyContact,
    FamilyParent,
    MedicalCard,
    NursingInsurance,
    Relation,
    SpecialFamily,
)
from households.special import criteria

WITHOUT_ARCHIVE = 4  # one in so many has none yet, for the list of those who should
SETTLED = timedelta(90)  # an archive is opened so long after the death or the certificate
LOOKED_BACK = timedelta(365)  # of records
_POSTS = {
    ContactKind.LEADER: "镇分管领导", ContactKind.VILLAGE: "村委会主任", ContactKind.WORKER: "计生宣传员",
}  # fmt: skip
_DIFFICULTIES = ("养老缺人照料", "精神慰藉", "就医困难", "经济困难", "")
_FESTIVALS = (2, 9)  # months of 春节 and 中秋
PROPAGANDIST = next(a for a in DEMO_ACCOUNTS if a.role == Role.PROPAGANDIST)


@dataclass
class Home:
    """A household whom the criteria find."""

    household: int
    village: int
    township: int
    kind: str
    parents: list[int]
    since: date  # of the death or the certificate
    opened_on: date | None = None
    archive: int = 0


def bereave(families: list[Family], rng: Random, today: date) -> None:
    """Let the only child of one couple of the village have died, so that a small place has a family."""
    for family in families:
        births = family.births
        if len(births) == 1 and not births[0].child.registered and not births[0].disability_grade:
            mother = births[0].mother
            if births[0].death_date is None and 48 <= age_on(mother.birth_date, today) <= 75:
                births[0].death_date = max(
                    births[0].child.birth_date, today - timedelta(rng.randint(800, 3000))
                )
                return


def make_archives(*, seed: int, today: date, own: Region) -> int:
    """Archives, contacts, cards and records in the caller's transaction; returns how many archives.

    The contact of the village `own` has the name of the demonstration's propagandist.
    """
    rng = Random(f"{seed}:special")
    homes = [home for home in _found(today) if home.since + SETTLED < today]
    own_homes = {home.household for home in homes if home.village == own.pk}
    homes = [
        home
        for place, home in enumerate(homes, start=1)
        if place % WITHOUT_ARCHIVE or home.household in own_homes
    ]
    for home in homes:
        first = max(home.since + SETTLED, today - timedelta(4 * 365))
        home.opened_on = first + timedelta(rng.randint(0, (today - first).days // 2))
    people = _write_people(homes, own, rng)
    _write_archives(homes, rng)
    terms = _write_terms(homes, people)
    _write_records(homes, terms, rng, today)
    return len(homes)


def _found(today: date) -> list[Home]:
    """Households by their 户主 or 配偶: grown children who live with their parents have none of their own."""
    rows = criteria.found(today).filter(relation__in=[Relation.HEAD, Relation.SPOUSE])
    homes: dict[int, Home] = {}
    for household, village, township, kind, parent in rows.order_by("village_id", "pk").values_list(
        "household_id", "village_id", "village__parent_id", "found_kind", "resident_id"
    ):
        home = homes.setdefault(household, Home(household, village, township, kind, [], date.min))
        home.parents.append(parent)
    parents = {parent: home for home in homes.values() for parent in home.parents}
    for column in ("mother_id", "father_id"):
        days = ["death_date", "disability_date", "birth_date"]
        for parent, died, certified, born in bulk.lookup(ChildRecord, column, parents, days):
            home = parents[parent]
            home.since = max(home.since, died or certified or born)
    return list(homes.values())


def _write_people(homes: list[Home], own: Region, rng: Random) -> dict[tuple, int]:
    """(kind, region) → a leader of each township, a cadre and a worker of each village."""
    wanted: dict[tuple, int] = {}  # → township
    for home in homes:
        wanted[ContactKind.LEADER, home.township] = home.township
        wanted[ContactKind.VILLAGE, home.village] = home.township
        wanted[ContactKind.WORKER, home.village] = home.township
    ids = bulk.reserve_ids(ContactPerson, len(wanted))
    rows = []
    for pk, ((kind, region), township) in zip(ids, wanted.items(), strict=True):
        is_own = kind == ContactKind.WORKER and region == own.pk
        name = PROPAGANDIST.name if is_own else name_of(rng, rng.choice("男女"))
        phone = phone_of(rng)
        sealed = encrypt(phone, context="households_contactperson.phone")
        rows.append((pk, township, name, _POSTS[kind], sealed, digest(phone), str(kind), 0))
    columns = ["id", "region_id", "name", "post", "phone", "phone_digest", "kind", "row_version"]
    bulk.insert(ContactPerson, columns, rows)
    return dict(zip(wanted, ids, strict=True))


def _write_archives(homes: list[Home], rng: Random) -> None:
    for pk, home in zip(bulk.reserve_ids(SpecialFamily, len(homes)), homes, strict=True):
        home.archive = pk
    SpecialFamily.objects.bulk_create(
        (
            SpecialFamily(
                pk=home.archive, household_id=home.household, kind=home.kind,
                opened_on=home.opened_on, difficulties=rng.choice(_DIFFICULTIES),
            )
            for home in homes
        ),
        batch_size=500,
    )  # fmt: skip
    bulk.insert(
        FamilyParent,
        ["family_id", "resident_id", "started_on"],
        ((home.archive, parent, home.opened_on) for home in homes for parent in home.parents),
    )
    bulk.insert(
        MedicalCard,
        ["family_id", "number", "issued_on", "end_reason"],
        [
            (home.archive, f"YK{home.archive:06d}", home.opened_on + timedelta(30), "")
            for home in homes
            if rng.random() < 0.9
        ],
    )
    bulk.insert(
        NursingInsurance,
        ["family_id", "insurer", "policy_number", "starts_on"],
        [(home.archive, "", "", None) for home in homes if rng.random() < 0.7],
    )


def _write_terms(homes: list[Home], people: dict[tuple, int]) -> dict[int, list[int]]:
    """Archive → its three terms."""
    rows = [
        (home.archive, people[kind, home.township if kind == ContactKind.LEADER else home.village],
         home.opened_on, "")
        for home in homes
        for kind in _POSTS
    ]  # fmt: skip
    ids = bulk.reserve_ids(FamilyContact, len(rows))
    bulk.insert(
        FamilyContact,
        ["id", "family_id", "person_id", "started_on", "end_reason"],
        [(pk, *row) for pk, row in zip(ids, rows, strict=True)],
    )
    terms = defaultdict(list)
    for pk, row in zip(ids, rows, strict=True):
        terms[row[0]].append(pk)
    return terms


def _write_records(
    homes: list[Home], terms: dict[int, list[int]], rng: Random, today: date
) -> None:
    now = timezone.now()
    columns = [
        "contact_id", "happened_on", "channel", "purpose", "request", "outcome", "recorded_on",
        "created_at", "row_version", "void_reason",
    ]  # fmt: skip
    rows = [row for home in homes for row in _records(home, terms[home.archive], rng, today, now)]
    bulk.insert(ContactRecord, columns, rows)


def _records(
    home: Home, terms: list[int], rng: Random, today: date, now: datetime
) -> Iterator[tuple]:
    """One contact a month by turns; a month in thirty goes by without one, and this one may be due."""
    first = max(home.opened_on, today - LOOKED_BACK)
    for place in range(13):
        year, month = (
            first.year + (first.month - 1 + place) // 12,
            (first.month - 1 + place) % 12 + 1,
        )
        start, end = max(first, date(year, month, 1)), min(today, month_end(year, month))
        if start > end or rng.random() < 0.03:
            continue
        day = start + timedelta(rng.randint(0, (end - start).days))
        if end == today and rng.random() < 0.5:
            continue
        yield (
            terms[place % len(terms)], day, rng.choice(("入户", "入户", "电话", "微信")),
            "节日慰问" if month in _FESTIVALS else "日常联系", "", "已联系", day, now, 0, "",
        )  # fmt: skip


def link_propagandist(*, village: Region, by) -> bool:
    """Let the demonstration's propagandist be the contact of that name; whether that was new.

    A contact whom somebody has edited since stays as he is.
    """
    account = User.objects.filter(username=PROPAGANDIST.username, region=village).first()
    if account is None or ContactPerson.objects.filter(user=account).exists():
        return False
    person = ContactPerson.objects.filter(
        region=village.parent_id, name=account.name, user__isnull=True, row_version=0,
        terms__family__household__village=village,
    ).first()  # fmt: skip
    if person is None:
        return False
    ContactPerson.objects.filter(pk=person.pk).update(
        user=account, row_version=F("row_version") + 1
    )
    log.record(
        "special.person_changed",
        by=by,
        target=person,
        region_path=village.parent.path,
        changes={"fields": ["user"]},
    )
    return True
