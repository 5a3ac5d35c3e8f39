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
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from fpadmin.reporting.registry import Span
from households.indicators import births_in, deaths_in
from households.models import EventKind, Residence, Residency

# An arrival or departure by one of these is a move; any other is registered, corrected, regrouped.
MOVES = (
    EventKind.MOVE_IN, EventKind.MOVE_OUT, EventKind.INFLOW, EventKind.OUTFLOW, EventKind.RETURN,
    EventKind.SPLIT, EventKind.MERGE, EventKind.MARRIAGE, EventKind.HOUSEHOLD_MOVE,
)  # fmt: skip


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


def arrivals(span: Span) -> QuerySet:
    """Closing spells of people new to a cell; came_on, came_kind and came_why tell of their arrival."""
    # Follows from not having been counted at the opening, and spares looking at everybody who stayed.
    recent = Q(started_on__gte=span.start) | Q(resident__birth_date__gte=span.start)
    return _new_to_a_cell(counted_on(span.as_of).filter(recent), span)


def dead_arrivals(span: Span) -> QuerySet:
    """Deaths of people new to a cell; see arrivals()."""
    return _new_to_a_cell(died_in(span), span)


def departures(span: Span) -> QuerySet:
    """Opening spells of people gone from a cell alive; left_on and left_kind tell of their leaving."""
    ending = Q(ended_on__lte=span.as_of) | Q(resident__death_date__lte=span.as_of)
    still = _same_village(counted_on(span.as_of))
    died = _same_village(died_in(span))
    last = (
        _same_village(Residency.objects.all())
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gt=span.start - timedelta(days=1)))
        .filter(Q(started_on__isnull=True) | Q(started_on__lte=span.as_of))
        .order_by(F("ended_on").desc(nulls_first=True))
    )
    return (
        counted_on(eve(span))
        .filter(ending)
        .annotate(
            of_village=~Exists(still) & ~Exists(died),
            of_class=~Exists(_same_class(still)) & ~Exists(_same_class(died)),
            left_on=Subquery(last.values("ended_on")[:1]),
            left_kind=Subquery(last.values("closed_by__kind")[:1]),
        )
        .annotate(of_sex=F("of_village"))
        .filter(Q(of_village=True) | Q(of_class=True))
    )


def births_not_registered(span: Span) -> QuerySet:
    """Births whose child is nobody new in a cell: not registered there, or there before.

    Of two records of one child in one cell only the first brings somebody.
    """
    child_there = {"resident": OuterRef("child"), "village": OuterRef("place")}
    after = [counted_on(span.as_of).filter(**child_there), died_in(span).filter(**child_there)]
    before = counted_on(eve(span)).filter(**child_there)
    earlier = born_in(span).filter(
        child=OuterRef("child"), place=OuterRef("place"), pk__lt=OuterRef("pk")
    )

    def nobody(**same):
        there = [Exists(spells.filter(**same)) for spells in after]
        known = Exists(before.filter(**same))
        return ~(there[0] | there[1]) | known | Exists(earlier.filter(**same))

    return (
        born_in(span)
        .annotate(
            of_village=nobody(),
            of_sex=nobody(sex=OuterRef("sex")),
            of_class=nobody(hukou_class=OuterRef("hukou_class")),
        )
        .filter(Q(of_village=True) | Q(of_sex=True) | Q(of_class=True))
    )


def _classed(spells: QuerySet) -> QuerySet:
    return spells.annotate(sex=F("resident__sex"), hukou_class=class_of())


def _new_to_a_cell(spells: QuerySet, span: Span) -> QuerySet:
    before = _same_village(counted_on(eve(span)))
    born = born_in(span).filter(child=OuterRef("resident"), place=OuterRef("village"))
    first = (
        _same_village(Residency.objects.all())
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gt=span.start))
        .order_by(F("started_on").asc(nulls_first=True))
    )
    known = Exists(before)
    return spells.annotate(
        of_village=~known & ~Exists(born),
        of_sex=~known & ~Exists(born.filter(sex=OuterRef("resident__sex"))),
        of_class=~Exists(_same_class(before)) & ~Exists(_same_class(born)),
        came_on=Subquery(first.values("started_on")[:1]),
        came_kind=Subquery(first.values("opened_by__kind")[:1]),
        came_why=Subquery(first.values("reason")[:1]),
    ).filter(Q(of_village=True) | Q(of_sex=True) | Q(of_class=True))


def _same_village(spells: QuerySet) -> QuerySet:
    """`spells` of the outer spell's person in the outer spell's village."""
    return spells.filter(resident=OuterRef("resident"), village=OuterRef("village"))


def _same_class(records: QuerySet) -> QuerySet:
    return records.filter(hukou_class=OuterRef("hukou_class"))
