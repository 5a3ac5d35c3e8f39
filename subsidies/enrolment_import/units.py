"""The rolls as they will stand after an import: what a person, couple or household has beside a line."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from fpadmin import bulk
from households.models import Resident
from subsidies.conflicts import PAIRED
from subsidies.enrolment_import.plan import LAST, EnrolmentPlan, Span
from subsidies.models import Enrolment
from subsidies.policies import catalogue

OWN, SPOUSE, HOUSEHOLD = "本人", "配偶", "同户的人"
# Whose lines count as one where a policy has one line per `who`; as in subsidies/conflicts.py.
_WIDE = {"couple": (OWN, SPOUSE), "family": (OWN, SPOUSE, HOUSEHOLD)}


@dataclass(frozen=True, slots=True)
class Beside:
    """A line of the same person, couple or household."""

    policy: str
    span: Span


class Rolls:
    """Lines by person and policy, those of the file in place of what they change."""

    def __init__(self, plan: EnrolmentPlan):
        self._plan = plan
        people = {plan.person(index).pk: plan.person(index) for index in plan.table.good()}
        self._spouses = _spouses(people)
        codes = {plan.policy(index) for index in plan.table.good()}
        families = [code for code, one in catalogue.policies().items() if one.who == "family"]
        has_families = bool(codes & set(families)) or (
            Enrolment.objects.filter(policy_code__in=families).exists()
        )
        homes = {person.household for person in people.values()} if has_families else set()
        self._members = _members(homes)
        self._lines = self._gathered(people)

    def _gathered(self, people: dict) -> dict[int, dict[str, list[Span]]]:
        plan = self._plan
        others = {pk for members in self._members.values() for pk in members}
        others |= {pk for some in self._spouses.values() for pk in some}
        said = {plan.known[index].pk for index in plan.table.good() if index in plan.known}
        columns = ["id", "policy_code", "start_month", "end_month"]
        lines: dict[int, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
        rows = bulk.lookup(Enrolment, "resident_id", others | people.keys(), columns)
        for resident, pk, code, start, end in rows:
            if pk not in said and (end is None or end >= start):
                lines[resident][code].append(Span(start, end or LAST))
        for index in plan.table.good():
            code, resident = plan.key(index)
            lines[resident][code].append(plan.span(index))
        for own in lines.values():
            for spans in own.values():
                spans.sort(key=lambda span: span.start)
        return lines

    def beside(self, index: int) -> Iterator[tuple[str, Beside]]:
        """(whose, line) of each other roll that counts as the same unit's and shares a month with it."""
        plan = self._plan
        span, code = plan.span(index), plan.policy(index)
        who = catalogue.policy(code).who
        for pk, tie in self._unit(index).items():
            for other, spans in self._lines.get(pk, {}).items():
                if tie == OWN and other == code:
                    continue
                counts = {OWN, *_WIDE.get(who, ()), *_WIDE.get(catalogue.policy(other).who, ())}
                if tie in counts and (shared := _shared(spans, span)):
                    yield tie, Beside(other, shared)

    def _unit(self, index: int) -> dict[int, str]:
        person = self._plan.person(index)
        unit = dict.fromkeys(self._members.get(person.household, ()), HOUSEHOLD)
        unit |= dict.fromkeys(self._spouses.get(person.pk, ()), SPOUSE)
        return unit | {person.pk: OWN}


def _shared(spans: list[Span], span: Span) -> Span | None:
    """The last of some lines that begins before `span` ends, where it shares a month with it.

    Lines of one person on one roll never overlap, so that no earlier one can.
    """
    place = bisect_right(spans, span.end, key=lambda one: one.start)
    last = spans[place - 1] if place else None
    return last if last and last.end >= span.start else None


def _spouses(people: dict) -> dict[int, set[int]]:
    """By person, with whom they make a couple, whichever of the two records says so."""
    found = defaultdict(set)
    for pk, person in people.items():
        if person.spouse:
            found[pk].add(person.spouse)
    for spouse, pk, marital in bulk.lookup(Resident, "spouse_id", people, ["id", "marital"]):
        if marital in PAIRED:
            found[spouse].add(pk)
    return found


def _members(homes: set[int]) -> dict[int, list[int]]:
    """By household, its people."""
    found = defaultdict(list)
    for household, pk, merged in bulk.lookup(
        Resident, "household_id", homes, ["id", "merged_into_id"]
    ):
        if merged is None:
            found[household].append(pk)
    return found
