"""The rolls of an invented demonstration: most who qualify, some left out, a few dead who are still on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from django.db import transaction
from django.utils import timezone

from fpadmin import bulk
from fpadmin.audit import log
from fpadmin.dates import years_before
from fpadmin.scoping import below
from households.demo.steps import Demonstration, register
from households.models import ChildRecord, Hukou, Resident, Sex
from subsidies.eligibility.finding import Found, found
from subsidies.eligibility.months import usual_day
from subsidies.models import Enrolment, ExitReason
from subsidies.policies.book import policy_book
from subsidies.rolls.ends import next_month

RURAL, FEE = "CN-RURAL", "YN-HEALTH-FEE"
SPECIAL = ("CN-SPECIAL-DEATH", "CN-SPECIAL-DISABLED")
FIRST = {RURAL: 2005, **dict.fromkeys(SPECIAL, 2008), FEE: 2005}  # year of the first lines
ENTRY_AGE, WIFE_AGE = 60, 49
LEFT_OUT = 0.06  # of those who qualify
STILL_ON = 0.15  # of those who died in the last years
_DEAD_FOR = 3  # years that the dead are looked for
_COLUMNS = (
    "policy_code", "resident_id", "grade", "start_month", "end_month", "end_reason", "decision",
    "row_version", "created_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """What the first month of a line is told by."""

    birth_date: date
    sex: str
    spouse: int | None
    certified_on: date | None


def load() -> None:
    """Register the step of the demonstration and its event. Called once, by ready()."""
    log.register_types({"demo.enrolled": "演示：登记在册对象"})
    register("rolls", enrol_invented)


@transaction.atomic
def enrol_invented(demonstration: Demonstration, *, by) -> str:
    """Put invented people on the rolls; the same people give the same lines. Returns the line to print.

    The township of lubiao-2018 brings a roll of its own, and a place that has one keeps it.
    """
    here = Enrolment.objects.within(demonstration.city).count()
    if here or not demonstration.invented:
        return f"在册对象：{here}条，没有改动"
    now = timezone.now()
    rows = [(*line, "{}", 0, now) for line in _lines(demonstration)]
    bulk.insert(Enrolment, _COLUMNS, rows)
    bulk.analyze(Enrolment, rows=len(rows))
    log.record("demo.enrolled", by=by, region_path=demonstration.city.path, count=len(rows))
    return f"在册对象：{len(rows)}条"


def _lines(demonstration: Demonstration) -> Iterator[tuple]:
    """(policy, person, grade, first month, last month, reason) by policy, village and person.

    The great roll everywhere; the others in the county of the accounts, who see no other.
    """
    today = demonstration.today
    rng, book = Random("rolls"), policy_book(today)
    everywhere, county = demonstration.city.path, demonstration.village.parent.parent.path
    for code in FIRST:
        path = everywhere if code == RURAL else county
        people = found(code, usual_day(code, today), path, book=book)
        starts = _starts(code, people, today)
        for one in people:
            start = starts.get(one.resident_id)
            if rng.random() >= LEFT_OUT and start and start <= today:
                yield code, one.resident_id, "", start, None, ""
        if code == RURAL:
            yield from _dead(path, {one.resident_id for one in people}, today, rng)


def _starts(code: str, people: list[Found], today: date) -> dict[int, date]:
    """The first month of each, as far as it can be told."""
    known = _people({pk for one in people for pk in (one.resident_id, one.through_id)})
    if code == RURAL:
        return {pk: _entry(person.birth_date) for pk, person in known.items()}
    if code == FEE:
        certified = {one.resident_id: known[one.through_id].certified_on for one in people}
        first = date(FIRST[FEE], 1, 1)
        return {
            pk: max(first, next_month(day.replace(day=1))) for pk, day in certified.items() if day
        }
    return _special_starts(code, known)


def _entry(birth_date: date) -> date:
    """January of the year of the sixtieth birthday."""
    return date(max(FIRST[RURAL], birth_date.year + ENTRY_AGE), 1, 1)


def _special_starts(code: str, known: dict[int, Person]) -> dict[int, date]:
    """January of the year in which the wife was 49 and the child had died or was certified disabled."""
    since: dict[int, int] = {}
    for column in ("mother_id", "father_id"):
        for pk, died, certified in bulk.lookup(
            ChildRecord, column, known, ["death_date", "disability_date"]
        ):
            day = died or certified
            if day:
                since[pk] = max(since.get(pk, 0), day.year)
    wives = _people({one.spouse for one in known.values() if one.spouse})
    starts = {}
    for pk, year in since.items():
        person = known[pk]
        wife = person if person.sex == Sex.FEMALE else wives.get(person.spouse, person)
        starts[pk] = date(max(FIRST[code], year, wife.birth_date.year + WIFE_AGE), 1, 1)
    return starts


def _people(keys: set[int]) -> dict[int, Person]:
    fields = ["birth_date", "sex", "spouse_id", "only_child_cert_date"]
    return {pk: Person(*rest) for pk, *rest in bulk.lookup(Resident, "id", keys, fields)}


def _dead(path: str, enrolled: set[int], today: date, rng: Random) -> Iterator[tuple]:
    """Who drew beside a husband or wife that still qualifies; a few have not been taken off."""
    rows = Resident.objects.filter(
        below(path, "village__path"),
        death_date__gte=years_before(today, _DEAD_FOR),
        hukou=Hukou.AGRICULTURAL,
        spouse__isnull=False,
    )
    for pk, born, died, spouse in rows.order_by("village_id", "pk").values_list(
        "pk", "birth_date", "death_date", "spouse"
    ):
        start = _entry(born)
        if spouse not in enrolled or start.year >= died.year:
            continue
        if rng.random() < STILL_ON:
            yield RURAL, pk, "", start, None, ""
        else:
            yield RURAL, pk, "", start, date(died.year, 12, 1), ExitReason.DEATH.value
