"""The records behind each figure of the ledger, with the reason why each of them counts there."""

from datetime import date
from typing import Any

from django.db.models import F, FilteredRelation, Q, QuerySet

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import IndicatorGroup, ListRow, ListRows, Span
from fpadmin.scoping import below
from households import ledger_locks
from households.balance import why_not_registered
from households.counting import Place
from households.indicators import (
    BIRTH_PLACE,
    SPELL_PLACE,
    birth_part,
    death_part,
    in_force_on,
    links_of,
    spell_part,
)
from households.ledger import (
    CLASS_KEYS,
    FLAGS,
    INDICATORS,
    SEX_KEYS,
    SHEET_COLUMNS,
    compute_ledger,
    parsed,
)
from households.ledger_locks import MEMBER_PLACE, Books
from households.models import EventKind, LedgerLock, LedgerMember
from households.movements import (
    MOVES,
    arrivals,
    births_not_registered,
    born_in,
    counted_on,
    departures,
    died_in,
    eve,
    flag,
)

Part = tuple[QuerySet, Any]  # records, and from a record to its row
SEXES = {key: sex for sex, key in SEX_KEYS.items()}
HUKOU_CLASSES = {key: word for word, key in CLASS_KEYS.items()}
LATE = ("late_kind", "late_undone", "late_import", "late_new")
CLASS_CHANGED = "户口性质或居住状态变更"
SEX_DIFFERS = "出生记录与居民登记的性别不同"


def people_of_ledger(code: str, region: Region, span: Span) -> ListRows:
    """The records behind a figure of the ledger; of a locked month as they stood when it was locked."""
    column, key = parsed(code)
    books = ledger_locks.books_of([region], span)
    parts = open_parts(column, key, books) if books.anything_open else []
    for lock in books.locked:
        parts += _frozen(lock, column, key, region)
    return ListRows(*parts)


def open_parts(column: str, key: str, books: Books) -> list[Part]:
    """The records of a column that are counted now: of one class, or of any cell where `key` is ""."""
    span, also = books.span, ("village", "sex", "hukou_class")
    born = ("place", "hukou_class")
    moved = (*also, *FLAGS)
    if column == "opening":
        return _opening(key, books)
    if column == "closing":
        return [spell_part(_of(counted_on(span.as_of), key, books), also=also)]
    if column == "births":
        return [birth_part(_of(born_in(span), key, books, BIRTH_PLACE), also=born)]
    if column == "deaths":
        return [death_part(_of(died_in(span), key, books), also=also)]
    if column in ("moved_in", "other_additions"):
        return [
            spell_part(
                _by(came, "came_kind", column == "moved_in", key, books),
                lambda r: {"原因": _why_here(r, span), "日期": _day(r["came_on"], span)},
                (*moved, "came_on", "came_kind", "came_why"),
            )
            for came in arrivals(span)
        ]
    if column in ("moved_out", "other_losses"):
        gone = spell_part(
            _by(departures(span), "left_kind", column == "moved_out", key, books),
            lambda r: {"原因": _why_gone(r), "日期": _day(r["left_on"], span)},
            (*moved, "left_on", "left_kind"),
        )
        lost = _of(births_not_registered(span), key, books, BIRTH_PLACE, flagged=True)
        unregistered = birth_part(
            lost, facts=lambda r: {"原因": _why_not_registered(r, span)}, also=(*born, *FLAGS)
        )
        return [gone] if column == "moved_out" else [gone, unregistered]
    return _late(column, key, books) if books.previous else []


def _opening(key: str, books: Books) -> list[Part]:
    """What was locked, and everybody of the places where nothing is."""
    state = _of(counted_on(eve(books.span)), key, books).exclude(
        books.follows_lock("village__path")
    )
    parts = [spell_part(state, also=("village", "sex", "hukou_class"))]
    if books.previous:
        members = _of(ledger_locks.members_of(books), key, books, MEMBER_PLACE)
        parts.append(_member_part(members, eve(books.span)))
    return parts


def _late(column: str, key: str, books: Books) -> list[Part]:
    also = ("village", "sex", "hukou_class", *FLAGS, *LATE)
    if column == "late_additions":
        records = ledger_locks.with_reasons(ledger_locks.late_additions(books), books)
        found = _of(records, key, books, flagged=True)
        return [spell_part(found, lambda r: {"原因": _why_late(r)}, also)]
    records = ledger_locks.with_reasons(ledger_locks.late_losses(books), books)
    found = _of(records, key, books, MEMBER_PLACE, flagged=True)
    return [_member_part(found, eve(books.span), lambda r: {"原因": _why_late(r)}, (*FLAGS, *LATE))]


def _member_part(members: QuerySet[LedgerMember], day: date, facts=None, also=()) -> Part:
    """People of a locked closing; the household is that which the registry says for the day now."""
    way = "resident__residencies"
    placed = members.annotate(
        home=FilteredRelation(
            way,
            condition=Q(**{f"{way}__village": F("village")}) & in_force_on(day, f"{way}__"),
        )
    )

    def row(record):
        return ListRow(
            village_code=record["village__code"],
            household_no=record["home__household__number"] or "",
            name=record["resident__name"],
            resident_id=record["resident_id"],
            household_id=record["home__household"],
            facts={
                "性别": record["sex"],
                "出生日期": record["resident__birth_date"].isoformat(),
                **(facts(record) if facts else {}),
            },
        )

    columns = (
        "village__code", "village", "sex", "hukou_class", "resident_id", "resident__name",
        "resident__birth_date", "home__household", "home__household__number", *also,
    )  # fmt: skip
    return placed.order_by("village__code", "resident_id", "pk").values(*columns), row


def _frozen(lock: LedgerLock, column: str, key: str, region: Region) -> list[Part]:
    """The same of a locked month: members of its closings, else the entries that were kept."""
    if column in ("opening", "closing"):
        day = lock.closes_on if column == "closing" else eve(Span(lock.starts_on, lock.closes_on))
        members = LedgerMember.objects.counted_on(day).filter(township=lock.township)
        members = members.filter(MEMBER_PLACE.lies_in([region]), _in_cell(key))
        return [_member_part(members, day)]
    entries = lock.entries.filter(column=column).filter(
        below(region.path, "village__path"), _in_cell(key, flagged=True)
    )
    columns = ("village__code", "household_no", "name", "resident_key", "household_key", "facts")

    def row(record):
        return ListRow(
            village_code=record["village__code"],
            household_no=record["household_no"],
            name=record["name"],
            resident_id=record["resident_key"],
            household_id=record["household_key"],
            facts=record["facts"],
        )

    return [(entries.order_by("village__code", "household_no", "pk").values(*columns), row)]


def _of(
    records: QuerySet, key: str, books: Books, place: Place = SPELL_PLACE, *, flagged: bool = False
) -> QuerySet:
    """Those of the regions that are open, in the cell of `key`."""
    inside = place.lies_in(books.regions)
    return records.filter(inside, books.is_open(place.path), _in_cell(key, flagged=flagged))


def _by(records: QuerySet, kind: str, moved: bool, key: str, books: Books) -> QuerySet:
    """Those that moved (the village's whole changed by a recorded move), or the others."""
    by_move = Q(**{f"{kind}__in": MOVES, "of_village": True})
    # Kinds are null where no event is known, which a plain negation would leave out.
    records = records.annotate(moved=flag(by_move)).filter(moved=moved)
    return _of(records, key, books, flagged=True)


def _in_cell(key: str, *, flagged: bool = False) -> Q:
    if key in SEXES:
        return Q(sex=SEXES[key], **({"of_sex": True} if flagged else {}))
    if key in HUKOU_CLASSES:
        return Q(hukou_class=HUKOU_CLASSES[key], **({"of_class": True} if flagged else {}))
    return Q(of_village=True) if key and flagged else Q()


# Reasons -----------------------------------------------------------------------------------------


def _why_not_registered(record: dict, span: Span) -> str:
    if not record["of_village"]:
        return SEX_DIFFERS if record["of_sex"] else CLASS_CHANGED
    return why_not_registered(record, span)


def _why_here(record: dict, span: Span) -> str:
    if not record["of_village"]:
        return SEX_DIFFERS if record["of_sex"] else CLASS_CHANGED
    if record["came_on"] and record["came_on"] >= span.start:
        return record["came_why"] or _kind(record["came_kind"]) or "新登记"
    return "期内出生，本村没有出生记录"


def _why_gone(record: dict) -> str:
    if not record["of_village"]:
        return CLASS_CHANGED
    return _kind(record["left_kind"]) or "已不在本村登记"


def _why_late(record: dict) -> str:
    if record["late_undone"]:
        return f"撤销{_kind(record['late_kind'])}"
    if record["late_kind"]:
        return f"补报{_kind(record['late_kind'])}"
    if record["late_import"]:
        return "导入"
    return "补登记" if record["late_new"] else "更正"


def _kind(kind: str | None) -> str:
    return EventKind(kind).label if kind else ""


def _day(day: date | None, span: Span) -> str:
    return day.isoformat() if day and day >= span.start else ""


ledger_group = IndicatorGroup(
    "ledger", "总人口账", INDICATORS, SHEET_COLUMNS, compute_ledger, people_of_ledger, links_of
)
