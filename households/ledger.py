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
from households.counting import Place, codes_above
from households.indicators import BIRTH_PLACE, SPELL_PLACE
from households.ledger_locks import MEMBER_PLACE, Books
from households.models import Hukou, Residence, Residency, Sex, living
from households.movements import (
    MOVES,
    arrivals,
    births_not_registered,
    born_in,
    class_of,
    dead_arrivals,
    departures,
    died_in,
    eve,
    flag,
)

COLUMNS = {
    "opening": ("期初", "期初前一天在册且在世；上月已锁定的，等于锁定的期末"),
    "late_additions": ("补报增加", "上月锁定时没有、现在登记为上月末已在册的人"),
    "late_losses": ("补报减少", "上月锁定时在册、现在登记为上月末已不在册的人"),
    "births": ("出生", "期内出生，出生当天母亲（没有则父亲）在册；收养不计"),
    "moved_in": ("迁入", "期内迁入、流入或从别的村变动来，期末在册或来后死亡的人"),
    "other_additions": ("其他增加", "没有登记迁移而新在册的人，和户口性质变更到本类的人"),
    "deaths": ("死亡", "死亡日期在期内的居民"),
    "moved_out": ("迁出", "期内迁出、离开或变动到别的村，期末不在册的人"),
    "other_losses": (
        "其他减少",
        "没有登记迁移而不再在册的人、户口性质从本类变更的人，和出生后没有在本村登记的孩子",
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
    """The ledger of all of `regions`, villages and above; see IndicatorGroup.compute."""
    figures: dict[str, dict[str, Figure]] = {
        r.code: dict.fromkeys((i.code for i in INDICATORS), 0) for r in regions
    }
    books = ledger_locks.books_of(regions, span)
    if books.anything_open:
        above = codes_above(regions)
        for column, keys, village, number in _counted(books):
            for region in above(village):
                for key in keys:
                    figures[region][code_of(column, key)] += number
    for region, code, number in books.frozen_figures():
        figures[region][code] += number
    return figures


def _counted(books: Books) -> Iterator[tuple[str, list[str], int, int]]:
    """(column, classes, village, number) of everything that is counted now."""
    span = books.span
    for row in _tally(_at_both_ends(span), SPELL_PLACE, books, "at_opening", "at_closing"):
        keys = _keys(row)
        if row["at_opening"]:
            yield "opening", keys, row["village_key"], row["number"]
        if row["at_closing"]:
            yield "closing", keys, row["village_key"], row["number"]
    for row in _tally(born_in(span), BIRTH_PLACE, books):
        yield "births", _keys(row), row["village_key"], row["number"]
    for row in _tally(died_in(span), SPELL_PLACE, books):
        yield "deaths", _keys(row), row["village_key"], row["number"]
    for came in (arrivals(span), dead_arrivals(span)):
        for row in _tally(_moved(came, "came_kind"), SPELL_PLACE, books, *FLAGS, "moved"):
            yield "moved_in" if row["moved"] else "other_additions", *_cells(row)
    for row in _tally(_moved(departures(span), "left_kind"), SPELL_PLACE, books, *FLAGS, "moved"):
        yield "moved_out" if row["moved"] else "other_losses", *_cells(row)
    for row in _tally(births_not_registered(span), BIRTH_PLACE, books, *FLAGS):
        yield "other_losses", *_cells(row)
    if books.previous:
        for row in _tally(ledger_locks.late_additions(books), SPELL_PLACE, books, *FLAGS):
            keys, village, number = _cells(row)
            yield "late_additions", keys, village, number
            yield "opening", keys, village, -number
        for row in _tally(ledger_locks.late_losses(books), MEMBER_PLACE, books, *FLAGS):
            keys, village, number = _cells(row)
            yield "late_losses", keys, village, number
            yield "opening", keys, village, number


def _tally(records: QuerySet, place: Place, books: Books, *flags: str) -> Iterator[dict]:
    """Groups of the open records of the regions: by village, sex, hukou class and `flags`."""
    return (
        records.filter(place.lies_in(books.regions), books.is_open(place.path))
        .order_by()
        .values("sex", "hukou_class", *flags, village_key=F(place.village))
        .annotate(number=Count("pk"))
        .iterator()
    )


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


def _moved(records: QuerySet, kind: str) -> QuerySet:
    """`moved`: the village's whole changed by a recorded move, and so did its classes."""
    return records.annotate(moved=flag(Q(**{f"{kind}__in": MOVES, "of_village": True})))


def _keys(row: dict) -> list[str]:
    return ["all", SEX_KEYS[row["sex"]], CLASS_KEYS[row["hukou_class"]]]


def _cells(row: dict) -> tuple[list[str], int, int]:
    counts = (row[name] for name in FLAGS)
    keys = [key for key, counted in zip(_keys(row), counts, strict=True) if counted]
    return keys, row["village_key"], row["number"]
