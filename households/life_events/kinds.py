"""Which kinds of event make sense for a person or a household today: what the pages offer."""

from collections.abc import Iterable
from datetime import date

from fpadmin.dates import age_on
from households import rules
from households.life_events.planners import MARRIED
from households.models import EventKind as K
from households.models import Residence, Resident, Sex

# Events of one person; the others are about members of a household.
PERSONAL = (K.BIRTH, K.DEATH, K.MARRIAGE, K.DIVORCE, K.CORRECTION)
ARRIVALS = (K.MOVE_IN, K.INFLOW)
GROUPS = (
    ("人", (K.BIRTH, K.DEATH, K.MARRIAGE, K.DIVORCE, K.CORRECTION)),
    ("去来", (K.MOVE_IN, K.MOVE_OUT, K.INFLOW, K.OUTFLOW, K.RETURN, K.HUKOU_CHANGE)),
    ("户", (K.SPLIT, K.MERGE, K.HEAD_CHANGE, K.HOUSEHOLD_MOVE)),
)
# Younger, nobody is offered a marriage; under the lawful age it still asks for confirmation.
OFFER_MARRIAGE_FROM = 16


def kinds_of_resident(resident: Resident, members: Iterable[Resident], today: date) -> set[str]:
    """What may be recorded of the person; `members` are all of the household on the books."""
    if resident.merged_into_id:
        return set()
    if resident.death_date:
        return {K.CORRECTION}
    if resident.departed_on:
        return {*ARRIVALS, K.CORRECTION}
    kinds = {K.DEATH, K.MOVE_OUT, K.HOUSEHOLD_MOVE, K.HUKOU_CHANGE, K.CORRECTION}
    age = age_on(resident.birth_date, today)
    if _may_be_parent(resident, age):
        kinds.add(K.BIRTH)
    if resident.marital in MARRIED:
        kinds.add(K.DIVORCE)
    elif age >= OFFER_MARRIAGE_FROM:
        kinds.add(K.MARRIAGE)
    kinds |= _by_residence([resident])
    if len(list(members)) > 1:
        kinds |= {K.SPLIT, K.HEAD_CHANGE}
    return kinds


def kinds_of_household(members: Iterable[Resident], today: date) -> set[str]:
    """What may be recorded of a household with these members on the books."""
    members = list(members)
    kinds = {*ARRIVALS}
    for member in members:
        kinds |= kinds_of_resident(member, members, today)
    if members:
        kinds.add(K.MERGE)
    return kinds - {K.CORRECTION}


def _may_be_parent(resident: Resident, age: int) -> bool:
    """A mother of bearing age, or a father whose wife is not known: else it is hers to have it."""
    youngest, oldest = rules.MOTHER_AGES
    if resident.sex == Sex.FEMALE:
        return youngest <= age <= oldest
    return age >= rules.FATHER_FROM_AGE and resident.spouse_id is None


def _by_residence(members: Iterable[Resident]) -> set[str]:
    kinds = {Residence.PERMANENT: K.OUTFLOW, Residence.OUTFLOW: K.RETURN}
    return {kinds[m.residence] for m in members if m.residence in kinds}
