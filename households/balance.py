"""How a village's population came from the opening to the closing figure: the balance of a span.

For every village and any history: closing = opening + births + other additions - deaths - other losses;
movements.py defines the sets. A person who moves between two villages is an addition in one and a
loss in the other; a larger region sums its villages.
"""

from collections.abc import Collection, Sequence

from django.db.models import Count

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import Figure, Indicator, IndicatorGroup, ListRows, Span
from households import movements
from households.counting import sum_up
from households.indicators import BIRTH_PLACE, SPELL_PLACE, birth_part, links_of, spell_part
from households.models import Residency
from households.movements import eve

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


def arrivals(span: Span):
    """Closing spells of people new to the village."""
    return movements.arrivals(span).filter(of_village=True)


def dead_arrivals(span: Span):
    """Deaths of people new to the village."""
    return movements.dead_arrivals(span).filter(of_village=True)


def departures(span: Span):
    """Opening spells of people gone from the village alive."""
    return movements.departures(span).filter(of_village=True)


def births_not_registered(span: Span):
    """Births whose child is nobody new in the village."""
    return movements.births_not_registered(span).filter(of_village=True)


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
    unregistered = birth_part(lost, facts=lambda r: {"原因": why_not_registered(r, span)})
    if code == "births_not_registered":
        return ListRows(unregistered)
    gone = departures(span).filter(inside)
    return ListRows(spell_part(gone, lambda r: {"原因": "已不在本村登记"}), unregistered)


def why_not_registered(record: dict, span: Span) -> str:
    """Why a birth brought nobody into the village."""
    if record["child_id"]:
        return "出生后登记在别处，或与已有居民重复"
    if record["death_date"] and record["death_date"] <= span.as_of:
        return "出生后死亡，没有登记为居民"
    return "出生后尚未登记为居民"


def _why_here(record: dict, span: Span) -> str:
    if record["started_on"] and record["started_on"] >= span.start:
        return record["reason"] or "迁入或新登记"
    return "期内出生，本村没有出生记录"


balance_group = IndicatorGroup(
    "balance", "人口变动", BALANCE, (), compute_balance, people_of_balance, links_of
)
