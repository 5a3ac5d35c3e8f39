"""How a village's population came from the opening to the closing figure: the balance of a span.

For every village and any history: closing = opening + births + other additions - deaths - other losses.
O and C are the people counted at the opening and the closing, D the deaths and B the births counted
there; D and C never meet. Other additions are C or D without O and without the children of B; other
losses are O without C and D, and the births that brought nobody into C or D. A person who moves
between two villages is an addition in one and a loss in the other; a larger region sums its villages.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import Figure, Indicator, IndicatorGroup, ListRows, Span
from households.counting import sum_up
from households.indicators import (
    BIRTH_PLACE,
    SPELL_PLACE,
    birth_part,
    births_in,
    deaths_in,
    links_of,
    spell_part,
)
from households.models import Residency

BALANCE = (
    Indicator("opening", "期初人数", "人", "期初前一天在册且在世的居民"),
    Indicator(
        "other_additions",
        "其他增加",
        "人",
        "期内迁入、新登记等：期末在册而期初不在册的人，和期内来后死亡的人，本村本期出生的除外",
    ),
    Indicator(
        "other_losses",
        "其他减少",
        "人",
        "期内迁出、注销等：期初在册而期末不在册、又没有死亡的人，和出生后没有在本村登记的孩子",
    ),
    Indicator(
        "births_not_registered", "出生未登记", "人", "其他减少中，出生后没有在本村登记为居民的孩子"
    ),
    Indicator("closing", "期末人数", "人", "期末当天在册且在世的居民"),
)


def eve(span: Span) -> date:
    """The day before the span: its opening."""
    return span.start - timedelta(days=1)


def arrivals(span: Span) -> QuerySet:
    """Closing spells of people not counted in the village at the opening, nor born there since."""
    # The first condition follows from the second and spares looking at everybody who stayed.
    return (
        Residency.objects.living_on(span.as_of)
        .filter(Q(started_on__gte=span.start) | Q(resident__birth_date__gte=span.start))
        .filter(~Exists(_same_village(Residency.objects.living_on(eve(span)))), ~_born_here(span))
    )


def dead_arrivals(span: Span) -> QuerySet:
    """Deaths of people not counted in the village at the opening, nor born there since."""
    before = _same_village(Residency.objects.living_on(eve(span)))
    return deaths_in(span).filter(~Exists(before), ~_born_here(span))


def departures(span: Span) -> QuerySet:
    """Opening spells of people not counted in the village at the closing, who didn't die there."""
    return (
        Residency.objects.living_on(eve(span))
        .filter(Q(ended_on__lte=span.as_of) | Q(resident__death_date__lte=span.as_of))
        .filter(
            ~Exists(_same_village(Residency.objects.living_on(span.as_of))),
            ~Exists(_same_village(deaths_in(span))),
        )
    )


def births_not_registered(span: Span) -> QuerySet:
    """Births whose child is nobody new in the village: not registered there, or there before.

    Of two records of one child in one village only the first brings somebody.
    """

    def child_there(spells):
        return Exists(spells.filter(resident=OuterRef("child"), village=OuterRef("place")))

    earlier = births_in(span).filter(
        child=OuterRef("child"), place=OuterRef("place"), pk__lt=OuterRef("pk")
    )
    newly_there = (
        child_there(Residency.objects.living_on(span.as_of)) | child_there(deaths_in(span))
    ) & ~child_there(Residency.objects.living_on(eve(span)))
    return births_in(span).filter(~newly_there | Exists(earlier))


def compute_balance(
    regions: Sequence[Region], span: Span, codes: Collection[str] = ()
) -> dict[str, dict[str, Figure]]:
    """The balance for all of `regions`, villages and above; see IndicatorGroup.compute."""

    def count(records, place):
        summed = sum_up(regions, records, {"n": Count("pk")}, place)
        return {code: row["n"] for code, row in summed.items()}

    opening = count(Residency.objects.living_on(eve(span)), SPELL_PLACE)
    arrived = count(arrivals(span), SPELL_PLACE)
    arrived_and_died = count(dead_arrivals(span), SPELL_PLACE)
    left = count(departures(span), SPELL_PLACE)
    not_registered = count(births_not_registered(span), BIRTH_PLACE)
    closing = count(Residency.objects.living_on(span.as_of), SPELL_PLACE)
    return {
        r.code: {
            "opening": opening[r.code],
            "other_additions": arrived[r.code] + arrived_and_died[r.code],
            "other_losses": left[r.code] + not_registered[r.code],
            "births_not_registered": not_registered[r.code],
            "closing": closing[r.code],
        }
        for r in regions
    }


def people_of_balance(code: str, region: Region, span: Span) -> ListRows:
    """The records behind a figure of the balance, each with its reason."""
    inside = SPELL_PLACE.lies_in([region])
    if code in ("opening", "closing"):
        day = eve(span) if code == "opening" else span.as_of
        return ListRows(spell_part(Residency.objects.living_on(day).filter(inside)))
    if code == "other_additions":
        return ListRows(
            spell_part(arrivals(span).filter(inside), lambda r: {"原因": _why_here(r, span)}),
            spell_part(dead_arrivals(span).filter(inside), lambda r: {"原因": "期内来到后死亡"}),
        )
    lost = births_not_registered(span).filter(BIRTH_PLACE.lies_in([region]))
    unregistered = birth_part(lost, facts=lambda r: {"原因": _why_not_registered(r, span)})
    if code == "births_not_registered":
        return ListRows(unregistered)
    gone = departures(span).filter(inside)
    return ListRows(spell_part(gone, lambda r: {"原因": "已不在本村登记"}), unregistered)


def _same_village(spells: QuerySet) -> QuerySet:
    """`spells` of the outer spell's person in the outer spell's village."""
    return spells.filter(resident=OuterRef("resident"), village=OuterRef("village"))


def _born_here(span: Span) -> Exists:
    return Exists(births_in(span).filter(child=OuterRef("resident"), place=OuterRef("village")))


def _why_here(record: dict, span: Span) -> str:
    if record["started_on"] and record["started_on"] >= span.start:
        return record["reason"] or "迁入或新登记"
    return "期内出生，本村没有出生记录"


def _why_not_registered(record: dict, span: Span) -> str:
    if record["child_id"]:
        return "出生后登记在别处，或与已有居民重复"
    if record["death_date"] and record["death_date"] <= span.as_of:
        return "出生后死亡，没有登记为居民"
    return "出生后尚未登记为居民"


balance_group = IndicatorGroup(
    "balance", "人口变动", BALANCE, (), compute_balance, people_of_balance, links_of
)
