"""The test behind a review: who stays on a roll, who leaves it or moves to another, who is missing.

Everybody is found by the one statement of the policy; only the lines that fail are looked at closer, all of
them together. Nothing here writes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from fpadmin.accounts.models import Region
from households.models import ChildRecord, Resident
from households.special.dates_ahead import birthday
from subsidies.eligibility.explaining import deciding_people, tested
from subsidies.eligibility.facts import criteria_of
from subsidies.eligibility.finding import found
from subsidies.eligibility.predicates import EXCLUDES, Facts, predicate
from subsidies.models import Application, Enrolment, ExitReason, ReviewFinding
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, Rule
from subsidies.policies.catalogue import Criterion
from subsidies.rolls.ends import end_month

# Which reason a failing criterion is, in the order in which one reason is told for several.
REASON_OF = (
    (ExitReason.MOVED, ("registered_here",)),
    (
        ExitReason.CHILDREN,
        ("ever_had_child", "children_ever", "living_children", "only_child_disabled",
         "no_birth_outside_policy"),
    ),
    (ExitReason.HUKOU, ("hukou", "spouse_hukou")),
    (ExitReason.AGE, ("child_age", "age", "wife_age", "born_from")),
    (ExitReason.TWICE, (EXCLUDES,)),
)  # fmt: skip
_LONGEST = 300


@dataclass(frozen=True)
class Tested:
    """One person: the line tested (None of somebody missing), what came out, and why.

    `month` is the last one to pay, of a line that ends or moves.
    """

    resident_id: int
    enrolment_id: int | None
    finding: str
    reason: str = ""
    detail: str = ""
    month: date | None = None


@dataclass(frozen=True)
class _Line:
    pk: int
    resident: Resident
    start_month: date


def test_roll(code: str, region: Region, as_of: date, book: PolicyBook) -> list[Tested]:
    """Every open line of the policy's roll in the region, and who qualifies without standing on it.

    A policy that rests on attested facts has nobody missing: records alone make candidates of it.
    """
    policy = catalogue.policy(code)
    standing = _open_lines(code, region)
    lines = [line for line in standing if line.start_month <= as_of]
    units = found(code, as_of, region.path, book=book)
    qualify = {unit.resident_id for unit in units}
    homes = {unit.household_id for unit in units}
    stays, failing = [], []
    for line in lines:
        people = {line.resident.pk}
        if policy.who == "couple":
            people.add(line.resident.spouse_id)
        holds = line.resident.household_id in homes if policy.who == "family" else people & qualify
        (stays if holds and not _died(line.resident, as_of) else failing).append(line)
    results = [Tested(line.resident.pk, line.pk, ReviewFinding.STAYS) for line in stays]
    results += _leaving(code, failing, as_of, book, region)
    if not policy.is_attested and not policy.closed:
        results += _missing(code, units, standing, region, book)
    return results


def _open_lines(code: str, region: Region) -> list[_Line]:
    rows = (
        Enrolment.objects.within(region)
        .filter(policy_code=code, end_month__isnull=True)
        .select_related("resident__village")
        .order_by("pk")
    )
    return [_Line(row.pk, row.resident, row.start_month) for row in rows]


def _died(resident: Resident, as_of: date) -> bool:
    return resident.death_date is not None and resident.death_date <= as_of


def _leaving(
    code: str, lines: Collection[_Line], as_of: date, book: PolicyBook, region: Region
) -> list[Tested]:
    policy = catalogue.policy(code)
    moving = set()
    if policy.moves_to and lines:
        others = found(policy.moves_to, as_of, region.path, book=book)
        moving = {unit.resident_id for unit in others}
    by_rule = defaultdict(list)
    for line in lines:
        by_rule[line.resident.village.path].append(line)
    deciding = deciding_people([line.resident for line in lines], policy.who)
    changes = _child_days({pk for people in deciding.values() for pk in people}, as_of)
    results = []
    for path, some in by_rule.items():
        rule = book.rule(code, path)
        asked = criteria_of(rule)
        people = {pk for line in some for pk in deciding[line.resident.pk]}
        rows = tested(rule, asked, as_of, people) if people else {}
        for line in some:
            known = [pk for pk in deciding[line.resident.pk] if pk in rows]
            best = max(known, key=lambda pk: sum(rows[pk][1]), default=None)
            case = rows[best] if best else None
            results.append(_ending(line, rule, asked, case, as_of, moving, changes.get(best)))
    return results


def _ending(
    line: _Line, rule: Rule, asked, case, as_of: date, moving: set[int], changed: date | None
) -> Tested:
    resident = line.resident
    facts, holds = case or ({}, [])
    failing = [one for one, hold in zip(asked, holds, strict=False) if not hold]
    detail = "；".join(_said(one, facts, as_of) for one in failing)[:_LONGEST]
    if _died(resident, as_of):
        reason, day = ExitReason.DEATH, resident.death_date
        detail = f"{resident.death_date}去世"
    elif resident.departed_on and resident.departed_on <= as_of:
        reason, day, detail = ExitReason.MOVED, resident.departed_on, f"{resident.departed_on}离册"
    else:
        reason = reason_of(failing)
        day = _day_of(reason, failing, facts, as_of, changed)
    month = max(end_month(rule, day), line.start_month)
    moves = resident.pk in moving and reason == ExitReason.CHILDREN
    if moves:
        # The other benefit begins the month after the child's death, so this one ends with that month.
        month = max(day.replace(day=1), line.start_month)
    finding = ReviewFinding.MOVES if moves else ReviewFinding.ENDS
    return Tested(resident.pk, line.pk, finding, reason, detail, month)


def reason_of(failing: Iterable[Criterion]) -> str:
    """The workbook's word for why somebody who fails these criteria leaves the roll."""
    keys = {one.key for one in failing}
    return next((reason for reason, some in REASON_OF if keys & set(some)), ExitReason.OTHER)


def _day_of(reason: str, failing, facts: Facts, as_of: date, changed: date | None) -> date:
    """The day on which it came about, as far as the records tell; else the day of the review."""
    if reason == ExitReason.CHILDREN and changed:
        return changed
    for one in failing:
        if reason == ExitReason.AGE and one.key == "child_age" and one.params.get("max"):
            return birthday(facts["living_birth_date"], one.params["max"] + 1)
    return as_of


def _said(criterion: Criterion, facts: Facts, as_of: date) -> str:
    one = predicate(criterion)
    if criterion.key == EXCLUDES:
        return "正在享受不能同时享受的另一项待遇"
    return f"{one.asks(criterion.params)}：{one.found(facts, criterion.params, as_of)}"


def _child_days(people: Collection[int], as_of: date) -> dict[int, date]:
    """By parent, the last day up to `as_of` on which a child was born or died."""
    found_days: dict[int, date] = {}
    for parent in ("mother", "father"):
        rows = ChildRecord.objects.filter(
            birth_date__lte=as_of, **{f"{parent}__in": list(people)}
        ).order_by()
        for pk, born, died in rows.values_list(parent, "birth_date", "death_date"):
            last = died if died and died <= as_of else born
            found_days[pk] = max(found_days.get(pk, last), last)
    return found_days


def _missing(code: str, units, lines, region: Region, book: PolicyBook) -> list[Tested]:
    policy = catalogue.policy(code)
    applied = (
        Application.objects.within(region)
        .open()
        .filter(policy_code=code)
        .values_list("resident", "resident__household", "resident__spouse")
    )
    there = [(one.resident.pk, one.resident.household_id, one.resident.spouse_id) for one in lines]
    people, homes = set(), set()
    for pk, home, spouse in [*there, *applied.order_by()]:
        people |= {pk, spouse} if policy.who == "couple" else {pk}
        homes.add(home)
    paths = dict(
        Region.objects.filter(pk__in={u.village_id for u in units}).values_list("pk", "path")
    )
    on = {pk for pk, path in paths.items() if book.is_on(code, path)}
    return [
        Tested(unit.resident_id, None, ReviewFinding.MISSING)
        for unit in units
        if unit.village_id in on
        and unit.resident_id not in people
        and not (policy.who == "family" and unit.household_id in homes)
    ]
