"""How a village's population came from the opening to the closing figure: the balance of a span.

For every village and any history: closing = opening + births + other additions - deaths - other losses;
movements.py defines the sets. A person who moves between two villages is an addition in one and a
loss in the other; a larger region sums its villages.
"""

from collections.abc import Collection, Sequence

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import Figure, Indicator, IndicatorGroup, ListRows, Span
from households import movements
from households.indicators import BIRTH_PLACE, SPELL_PLACE, birth_part, links_of, spell_part
from households.ledger import counted
from households.ledger_locks import Books
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
# Columns of the ledger that make up a figure of the balance, which heeds no lock.
PARTS = {
    "opening": "opening",
    "moved_in": "other_additions",
    "other_additions": "other_additions",
    "moved_out": "other_losses",
    "other_losses": "other_losses",
    "not_registered": "births_not_registered",
    "closing": "closing",
}


def compute_balance(
    regions: Sequence[Region], span: Span, codes: Collection[str] = ()
) -> dict[str, dict[str, Figure]]:
    """The balance for all of `regions`, villages and above; see IndicatorGroup.compute."""
    figures: dict[str, dict[str, Figure]] = {
        r.code: dict.fromkeys((i.code for i in BALANCE), 0) for r in regions
    }
    for region, column, keys, number in counted(Books(regions, span, (), ())):
        if column in PARTS and "all" in keys:
            figures[region][PARTS[column]] += number
    return figures


def people_of_balance(code: str, region: Region, span: Span) -> ListRows:
    """The records behind a figure of the balance, each with its reason."""
    inside = SPELL_PLACE.lies_in([region])
    if code in ("opening", "closing"):
        day = eve(span) if code == "opening" else span.as_of
        return ListRows(spell_part(Residency.objects.living_on(day).filter(inside)))
    if code == "other_additions":
        *living, dead = (a.filter(inside, of_village=True) for a in movements.arrivals(span))
        return ListRows(
            *(spell_part(came, lambda r: {"原因": _why_here(r, span)}) for came in living),
            spell_part(dead, lambda r: {"原因": "期内来到后死亡"}),
        )
    lost = movements.births_not_registered(span).filter(
        BIRTH_PLACE.lies_in([region]), of_village=True
    )
    unregistered = birth_part(lost, facts=lambda r: {"原因": why_not_registered(r, span)})
    if code == "births_not_registered":
        return ListRows(unregistered)
    gone = movements.departures(span).filter(inside, of_village=True)
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
