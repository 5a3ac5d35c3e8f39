"""The monthly ledger (总人口账): from the opening to the closing, by village, sex and hukou class.

The figures are states and their differences (movements.py), so they balance for any history. What
a township has locked is read back as it was (ledger_locks.py): a locked month shows its frozen
figures, and the month after opens with them; what the registry by now says otherwise about that
closing day stands under late additions and late losses.
"""

from collections.abc import Collection, Iterator, Sequence

from django.db.models import Count, F, Q, QuerySet

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import Column, Figure, Indicator, Span
from households import ledger_locks
from households.counting import Gathered, Place, gathered
from households.indicators import BIRTH_PLACE, SPELL_PLACE
from households.ledger_locks import MEMBER_PLACE, Books
from households.models import Hukou, Residence, Residency, Sex, living
from households.movements import (
    MOVES,
    births_with_outcome,
    class_of,
    departures,
    died_in,
    eve,
    flag,
    newcomers,
)

COLUMNS = {
    "opening": ("期初", "期初前一天在册且在世；上月已锁定的，等于锁定的期末"),
    "late_additions": ("补报增加", "上月锁定时没有、现在登记为上月末已在册的人"),
    "late_losses": ("补报减少", "上月锁定时在册、现在登记为上月末已不在册的人"),
    "births": ("出生", "期内出生，出生当天母亲（没有则父亲）在册；收养不计"),
    "moved_in": ("迁入", "期内从外地迁入、流入，期末在册或来后死亡的人"),
    "other_additions": ("其他增加", "从本乡镇别的村来的人、新登记的人，和户口性质变更到本类的人"),
    "deaths": ("死亡", "死亡日期在期内的居民"),
    "moved_out": ("迁出", "期内迁出、离开本地，期末不在册的人"),
    "other_losses": (
        "其他减少",
        "到本乡镇别的村去的人、不再登记的人、户口性质从本类变更的人，和出生后没有在本村登记的孩子",
    ),
    "closing": ("期末", "期末当天在册且在世的居民"),
}
CLASSES = {
    "all": "合计",
    "male": "男",
    "female": "女",
    "farming": "农业",
    "urban": "非农业",
    "inflow": "流入",
}
SEX_KEYS = {Sex.MALE: "male", Sex.FEMALE: "female"}
CLASS_KEYS = {
    Hukou.AGRICULTURAL: "farming",
    Hukou.NON_AGRICULTURAL: "urban",
    Residence.INFLOW: "inflow",
}
ADDED = ("late_additions", "births", "moved_in", "other_additions")
TAKEN = ("late_losses", "deaths", "moved_out", "other_losses")


def code_of(column: str, key: str = "all") -> str:
    """The indicator of a column for one class of people."""
    return f"ledger_{column}_{key}"


def parsed(code: str) -> tuple[str, str]:
    """The column and the class that code_of() joined."""
    column, _, key = code.removeprefix("ledger_").rpartition("_")
    return column, key


INDICATORS = tuple(
    Indicator(code_of(column, key), name if key == "all" else f"{name}（{word}）", "人", meaning)
    for key, word in CLASSES.items()
    for column, (name, meaning) in COLUMNS.items()
)
SHEET_COLUMNS = tuple(
    Column(code_of(column, key), name, section=word)
    for key, word in CLASSES.items()
    for column, (name, _) in COLUMNS.items()
)


FLAGS = ("of_village", "of_sex", "of_class")


def compute_ledger(
    regions: Sequence[Region], span: Span, codes: Collection[str] = ()
) -> dict[str, dict[str, Figure]]:
    """The ledger of all of `regions`; see IndicatorGroup.compute."""
    figures: dict[str, dict[str, Figure]] = {
        r.code: dict.fromkeys((i.code for i in INDICATORS), 0) for r in regions
    }
    books = ledger_locks.books_of(regions, span)
    if books.anything_open:
        for region, column, keys, number in counted(books):
            for key in keys:
                if column in COLUMNS:
                    figures[region][code_of(column, key)] += number
    for region, code, number in books.frozen_figures():
        figures[region][code] += number
    return figures


def counted(books: Books) -> Iterator[tuple[str, str, list[str], int]]:
    """(region code, column, classes, number) of everything that is counted now.

    A region may come several times, and a number may take away what another one counted. The
    column not_registered, a part of other_losses, stands in no return of this name.
    """
    open_places = gathered(books.regions).without(lock.township.path for lock in books.locked)
    for records, place, flags, parts in _sources(books):
        for row in _tally(records, place, open_places, *flags):
            for region in open_places.codes_of(row["village_key"], row.get("group_key")):
                for column, keys, sign in parts(row):
                    yield region, column, keys, sign * row["number"]


def _sources(books: Books) -> Iterator[tuple]:
    """(records, their place, what they are grouped by, from a group to (column, classes, sign))."""
    span = books.span
    ends = ("sex", "hukou_class", "at_opening", "at_closing")
    yield _at_both_ends(span), SPELL_PLACE, ends, _end_parts
    moved = ("sex", "hukou_class", "new_to_village", "new_to_class", "moved")
    for spells in newcomers(span):
        by_move = Q(came_kind__in=MOVES, new_to_village=True)
        yield spells.annotate(moved=flag(by_move)), SPELL_PLACE, moved, _newcomer_parts
    gone = departures(span).annotate(moved=flag(Q(left_kind__in=MOVES, of_village=True)))
    yield gone, SPELL_PLACE, ("sex", "hukou_class", *FLAGS, "moved"), _departure_parts
    births = births_with_outcome(span).annotate(
        moved=flag(Q(came_kind__in=MOVES, of_village=False)),
        child_sex=F("child__sex"),
        child_class=class_of("after__"),
    )
    outcome = ("sex", "hukou_class", *FLAGS, "moved", "child_sex", "child_class")
    yield births, BIRTH_PLACE, outcome, _birth_parts
    deaths = ("sex", "hukou_class")
    yield died_in(span), SPELL_PLACE, deaths, lambda row: [("deaths", _keys(row), 1)]
    if books.previous:
        late = ("sex", "hukou_class", *FLAGS)
        added, lost = ledger_locks.late_additions(books), ledger_locks.late_losses(books)
        yield added, SPELL_PLACE, late, lambda row: _late_parts("late_additions", row, -1)
        yield lost, MEMBER_PLACE, late, lambda row: _late_parts("late_losses", row, 1)


def _tally(records: QuerySet, place: Place, places: Gathered, *by: str) -> QuerySet:
    """Groups of the records that are counted in `places`, by village and `by`."""
    keys = {"village_key": F(place.village)}
    if places.by_group:
        keys["group_key"] = F(place.group)
    return (
        records.filter(places.lies_in(place))
        .order_by()
        .values(*by, **keys)
        .annotate(number=Count("pk"))
    )


def _end_parts(row: dict) -> Iterator[tuple]:
    for column in ("opening", "closing"):
        if row[f"at_{column}"]:
            yield column, _keys(row), 1


def _newcomer_parts(row: dict) -> Iterator[tuple]:
    village, sex, hukou = _keys(row)
    if row["moved"]:
        yield "moved_in", [village, sex, hukou], 1
    else:
        yield "other_additions", [village, sex, hukou] if row["new_to_village"] else [hukou], 1


def _departure_parts(row: dict) -> Iterator[tuple]:
    yield "moved_out" if row["moved"] else "other_losses", _flagged(row, _keys(row)), 1


def _birth_parts(row: dict) -> Iterator[tuple]:
    """A child who was brought is a newcomer too, and is taken out of those again."""
    keys = _keys(row)
    yield "births", keys, 1
    yield "other_losses", _flagged(row, keys), 1
    if row["of_village"]:
        yield "not_registered", ["all"], 1
    if row["moved"]:
        own = ["all", SEX_KEYS[row["child_sex"]], CLASS_KEYS[row["child_class"]]]
        yield "moved_in", own, -1
        yield "other_additions", _flagged(row, own), 1
    else:
        brought = [key for key in keys if key not in _flagged(row, keys)]
        yield "other_additions", brought, -1


def _late_parts(column: str, row: dict, opening: int) -> Iterator[tuple]:
    """What was locked stays the opening: the registry's is put right by the difference."""
    keys = _flagged(row, _keys(row))
    yield column, keys, 1
    yield "opening", keys, opening


def _keys(row: dict) -> list[str]:
    return ["all", SEX_KEYS[row["sex"]], CLASS_KEYS[row["hukou_class"]]]


def _flagged(row: dict, keys: list[str]) -> list[str]:
    return [key for key, name in zip(keys, FLAGS, strict=True) if row[name]]


def _at_both_ends(span: Span) -> QuerySet:
    """The spells that count at the opening, at the closing, or both: one look at everybody."""

    def counts(day):
        begun = Q(started_on__isnull=True) | Q(started_on__lte=day)
        lasts = Q(ended_on__isnull=True) | Q(ended_on__gt=day)
        return begun & lasts & living(day, "resident__")

    opening, closing = counts(eve(span)), counts(span.as_of)
    return Residency.objects.filter(opening | closing).annotate(
        sex=F("resident__sex"),
        hukou_class=class_of(),
        at_opening=flag(opening),
        at_closing=flag(closing),
    )
