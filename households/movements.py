"""What lies between a span's opening and its closing: who is new to a village, who is gone, who was born.

For every village, sex and hukou class, and any history: closing = opening + births + arrivals -
deaths - departures - births that brought nobody. O and C are the people counted in such a cell at the
opening and the closing, D the deaths and B the births counted there; D and C never meet. Arrivals
are C or D without O and without the children of B; departures are O without C and D. The flags say
for which cells a row counts: `of_village` for the village as a whole, `of_sex` and `of_class` for
the part of its sex and hukou class. Life events don't decide who has moved, only by which way.
"""

from datetime import date, timedelta

from django.db.models import (
    Case,
    CharField,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least

from fpadmin.reporting.registry import Span
from households.indicators import births_in, deaths_in, in_force_on
from households.models import EventKind, Residence, Residency, living

# Who came or went by one of these came from, or left for, outside the office. Whoever changes village
# within it has not left: villages sum to the township, so it would show there as one in and one out.
MOVES = (EventKind.MOVE_IN, EventKind.MOVE_OUT, EventKind.INFLOW)


def eve(span: Span) -> date:
    """The day before the span: its opening."""
    return span.start - timedelta(days=1)


def class_of(prefix: str = "") -> Case:
    """The hukou class of a spell as the returns part the population: 农业, 非农业, or 流入."""
    return Case(
        When(**{f"{prefix}residence": Residence.INFLOW}, then=Value(Residence.INFLOW.value)),
        default=F(f"{prefix}hukou"),
        output_field=CharField(),
    )


def flag(condition: Q) -> Case:
    """True or False, never null."""
    return Case(When(condition, then=Value(True)), default=Value(False))


def counted_on(day: date) -> QuerySet:
    """The spells that count on `day`, with `sex` and `hukou_class`."""
    return _classed(Residency.objects.living_on(day))


def died_in(span: Span) -> QuerySet:
    """The spells in which somebody died in the span, with `sex` and `hukou_class`."""
    return _classed(deaths_in(span))


def born_in(span: Span) -> QuerySet:
    """The births of the span, with `hukou_class`: the child's own first one there, else the parent's."""
    own = (
        Residency.objects.filter(resident=OuterRef("child"), village=OuterRef("place"))
        .order_by(F("started_on").asc(nulls_first=True))
        .values(found=class_of())[:1]
    )
    parents = Case(
        When(mother_spell__isnull=False, then=class_of("mother_spell__")),
        default=class_of("father_spell__"),
    )
    return births_in(span).annotate(hukou_class=Coalesce(Subquery(own), parents))


def newcomers(span: Span) -> list[QuerySet]:
    """Who is counted at the close, or died, and wasn't counted in the cell at the opening.

    Spells, apart: those that began in the span, those of people born in it, and those of its dead.
    Children born there are still among them. came_on, came_kind and came_why tell how they came.
    """
    # The first two follow from not having been counted before, and spare looking at everybody.
    closing = counted_on(span.as_of)
    began = Q(started_on__gte=span.start)
    born = Q(started_on__isnull=True) | Q(started_on__lt=span.start)
    return [
        _new_to_a_cell(spells, span)
        for spells in (
            closing.filter(began),
            closing.filter(born, resident__birth_date__gte=span.start),
            died_in(span),
        )
    ]


def arrivals(span: Span) -> list[QuerySet]:
    """newcomers() without the children born in the cell."""
    born = born_in(span).filter(child=OuterRef("resident"), place=OuterRef("village"))
    here = Exists(born)
    alike = Exists(born.filter(hukou_class=OuterRef("hukou_class")))
    same_sex = Exists(born.filter(sex=OuterRef("resident__sex")))
    return [
        spells.annotate(
            of_village=flag(Q(new_to_village=True) & ~here),
            of_sex=flag(Q(new_to_village=True) & ~same_sex),
            of_class=flag(Q(new_to_class=True) & ~alike),
        ).filter(Q(of_sex=True) | Q(of_class=True))
        for spells in newcomers(span)
    ]


def departures(span: Span) -> QuerySet:
    """Opening spells of people gone from a cell alive; left_on and left_kind tell of their leaving.

    Whoever died is counted where the spell of that day says. A spell that lasts to the close or to
    the death leaves nothing to ask.
    """
    last = (
        _same_village(Residency.objects.all())
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gt=eve(span)))
        .filter(Q(started_on__isnull=True) | Q(started_on__lte=span.as_of))
        .order_by(F("ended_on").desc(nulls_first=True))
    )
    there = Q(after__isnull=False, after__village=F("village"))
    return (
        counted_on(eve(span))
        .filter(ended_on__lte=span.as_of)
        .annotate(last_day=_last_day(span, "resident__"))
        .annotate(
            after=FilteredRelation(
                "resident__residencies",
                condition=in_force_on(F("last_day"), "resident__residencies__"),
            )
        )
        .annotate(
            of_village=flag(~there),
            of_class=flag(~there | ~Q(hukou_class=class_of("after__"))),
            left_on=Subquery(last.values("ended_on")[:1]),
            left_kind=Subquery(last.values("closed_by__kind")[:1]),
        )
        .annotate(of_sex=F("of_village"))
        .filter(of_class=True)
    )


def births_with_outcome(span: Span) -> QuerySet:
    """born_in() with what became of the child: the flags say which cells the birth brought nobody to.

    The child is not registered there, or was there before; of two records of one child in one cell
    only the first brings somebody. came_kind is how the child came where it was brought.
    """
    way = "child__residencies"
    alive = Q(child__death_date__isnull=True) | Q(child__death_date__gt=span.as_of)
    counts = (alive & Q(child__birth_date__lte=span.as_of)) | Q(
        child__death_date__range=(span.start, span.as_of)
    )
    there = Q(after__isnull=False, after__village=F("place")) & counts
    before = living(eve(span), "child__")
    known = Q(before__isnull=False, before__village=F("place")) & before
    same_sex = Q(child__sex=F("sex"))
    after_alike = Q(hukou_class=class_of("after__"))
    before_alike = Q(hukou_class=class_of("before__"))
    earlier = born_in(span).filter(
        child=OuterRef("child"), place=OuterRef("place"), pk__lt=OuterRef("pk")
    )
    again = Exists(earlier)
    again_sex = Exists(earlier.filter(sex=OuterRef("sex")))
    again_alike = Exists(earlier.filter(hukou_class=OuterRef("hukou_class")))
    first = (
        Residency.objects.filter(resident=OuterRef("child"), village=OuterRef("place"))
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gt=span.start))
        .order_by(F("started_on").asc(nulls_first=True))
    )
    return (
        born_in(span)
        .annotate(last_day=_last_day(span, "child__"))
        .annotate(
            after=FilteredRelation(way, condition=in_force_on(F("last_day"), f"{way}__")),
            before=FilteredRelation(way, condition=in_force_on(eve(span), f"{way}__")),
        )
        .annotate(
            of_village=flag(~(there & ~known) | again),
            of_sex=flag(~(there & ~known & same_sex) | again_sex),
            of_class=flag(~(there & after_alike & ~(known & before_alike)) | again_alike),
            came_kind=Subquery(first.values("opened_by__kind")[:1]),
        )
    )


def births_not_registered(span: Span) -> QuerySet:
    """Births that brought nobody to some cell."""
    return births_with_outcome(span).filter(Q(of_village=True) | Q(of_sex=True) | Q(of_class=True))


def _classed(spells: QuerySet) -> QuerySet:
    return spells.annotate(sex=F("resident__sex"), hukou_class=class_of())


def _new_to_a_cell(spells: QuerySet, span: Span) -> QuerySet:
    way = "resident__residencies"
    first = (
        _same_village(Residency.objects.all())
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gt=span.start))
        .order_by(F("started_on").asc(nulls_first=True))
    )
    known = Q(
        before__isnull=False, before__village=F("village"), resident__birth_date__lte=eve(span)
    )
    return (
        spells.annotate(before=FilteredRelation(way, condition=in_force_on(eve(span), f"{way}__")))
        .annotate(
            new_to_village=flag(~known),
            new_to_class=flag(~(known & Q(hukou_class=class_of("before__")))),
            came_on=Subquery(first.values("started_on")[:1]),
            came_kind=Subquery(first.values("opened_by__kind")[:1]),
            came_why=Subquery(first.values("reason")[:1]),
        )
        .filter(new_to_class=True)
    )


def _last_day(span: Span, person: str) -> Least:
    """The day of death, or the last day of the span where that comes first."""
    return Least(Coalesce(F(f"{person}death_date"), Value(span.as_of)), Value(span.as_of))


def _same_village(spells: QuerySet) -> QuerySet:
    """`spells` of the outer spell's person in the outer spell's village."""
    return spells.filter(resident=OuterRef("resident"), village=OuterRef("village"))
