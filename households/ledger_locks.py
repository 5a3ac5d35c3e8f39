"""What townships have locked of the ledger, and how the registry differs from it by now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import (
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.dates import Period
from fpadmin.imports.models import ImportEffect
from fpadmin.reporting.registry import Frozen, Span
from fpadmin.scoping import below
from households.counting import Place, upwards
from households.indicators import in_force_on
from households.models import EventChange, LedgerLock, LedgerMember, Resident, living
from households.movements import class_of, counted_on, eve, flag

MEMBER_PLACE = Place(village="village", path="village__path", group="resident__household__group")


@dataclass(frozen=True)
class Books:
    """Of a span: the townships that have locked it, and those that have locked what ends on its eve."""

    regions: Sequence[Region]
    span: Span
    locked: tuple[LedgerLock, ...]
    previous: tuple[LedgerLock, ...]

    @property
    def anything_open(self) -> bool:
        """Whether some figure of the regions is still counted now."""
        paths = tuple(lock.township.path for lock in self.locked)
        return not all(paths and r.path.startswith(paths) for r in self.regions)

    def is_open(self, path: str) -> Q:
        """Records counted outside the locked townships; `path` names the path of their village."""
        return ~_in([lock.township for lock in self.locked], path) if self.locked else Q()

    def follows_lock(self, path: str) -> Q:
        """Records of the townships whose month before is locked."""
        return _in([lock.township for lock in self.previous], path)

    def frozen_figures(self) -> Iterator[tuple[str, str, int]]:
        """(region code, indicator, number) of what the locked townships add to each region."""
        for lock in self.locked:
            rows = {row["code"]: row["figures"] for row in lock.version.content["rows"]}
            whole = lock.version.content["rows"][0]["figures"]
            for region in self.regions:
                row = {}
                if lock.township.path.startswith(region.path):
                    row = whole
                elif region.path.startswith(lock.township.path):
                    row = rows.get(region.code, {})
                for code, number in row.items():
                    yield region.code, code, number


def books_of(regions: Sequence[Region], span: Span) -> Books:
    """The locks that concern these regions in this span, in one query.

    A group has none: what is locked are the figures of villages.
    """
    if any(region.level == Region.Level.GROUP for region in regions):
        return Books(regions, span, (), ())
    found = list(
        LedgerLock.objects.in_force()
        .filter(_concerning(regions))
        .filter(Q(starts_on=span.start, closes_on=span.as_of) | Q(closes_on=eve(span)))
        .select_related("township", "version")
        .order_by("township")
    )
    locked = tuple(lock for lock in found if lock.closes_on == span.as_of)
    taken = {lock.township_id for lock in locked}
    previous = (lock for lock in found if lock.closes_on != span.as_of)
    return Books(
        regions, span, locked, tuple(lock for lock in previous if lock.township_id not in taken)
    )


def newest_lock(township: Region) -> LedgerLock | None:
    """The last month that the township has locked."""
    return LedgerLock.objects.in_force().filter(township=township).order_by("-closes_on").first()


def frozen(region: Region, period: Period) -> Frozen | None:
    """Why the ledger of this region and month no longer changes, where it is locked as a whole."""
    books = books_of([region], Span(period.start, period.end))
    if not books.locked:
        return None
    if region.level < Region.Level.TOWNSHIP:
        townships = Region.objects.within(region).filter(level=Region.Level.TOWNSHIP)
        if townships.valid_on(period.end).count() > len(books.locked):
            return None
        return Frozen(f"{period.label}各乡镇（街道）都已锁定")
    (lock,) = books.locked
    own = region.pk == lock.township_id
    return Frozen(f"{lock.label}已锁定", version=lock.version if own else None)


def counting_note(village: Region, day: date) -> str:
    """Where something that happened on `day` will count if it is recorded now; "" where nothing is odd."""
    township = village.parent if village.level == Region.Level.VILLAGE else village
    lock = newest_lock(township) if township else None
    if lock is None or day > lock.closes_on:
        return ""
    year, month = divmod(lock.closes_on.year * 12 + lock.closes_on.month, 12)
    following = dates.month_period(year, month + 1)
    own = dates.month_period(day.year, day.month)
    kept = LedgerLock.objects.in_force().filter(township=township, period=own.code).exists()
    first = (
        f"{township.name}{own.label}的总人口账已锁定，数字不再变。"
        if kept
        else f"{township.name}{lock.label}的总人口账已锁定。"
    )
    return f"{first}这件事改变{lock.label}末人数的，计入{following.label}的补报。"


def superseded(region: Region, period: Period) -> LedgerLock | None:
    """The first lock after a month that was not locked itself: its opening doesn't follow that month.

    None where there is none, and above the township.
    """
    if region.level < Region.Level.TOWNSHIP:
        return None
    township = region if region.level == Region.Level.TOWNSHIP else region.parent
    locks = LedgerLock.objects.in_force().filter(township=township)
    if locks.filter(period=period.code).exists():
        return None
    return locks.filter(starts_on__gt=period.end).order_by("starts_on").first()


# How the registry differs from a locked closing -----------------------------------------------------


def members_of(books: Books) -> QuerySet[LedgerMember]:
    """Who was counted in the locked closings on the eve of the span."""
    return LedgerMember.objects.counted_on(eve(books.span)).filter(
        township__in=[lock.township_id for lock in books.previous]
    )


def late_additions(books: Books) -> QuerySet:
    """Spells that by now count on the eve of the span and weren't counted alike when it was locked.

    Flags as in movements.py: for which cells a row counts.
    """
    day, way = eve(books.span), "resident__ledger_members"
    unknown = Q(known__isnull=True)
    return (
        counted_on(day)
        .filter(books.follows_lock("village__path"))
        .annotate(
            known=FilteredRelation(
                way,
                condition=Q(**{f"{way}__since__lte": day, f"{way}__village": F("village")})
                & (Q(**{f"{way}__until__isnull": True}) | Q(**{f"{way}__until__gt": day})),
            )
        )
        .annotate(
            of_village=flag(unknown),
            of_sex=flag(unknown | ~Q(known__sex=F("sex"))),
            of_class=flag(unknown | ~Q(known__hukou_class=F("hukou_class"))),
        )
        .filter(Q(of_sex=True) | Q(of_class=True))
    )


def late_losses(books: Books) -> QuerySet[LedgerMember]:
    """Members of the locked closing whom the registry by now doesn't count alike on that day."""
    day, way = eve(books.span), "resident__residencies"
    here = Q(now__isnull=False) & living(day, "resident__")
    return (
        members_of(books)
        .annotate(
            now=FilteredRelation(
                way,
                condition=Q(**{f"{way}__village": F("village")}) & in_force_on(day, f"{way}__"),
            ),
            class_now=class_of("now__"),
        )
        .annotate(
            of_village=flag(~here),
            of_sex=flag(~here | ~Q(resident__sex=F("sex"))),
            of_class=flag(~here | ~Q(class_now=F("hukou_class"))),
        )
        .filter(Q(of_sex=True) | Q(of_class=True))
    )


def with_reasons(records: QuerySet, books: Books) -> QuerySet:
    """`records` with what was done to the person since the lock: late_kind, late_undone, late_import."""
    lock = LedgerLock.objects.in_force().filter(
        closes_on=eve(books.span), township=OuterRef("village__parent")
    )
    changes = (
        EventChange.objects.filter(resident=OuterRef("resident"))
        .filter(
            Q(event__recorded_at__gt=OuterRef("locked_at"))
            | Q(event__undone_by__recorded_at__gt=OuterRef("locked_at"))
        )
        .order_by("-event")
    )
    imported = ImportEffect.objects.filter(
        Q(object_id=OuterRef("resident"))
        | Q(
            object_id__lte=OuterRef("resident"),
            other_id__gte=OuterRef("resident"),
            action="created",
        ),
        model=Resident._meta.label_lower,
        batch__committed_at__gt=OuterRef("locked_at"),
    )
    return records.annotate(locked_at=Subquery(lock.values("locked_at")[:1])).annotate(
        late_kind=Subquery(changes.values("event__kind")[:1]),
        late_undone=Exists(changes.filter(event__undone_by__recorded_at__gt=OuterRef("locked_at"))),
        late_import=Exists(imported),
        late_new=flag(Q(resident__created_at__gt=F("locked_at"))),
    )


def _in(townships: Sequence[Region], path: str) -> Q:
    found = Q(pk__in=[])
    for township in townships:
        found |= below(township.path, path)
    return found


def _concerning(regions: Sequence[Region]) -> Q:
    """Locks of the townships above, at and below the regions."""
    found = Q(township__path__in={path for r in regions for path in upwards(r.path)})
    for region in regions:
        if region.level < Region.Level.TOWNSHIP:
            found |= below(region.path, "township__path")
    return found
