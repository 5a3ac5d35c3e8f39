"""The rosters (花名册) and the year's lists of who entered and who left, as they stand on paper.

They hold the lines that the return counts: 新增 and 退出 are its figures, the roster is 年初在册 and 新增
together, each in the village where the person is registered on the last day of the year.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from fpadmin.accounts.models import Region
from fpadmin.dates import calendar_year_period
from fpadmin.money import capital_yuan
from fpadmin.reporting.registry import Span
from households.counting import gathered
from households.models import ChildRecord, Sex
from subsidies.models import Enrolment
from subsidies.outlook.money import of_year
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, policy_book
from subsidies.policies.catalogue import Policy
from subsidies.returns.figures import BY_KEY, inside
from subsidies.rolls.states import suspended_on

ROSTER, ENTERED, EXITED = "roster", "entered", "exited"
KINDS = {ROSTER: "花名册", ENTERED: "新增人员名单", EXITED: "退出人员名单"}
CHILD_CLASSES = {(1, 0): "一个子女", (0, 1): "一个子女", (0, 2): "两个女孩", (0, 0): "没有子女"}
# What a sheet holds, and the characters of a bank or class that still stand on one line of a cell.
PER_SHEET = 18
_SHORT, _TALL = 6, 1.5


@dataclass(frozen=True)
class Line:
    """One line of a roll with what the paper says of it. Children None: the policy is for the child."""

    enrolment: Enrolment
    place: Region
    group: Region | None
    boys: int | None
    girls: int | None
    category: str
    amount: Decimal | None
    is_paused: bool

    @property
    def height(self) -> float:
        """In lines of a sheet."""
        longest = max(len(self.enrolment.resident.bank), len(self.category))
        return 1 + (_TALL - 1) * ((longest - 1) // _SHORT) if longest else 1


@dataclass(frozen=True)
class Total:
    """So many people, and the sum of their amounts; None where no rate is known."""

    name: str
    count: int
    amount: Decimal | None

    @property
    def in_words(self) -> str:
        """The sum as 大写."""
        return "" if self.amount is None else f"人民币{capital_yuan(self.amount)}"


@dataclass
class Sheet:
    """One page of one village: numbered lines, and the totals on the last page."""

    number: int
    place: Region
    lines: list[tuple[int, Line]] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)


def span_of(year: int) -> Span:
    """The calendar year, as the return takes it."""
    period = calendar_year_period(year)
    return Span(period.start, period.end)


def holds(kind: str, span: Span) -> Q:
    """Which lines of a roll the paper holds."""
    if kind == ROSTER:
        return BY_KEY["carried_in"].holds(span) | BY_KEY[ENTERED].holds(span)
    return BY_KEY[kind].holds(span)


def rolls(place: Region, kind: str, year: int) -> QuerySet:
    """The lines of every policy in the place, each with the `place` and `place_group` it counts in."""
    span = span_of(year)
    return inside(span, gathered([place])).filter(holds(kind, span))


def lines_of(kind: str, code: str, place: Region, year: int, today: date) -> list[Line]:
    """Village by village, group by group, household by household, in a fixed number of queries."""
    policy, day = catalogue.policy(code), span_of(year).as_of
    found = list(
        rolls(place, kind, year)
        .filter(policy_code=code)
        .select_related("resident__household")
        .annotate(is_paused=suspended_on(min(day, today)))
    )
    wanted = {one.place for one in found} | {one.place_group for one in found}
    places = Region.objects.select_related("parent").in_bulk(wanted - {None})
    children = {} if policy.who == "child" else _children(rolls(place, kind, year), code, day)
    amount_of = _amounts(policy, policy_book(day), day)
    lines = []
    for one in found:
        boys, girls = (
            children.get(one.resident_id, (0, 0)) if policy.who != "child" else (None, None)
        )
        lines.append(
            Line(
                one, places[one.place], places.get(one.place_group), boys, girls,
                one.grade or _class_of(policy, boys, girls),
                amount_of(places[one.place].path, one.grade), one.is_paused,
            )
        )  # fmt: skip
    return sorted(lines, key=_order)


def sheets_of(lines: Sequence[Line], place: Region) -> list[Sheet]:
    """Each village begins a page and ends with its sum; of a township the last page has the whole."""
    sheets: list[Sheet] = []
    for _, some in groupby(lines, key=lambda line: line.place.pk):
        rows, taken = list(some), 0.0
        for number, line in enumerate(rows, start=1):
            if number == 1 or taken + line.height > PER_SHEET:
                sheets.append(Sheet(len(sheets) + 1, line.place))
                taken = 0.0
            sheets[-1].lines.append((number, line))
            taken += line.height
        is_whole = rows[0].place == place
        sheets[-1].totals.append(_total("合计" if is_whole else f"{rows[0].place.name}合计", rows))
    if sheets and sheets[-1].place != place:
        sheets[-1].totals.append(_total(f"{place.name}总计", lines))
    return sheets


def _order(line: Line):
    home = line.enrolment.resident.household
    return (
        line.place.code, line.group.code if line.group else "", home.number, home.pk,
        line.enrolment.resident_id, line.enrolment.pk,
    )  # fmt: skip


def _total(name: str, lines: Iterable[Line]) -> Total:
    lines = list(lines)
    known = [line.amount for line in lines if line.amount is not None]
    return Total(name, len(lines), sum(known, Decimal(0)) if known else None)


def _class_of(policy: Policy, boys: int | None, girls: int | None) -> str:
    asks = any(one.key == "living_children" for one in policy.criteria)
    return CHILD_CLASSES.get((boys, girls), "") if asks else ""


def _amounts(policy: Policy, book: PolicyBook, day: date):
    known: dict[tuple[str, str], Decimal | None] = {}

    def amount_of(path: str, grade: str) -> Decimal | None:
        if (path, grade) not in known:
            rule = book.rule(policy.code, path)
            known[path, grade] = of_year(rule, book, path, day.year, day, grade)
        return known[path, grade]

    return amount_of


def _children(lines: QuerySet, code: str, day: date) -> dict[int, tuple[int, int]]:
    """{person: (sons, daughters)} living on the day, of the people of these lines."""
    people = lines.filter(policy_code=code).values("resident")
    counted: dict[int, tuple[int, int]] = {}
    for parent in ("mother", "father"):
        rows = (
            ChildRecord.objects.living_on(day)
            .filter(**{f"{parent}__in": people})
            .order_by()
            .values_list(parent)
            .annotate(
                boys=Count("pk", filter=Q(sex=Sex.MALE)),
                girls=Count("pk", filter=Q(sex=Sex.FEMALE)),
            )
        )
        for pk, boys, girls in rows:
            before = counted.get(pk, (0, 0))
            counted[pk] = before[0] + boys, before[1] + girls
    return counted


def place_names() -> Subquery:
    """The name of the village that a line of rolls() counts in."""
    return Subquery(Region.objects.filter(pk=OuterRef("place")).values("name")[:1])
