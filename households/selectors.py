"""Reads of the registry that join several models for one page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Length

from fpadmin.accounts.models import Region
from fpadmin.audit.models import AuditEvent
from fpadmin.dates import years_before
from fpadmin.identity import half_width, normalise_id_number
from households import places
from households.life_events.kinds import PERSONAL
from households.life_events.plan import children_of
from households.models import (
    ChildRecord,
    EventChange,
    EventKind,
    Household,
    LifeEvent,
    Relation,
    Residence,
    Residency,
    Resident,
    Sex,
)

CHANGES_SHOWN = 100
NUMBER_WIDTH = Household._meta.get_field("number").max_length


@dataclass(frozen=True)
class Registered:
    """Somebody of a number: the resident if in the user's region, else only that there is one."""

    resident: Resident | None


@dataclass(frozen=True)
class Membership:
    """Everybody of a household, and what its head line says of those who live."""

    members: list[Resident]
    head: Resident | None
    living_count: int
    permanent_count: int
    hukou: str


@dataclass(frozen=True)
class Moved:
    """By which event, if any, the last people left a household, and for which one."""

    day: date
    event: LifeEvent | None
    household: Household
    visible: bool


def registered_with(user, number: str, *, except_pk: int | None = None) -> Registered | None:
    """Whether anybody holds `number`; who, only inside the user's region."""
    everybody = Resident.objects.with_id_number(number).exclude(pk=except_pk)
    if not everybody.exists():
        return None
    return Registered(everybody.visible_to(user).for_list().first())


def in_scope(user, number: str) -> Resident | None:
    """The resident of `number` inside the user's region."""
    return Resident.objects.visible_to(user).with_id_number(number).for_list().first()


def sight_of(user) -> Callable[[Resident], bool]:
    """Whether `user` sees a resident whose village is loaded; the same as visible_to(), without a query."""
    path = user.scope_path
    return lambda resident: bool(path) and resident.village.path.startswith(path)


def later_event(user, event: LifeEvent) -> LifeEvent | None:
    """The newest event in force, after `event`, of somebody whom it touched: what must be undone first."""
    touched = event.people.values("resident")
    return (
        LifeEvent.objects.visible_to(user)
        .in_force()
        .filter(Q(resident__in=touched) | Q(people__resident__in=touched), pk__gt=event.pk)
        .select_related("resident")
        .order_by("-pk")
        .first()
    )


def head_of(household: Household, *, except_pk: int | None = None) -> Resident | None:
    """The living head on the books, unless that is the person of `except_pk`."""
    heads = household.members.filter(
        relation=Relation.HEAD, death_date__isnull=True, departed_on__isnull=True
    )
    return heads.exclude(pk=except_pk).first()


def departed_with(number: str) -> Resident | None:
    """Whoever of `number` is no longer on the books, wherever that was, alive and not merged."""
    return (
        Resident.objects.with_id_number(number)
        .filter(departed_on__isnull=False, death_date__isnull=True, merged_into__isnull=True)
        .for_list()
        .select_related("household__village")
        .first()
    )


def area_name(number: str) -> str:
    """The county of a number's first six digits, where our region table has it."""
    found = Region.objects.filter(code=normalise_id_number(number)[:6]).first()
    return found.name if found else ""


def find_group(village: Region, text: str) -> Region | None:
    """The village's group of that name, number or code, as a workbook's column would find it."""
    return places.Directory(village).group(village, half_width(text).strip())


def villages_of(user, day: date):
    """Villages in force on `day` that the user may choose."""
    return (
        Region.objects.visible_to(user)
        .valid_on(day)
        .filter(level=Region.Level.VILLAGE)
        .order_by("code")
    )


def household_numbered(user, village: Region, typed: str) -> Household | None:
    """The village's household of that number, in the user's region.

    Leading zeros may be missing or too many where that leaves only one household.
    """
    number = half_width(typed).strip()
    numbers = [typed, number]
    if number.isascii() and number.isdigit():
        digits = number.lstrip("0") or "0"
        numbers += [digits.zfill(width) for width in range(len(digits), NUMBER_WIDTH + 1)]
    found = list(
        Household.objects.visible_to(user)
        .filter(village=village, number__in=numbers)
        .select_related("village", "group")
    )
    same = [household for household in found if household.number in (typed, number)]
    return (same or found)[0] if same or len(found) == 1 else None


def next_household_number(village: Region) -> str:
    """The number after the highest one of digits in the village, as wide as it; "" without one."""
    highest = (
        Household.objects.filter(village=village, number__regex=r"^[0-9]+$")
        .annotate(width=Length("number"))
        .order_by("-width", "-number")
        .values_list("number", flat=True)
        .first()
    )
    return str(int(highest) + 1).zfill(len(highest)) if highest else ""


def groups_of(user, village: Region | None):
    """Groups of a village of the user's, for a choice; none without a village."""
    if village is None:
        return Region.objects.none()
    return Region.objects.visible_to(user).filter(parent=village).order_by("code")


def membership_of(household: Household, day: date) -> Membership:
    """Everybody whose current household it is, living first, in order of relation and age.

    The sums are of `day`: the dead are listed but not counted. A record whose registration was
    taken back has no spell; it isn't listed.
    """
    order = {relation: place for place, (relation, _) in enumerate(Resident.relation.field.choices)}
    members = sorted(
        household.members.filter(
            Exists(Residency.objects.filter(resident=OuterRef("pk")))
        ).select_related("household", "village"),
        key=lambda m: (not m.is_registered_on(day), order[m.relation], m.birth_date, m.pk),
    )
    living = [m for m in members if m.is_registered_on(day)]
    return Membership(
        members=members,
        head=next((m for m in living if m.relation == Relation.HEAD), None),
        living_count=len(living),
        permanent_count=sum(m.residence == Residence.PERMANENT for m in living),
        hukou="、".join(sorted({m.hukou for m in living})),
    )


def moved_to(user, household: Household) -> Moved | None:
    """Where the last people of a household went that stands empty, if to another household."""
    ended = household.residencies.filter(ended_on__isnull=False).select_related("closed_by")
    last = ended.order_by("-ended_on", "-pk").first()
    if last is None:
        return None
    spells = Residency.objects.filter(resident=last.resident_id, started_on=last.ended_on)
    then = spells.exclude(household=household).select_related("household__village").first()
    if then is None:
        return None
    visible = Household.objects.visible_to(user).filter(pk=then.household_id).exists()
    return Moved(last.ended_on, last.closed_by, then.household, visible)


def spells_of(user, resident: Resident):
    """The resident's spells, newest first; those of households elsewhere too, without a link."""
    visible = Household.objects.visible_to(user).filter(
        pk__in=resident.residencies.values("household")
    )
    mine = set(visible.values_list("pk", flat=True))
    spells = list(
        Residency.objects.filter(resident=resident)
        .select_related("household", "village")
        .order_by("-started_on", "-pk")
    )
    spells.sort(key=lambda s: s.started_on or date.min, reverse=True)
    return [(spell, spell.household_id in mine) for spell in spells]


def relatives_of(user, resident: Resident) -> list[tuple[str, str, Resident | None]]:
    """(word, recorded number, resident) of spouse, parents and children.

    Somebody outside the user's region appears by the number that is recorded here alone.
    """
    ids = [resident.spouse_id, resident.father_id, resident.mother_id]
    people = Resident.objects.visible_to(user).for_list()
    known = people.in_bulk([pk for pk in ids if pk])
    relatives = [
        (word, getattr(resident, f"{link}_id_number"), known.get(getattr(resident, f"{link}_id")))
        for word, link in (("配偶", "spouse"), ("父亲", "father"), ("母亲", "mother"))
    ]
    relatives = [r for r in relatives if r[1] or r[2]]
    children = people.filter(Q(father=resident) | Q(mother=resident)).order_by("birth_date", "pk")
    return relatives + [
        (Relation.SON if c.sex == Sex.MALE else Relation.DAUGHTER, "", c) for c in children
    ]


def spells_in(household: Household) -> list[Residency]:
    """Spells that its members have had in this household."""
    return list(household.residencies.order_by("started_on", "pk"))


def events_of_people(user, people: Iterable[Resident]) -> list[LifeEvent]:
    """Events that touched any of the people, or bore their children; undone ones too."""
    pks = [p.pk for p in people]
    births = LifeEvent.objects.filter(kind=EventKind.BIRTH)
    return _for_timeline(
        user,
        LifeEvent.objects.filter(resident__in=pks),
        _touching(pks),
        births.filter(resident__mother__in=pks),
        births.filter(resident__father__in=pks),
    )


def events_of_household(user, household: Household, members: Iterable[Resident]) -> list[LifeEvent]:
    """Events recorded of the household, that somebody came or went by, or of a member's own life."""
    own = LifeEvent.objects.filter(household=household)
    lives = LifeEvent.objects.filter(kind__in=PERSONAL, pk__in=_touching([m.pk for m in members]))
    stays = Residency.objects.filter(household=household)
    return _for_timeline(
        user,
        own,
        lives,
        stays.filter(opened_by__isnull=False).values("opened_by"),
        stays.filter(closed_by__isnull=False).values("closed_by"),
    )


def _touching(pks: list[int]) -> QuerySet:
    return EventChange.objects.filter(resident__in=pks).values("event")


def _for_timeline(user, *found: QuerySet) -> list[LifeEvent]:
    """The events of several queries, each served by an index of its own; who undid what with them."""
    first, *others = (q.values("pk") if q.model is LifeEvent else q for q in found)
    people = EventChange.objects.defer("before", "after").select_related("resident").order_by("pk")
    spells = Residency.objects.select_related("household__village").order_by("pk")
    return list(
        LifeEvent.objects.visible_to(user)
        .filter(pk__in=first.order_by().union(*(q.order_by() for q in others)))
        .exclude(kind=EventKind.UNDO)
        .for_list()
        .prefetch_related(Prefetch("people", people), Prefetch("opened_spells", spells))
    )


def births_of(user, people: Iterable[Resident]):
    """Birth histories of the people, each record once, with the parents and children in scope."""
    pks = [p.pk for p in people]
    records = list(
        ChildRecord.objects.visible_to(user)
        .filter(Q(mother__in=pks) | Q(father__in=pks))
        .select_related("mother", "father", "child")
        .order_by("mother", "father", "order")
    )
    seen = Resident.objects.visible_to(user).filter(
        pk__in={pk for r in records for pk in (r.mother_id, r.father_id, r.child_id) if pk}
    )
    visible = set(seen.values_list("pk", flat=True))
    for record in records:
        record.visible_mother = record.mother if record.mother_id in visible else None
        record.visible_father = record.father if record.father_id in visible else None
        record.visible_child = record.child if record.child_id in visible else None
    return records


def next_order(parent: Resident, births: list[ChildRecord]) -> int:
    """孩次 of the next child: after every line of the history and every child that is registered."""
    highest = max((birth.order for birth in births), default=0)
    return 1 + max(len(births), highest, children_of(parent).count())


def parent_without_line(user, child: Resident) -> Resident | None:
    """The mother, or the father where no mother is known, whose birth history lacks this child."""
    parent = child.mother_id or (None if child.mother_id_number else child.father_id)
    if parent is None or ChildRecord.objects.filter(child=child).exists():
        return None
    return Resident.objects.visible_to(user).filter(pk=parent, merged_into__isnull=True).first()


def history_of(targets: list) -> QuerySet[AuditEvent]:
    """What was changed, revealed and registered on the targets, newest first; views left out."""
    wanted = Q(pk__in=[])
    for target in targets:
        wanted |= Q(target_type=target._meta.label_lower, target_id=str(target.pk))
    events = AuditEvent.objects.filter(wanted).exclude(type__endswith=".viewed")
    return events.order_by("-pk")[:CHANGES_SHOWN]


def registry_figures(user, day: date) -> dict[str, int]:
    """Plain counts for the home page, each the length of the list it leads to."""
    figures = (
        Resident.objects.visible_to(user)
        .registered_on(day)
        .aggregate(
            living=Count("pk"),
            inflow=Count("pk", filter=Q(residence=Residence.INFLOW)),
            outflow=Count("pk", filter=Q(residence=Residence.OUTFLOW)),
            aged_65=Count("pk", filter=Q(birth_date__lte=years_before(day, 65))),
        )
    )
    return figures | {"households": Household.objects.visible_to(user).count()}
