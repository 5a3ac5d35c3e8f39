"""Who enters and who leaves a policy in the next twelve months: each once, with the day, reason and money.

Enters: newly meets the criteria and is not on the roll, or is on it from a month to come. Leaves: is on
the roll and ceases to meet them, has an end decided, or should have moved to another policy. Who meets
the criteria before today already, enrolled or not, is no news: the list of who qualifies shows them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, Q

from fpadmin.accounts.models import Region
from fpadmin.dates import month_end
from fpadmin.scoping import below
from subsidies.eligibility.finding import Found, alike, found
from subsidies.models import Enrolment, PolicyExclusion, PolicyVersion
from subsidies.outlook import money
from subsidies.outlook.moving import Moving, moving_now
from subsidies.outlook.turning import ONE_DAY, Turn, turns
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, policy_books
from subsidies.policies.catalogue import Criterion

ENTER, LEAVE = "enter", "leave"
SIDES = {ENTER: "进入", LEAVE: "退出"}
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Coming:
    """One unit that enters or leaves: the beneficiary, when, why, and the yuan, None without a rate."""

    resident_id: int
    village_id: int
    side: str
    day: date
    reason: str
    yuan: Decimal | None

    @property
    def month(self) -> date:
        """The first day of its month."""
        return self.day.replace(day=1)


def months_of(today: date) -> list[date]:
    """The first days of the twelve months, that of today being the first."""
    count = today.year * 12 + today.month - 1
    return [date((count + n) // 12, (count + n) % 12 + 1, 1) for n in range(MONTHS)]


def ahead(user, code: str, path: str, today: date) -> list[Coming]:
    """What comes under the region's path, in order of days. A fixed number of statements."""
    return _Outlook(user, code, path, today).everything()


class _Outlook:
    """One policy in one place: its rolls, rules and villages, read once."""

    def __init__(self, user, code: str, path: str, today: date):
        self.user, self.code, self.path, self.today = user, code, path, today
        self.policy = catalogue.policy(code)
        first = today - ONE_DAY
        last = month_end(*_year_month(months_of(today)[-1]))
        self.changes = _rule_changes(code, path, today, last)
        # The books in force: of today, and from each day on which a rule changes.
        self.books = policy_books([today, *self.changes])
        self.segments = _segments(first, last, self.changes)
        places = Region.objects.filter(below(path), level=Region.Level.VILLAGE)
        self.paths = dict(places.values_list("pk", "path"))
        self.roll = list(
            Enrolment.objects.visible_to(user)
            .filter(below(path, "resident__village__path"), policy_code=code)
            .filter(Q(end_month__isnull=True) | Q(end_month__gte=today.replace(day=1)))
            .annotate(
                village=F("resident__village"),
                home=F("resident__household"),
                spouse=F("resident__spouse"),
                moves_to=F("moved_to__policy_code"),
                comes_from=F("moved_from__policy_code"),
            )
            .order_by("pk")
        )
        self.on_roll = {key: one for one in self.roll for key in self._keys_of(one)}

    def everything(self) -> list[Coming]:
        """Each beneficiary at most once on a side: by what comes first."""
        moving = moving_now(self.user, self.code, self.path, self.books[self.today], self.today)
        listed = [
            *self._decided(),
            *self._moving(moving),
            *(one for turn in self._turns() if (one := self._by_age(turn))),
            *self._by_rule(),
        ]
        listed.sort(key=lambda one: (one.day, one.village_id, one.resident_id))
        once: dict[tuple[int, str], Coming] = {}
        for one in listed:
            once.setdefault((one.resident_id, one.side), one)
        return list(once.values())

    # What is decided already -----------------------------------------------------------------

    def _decided(self) -> Iterable[Coming]:
        months = months_of(self.today)
        for line in self.roll:
            rule, path = self._rule_at(line.village, self.today)
            if months[0] < line.start_month <= months[-1]:
                yuan = money.starting(
                    rule, self._book(self.today), path, line.start_month, line.grade
                )
                reason = f"已批准，{line.start_month:%Y年%-m月}起享受"
                if line.comes_from:
                    reason = f"由{catalogue.name_of(line.comes_from)}转入"
                yield self._coming(line, ENTER, line.start_month, reason, yuan)
            if line.end_month and months[0] <= line.end_month <= months[-1]:
                yuan = money.leaving(rule, self._book(self.today), path, line.end_month, line.grade)
                reason = f"已定退出：{line.get_end_reason_display()}"
                if line.moves_to:
                    reason = f"转入{catalogue.name_of(line.moves_to)}"
                day = month_end(*_year_month(line.end_month))
                yield self._coming(line, LEAVE, day, reason, yuan)

    def _moving(self, moving: list[Moving]) -> Iterable[Coming]:
        for one in moving:
            rule, path = self._rule_at(one.village_id, self.today)
            book = self._book(self.today)
            if one.leaves:
                last = self.today.replace(day=1)
                yuan = money.leaving(rule, book, path, last, one.grade)
                reason, side = f"转入{catalogue.name_of(one.other_code)}", LEAVE
            else:
                first = (month_end(*_year_month(self.today))) + ONE_DAY
                yuan = money.starting(rule, book, path, first)
                reason, side = f"由{catalogue.name_of(one.other_code)}转入", ENTER
            yield Coming(one.resident_id, one.village_id, side, self.today, reason, yuan)

    # By age, and by a rule that changes --------------------------------------------------------

    def _turns(self) -> Iterable[Turn]:
        for start, end in self.segments:
            days = [start, *(d for d in _month_ends(start, end))]
            book = self._book(start)
            parts = book.parts(self.code, self.path)
            on = [part for part in parts if part.rule.is_on]
            # Asked once of all places whose rules ask the same, unless some have none.
            groups = alike(parts) if on == parts else [(part,) for part in on]
            for group in groups if len(days) > 1 else []:
                yield from turns(group, self.today, days)

    def _by_age(self, turn: Turn) -> Coming | None:
        return self._of_unit(turn.unit, turn.enters, turn.day, reason_of(turn))

    def _by_rule(self) -> Iterable[Coming]:
        for day in self.changes:
            before = self._members(self._book(day - ONE_DAY), day - ONE_DAY)
            after = self._members(self._book(day), day)
            for key, unit in after.items():
                if key not in before and (
                    one := self._of_unit(unit, True, day, f"{day:%Y年%-m月%-d日}起政策调整")
                ):
                    yield one
            for key, unit in before.items():
                if key not in after and (
                    one := self._of_unit(unit, False, day, f"{day:%Y年%-m月%-d日}起政策调整")
                ):
                    yield one

    def _members(self, book: PolicyBook, day: date) -> dict[int, Found]:
        """Who meets the rules where they are switched on."""
        on = {pk for pk, path in self.paths.items() if book.is_on(self.code, path)}
        units = found(self.code, day, self.path, book=book) if on else []
        return {one.resident_id: one for one in units if one.village_id in on}

    # Units and lines of the roll ---------------------------------------------------------------

    def _of_unit(self, unit: Found, enters: bool, day: date, reason: str) -> Coming | None:
        line = self._line_of(unit)
        if enters == (line is not None):
            return None
        rule, path = self._rule_at(unit.village_id, day)
        book = self._book(day)
        if enters:
            yuan = None if self.policy.grades else money.entering(rule, book, path, day)
            return Coming(unit.resident_id, unit.village_id, ENTER, day, reason, yuan)
        # What follows is paid by the rule it was drawn by until then.
        rule, path = self._rule_at(unit.village_id, day - ONE_DAY)
        yuan = money.leaving(rule, book, path, money.last_month(rule, day), line.grade)
        return self._coming(line, LEAVE, day, reason, yuan)

    def _coming(self, line: Enrolment, side: str, day: date, reason: str, yuan) -> Coming:
        return Coming(line.resident_id, line.village, side, day, reason, yuan)

    def _keys_of(self, line: Enrolment) -> list[tuple[str, int]]:
        """By what a unit is known on the roll: a couple by either of the two, a family by its household."""
        if self.policy.who == "family":
            return [("household", line.home)]
        people = [line.resident_id]
        if self.policy.who == "couple" and line.spouse:
            people.append(line.spouse)
        return [("resident", pk) for pk in people]

    def _line_of(self, unit: Found) -> Enrolment | None:
        if self.policy.who == "family":
            return self.on_roll.get(("household", unit.household_id))
        return self.on_roll.get(("resident", unit.resident_id))

    def _rule_at(self, village: int, day: date):
        path = self.paths.get(village, self.path)
        return self._book(day).rule(self.code, path), path

    def _book(self, day: date) -> PolicyBook:
        """The book in force on the day."""
        return self.books[max((d for d in self.books if d <= day), default=self.today)]


def reason_of(turn: Turn) -> str:
    """满60周岁, 女方满49周岁, 子女满18周岁."""
    if turn.criterion is None:
        return "年龄变化"
    whose = {"age": "", "wife_age": "女方" if turn.is_wife else "本人", "child_age": "子女"}
    return f"{whose[turn.criterion.key]}满{_years_of(turn.criterion, turn.enters)}周岁"


def _years_of(criterion: Criterion, enters: bool) -> int:
    return criterion.params["min"] if enters else criterion.params["max"] + 1


def _rule_changes(code: str, path: str, today: date, last: date) -> list[date]:
    """The days after today on which a rule of the place, above or below it begins to hold."""
    steps = path.split(".")[:-1]
    above = [".".join(steps[: n + 1]) + "." for n in range(len(steps))]
    place = Q(region__path__in=above) | below(path, "region__path")
    days: set[date] = set()
    for model in (PolicyVersion, PolicyExclusion):
        rows = model.objects.filter(
            place, policy_code=code, cancelled_at__isnull=True, from_on__gt=today, from_on__lte=last
        )
        days.update(rows.order_by().values_list("from_on", flat=True))
    return sorted(days)


def _segments(first: date, last: date, changes: list[date]) -> list[tuple[date, date]]:
    """(base, end) of each stretch with one rule; a change belongs to the day it begins on."""
    starts = [first, *changes]
    ends = [*(day - ONE_DAY for day in changes), last]
    return list(zip(starts, ends, strict=True))


def _month_ends(after: date, until: date) -> Iterable[date]:
    """The last days of the months after `after`, and `until` itself."""
    day = month_end(*_year_month(after + ONE_DAY))
    while day < until:
        yield day
        day = month_end(*_year_month(day + ONE_DAY))
    if until > after:
        yield until


def _year_month(day: date) -> tuple[int, int]:
    return day.year, day.month
