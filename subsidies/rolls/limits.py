"""What a change of a line may be: in which months and states. Asked when proposed and when decided."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils import timezone

from fpadmin.errors import RuleViolation
from subsidies.eligibility.explaining import as_record, explain
from subsidies.models import Enrolment, EnrolmentChange, ExitReason, Suspension
from subsidies.policies.book import PolicyBook, Rule, policy_books
from subsidies.rolls.ends import (
    end_month,
    first_of_month,
    last_of_benefit_year,
    month_before,
    month_words,
    next_month,
)

Kind = EnrolmentChange.Kind
TWICE_FROM = "这位居民在同一政策、同一起始年月已有在册记录。"
WAITING = "已有一条变动等待审核，请先处理。"
# Events that end a yearly benefit with its year; a mistake or a waiver may end it in any month.
EVENTS = frozenset(
    {ExitReason.DEATH, ExitReason.CHILDREN, ExitReason.HUKOU, ExitReason.MOVED, ExitReason.AGE}
)
YEARS_AHEAD = 1  # a month further off is a slip of the pen
Refusal = tuple[str, str]  # the field it belongs to, and the words; both "" where nothing is wrong
FINE: Refusal = ("", "")


@dataclass
class Standing:
    """A line with all that a change of it depends on. `line` has its resident and village."""

    line: Enrolment
    books: Mapping[date, PolicyBook]
    suspensions: list[Suspension] = field(default_factory=list)
    is_followed: bool = False  # another line begins where this one ends
    is_waiting: bool = False  # a proposal waits

    @property
    def stopped(self) -> Suspension | None:
        """The suspension that nobody has ended."""
        return next((one for one in self.suspensions if one.until_month is None), None)

    def rule(self, day: date) -> Rule:
        """The policy as it held on `day` where the person lives."""
        return self.books[day].rule(self.line.policy_code, self.line.resident.village.path)


def standings(lines: Iterable[Enrolment], days: Collection[date] = ()) -> dict[int, Standing]:
    """By key, in a fixed number of queries. `days` are those whose rules are asked for besides deaths."""
    lines = list(lines)
    keys = [line.pk for line in lines]
    died = {line.resident.death_date for line in lines} - {None}
    books = policy_books({*days, *died})
    suspensions = defaultdict(list)
    for one in Suspension.objects.filter(enrolment__in=keys).order_by("from_month"):
        suspensions[one.enrolment_id].append(one)
    followed = set(
        Enrolment.objects.filter(moved_from__in=keys)
        .order_by()
        .values_list("moved_from", flat=True)
    )
    waiting = EnrolmentChange.objects.filter(enrolment__in=keys, decision="").order_by()
    waited = set(waiting.values_list("enrolment", flat=True))
    return {
        line.pk: Standing(
            line, books, suspensions[line.pk], line.pk in followed, line.pk in waited
        )
        for line in lines
    }  # fmt: skip


def refuse(
    enrolment: Enrolment,
    kind: str,
    month: date,
    end_reason: str,
    now: datetime,
    *,
    never_paid: bool = False,
) -> None:
    """Raise what refusal() says of this one line."""
    standing = standings([enrolment], [month])[enrolment.pk]
    field_, words = refusal(standing, kind, month, end_reason, now, never_paid=never_paid)
    if words:
        raise RuleViolation(words, field=field_ or None)


def refusal(
    standing: Standing,
    kind: str,
    month: date,
    end_reason: str,
    now: datetime,
    *,
    never_paid: bool = False,
) -> Refusal:
    """Why such a change may not be, as the line stands. A proposal that waits is not its matter."""
    if kind not in Kind.values:
        raise KeyError(f"unknown kind of change {kind!r}; known: {', '.join(Kind.values)}")
    latest = date(timezone.localtime(now).year + YEARS_AHEAD, 12, 1)
    if month > latest:
        return "month", f"年月不能晚于{month_words(latest)}，请核对。"
    if kind == Kind.SUSPEND:
        return _suspend(standing, month)
    if kind == Kind.RESUME:
        return _resume(standing, month)
    if kind == Kind.MOVE:
        return _move(standing, month, never_paid)
    return _end(standing, month, end_reason, never_paid)


def year_words(standing: Standing, kind: str, day: date) -> str:
    """What to think of before ending a benefit paid by the year; "" for others."""
    rule = standing.rule(day)
    if kind != Kind.END or rule.ends != "through the year":
        return ""
    last = last_of_benefit_year(rule, day)
    return (
        f"这项政策按年发放，一般发到退出当年的{last.month}月：今年退出的，最后发放年月是"
        f"{month_words(last)}。填其他月份的，请在情况说明里写清已经发的钱怎样处理。"
    )


def mid_year_of(change: EnrolmentChange, line: Enrolment) -> str:
    """What is unusual about an end in the midst of a benefit year paid as a whole; "" where nothing is."""
    if change.kind != Kind.END or change.month < line.start_month:
        return ""
    rule = standings([line], [change.month])[line.pk].rule(change.month)
    last = last_of_benefit_year(rule, change.month)
    if rule.ends != "through the year" or change.month == last:
        return ""
    return (
        f"这项政策按年发放，一般发到{month_words(last)}，现在填的是{month_words(change.month)}。"
        "请核对月份，以及以后月份的钱是否已经发放、要不要退回。"
    )


def month_asked(line: Enrolment, month: date, *, never_paid: bool) -> date:
    """The month of a change: of a line of which nothing was paid, the one before its first."""
    return month_before(line.start_month) if never_paid else first_of_month(month)


def decision_of(enrolment: Enrolment, month: date) -> dict:
    """Version and grounds of the line that `enrolment` moves into with `month`."""
    case = explain(enrolment.resident, enrolment.policy.moves_to, month)
    return {
        "version": case.rule.version,
        "decision": {**as_record(case), "moved_from": enrolment.policy_code},
    }


def _end(standing: Standing, month: date, end_reason: str, never_paid: bool) -> Refusal:
    line = standing.line
    if not end_reason:
        return "end_reason", "请选择退出原因。"
    if line.end_month and (month >= line.end_month or standing.is_followed):
        return "", _ended(line)
    refused = _within(standing, month, never_paid)
    if refused != FINE or never_paid:
        return refused
    rule = standing.rule(month)
    last = last_of_benefit_year(rule, month)
    if rule.ends == "through the year" and end_reason in EVENTS and month != last:
        return "month", (
            f"按规定发到退出当年年底，最后发放年月应为{month_words(last)}。"
            "登记有误、本人放弃或重复享受的，请选相应的退出原因。"
        )
    return FINE


def _move(standing: Standing, month: date, never_paid: bool) -> Refusal:
    line = standing.line
    if not line.policy.moves_to:
        return "kind", f"“{line.policy.name}”没有可以转入的政策，请办理退出。"
    if line.end_month:
        return "", _ended(line)
    died = line.resident.death_date
    if died and first_of_month(died) < next_month(month):
        return "month", f"{line.resident.name}已于{died}死亡，不能转入另一政策，请办理退出。"
    return _within(standing, month, never_paid)


def _within(standing: Standing, month: date, never_paid: bool) -> Refusal:
    """A last month paid lies in the line, and not beyond what a death leaves."""
    line = standing.line
    if never_paid:
        return FINE
    if month < line.start_month:
        return "month", (
            f"最后发放年月不能早于起始年月（{month_words(line.start_month)}）。"
            "从未发放的，请勾选“从未发放”。"
        )
    died = line.resident.death_date
    if died:
        last = end_month(standing.rule(died), died)
        if month > last:
            return "month", f"{line.resident.name}已于{died}死亡，最多发到{month_words(last)}。"
    return FINE


def _suspend(standing: Standing, month: date) -> Refusal:
    line = standing.line
    if standing.stopped:
        return "", "已经暂停，不用再次暂停。"
    if month < line.start_month:
        return "month", f"暂停不能早于起始年月（{month_words(line.start_month)}）。"
    if line.end_month and month > line.end_month:
        return "month", _ended(line)
    if any(one.until_month >= month for one in standing.suspensions):
        return "month", "这个月在以前的一次暂停里，请选恢复以后的月份。"
    return FINE


def _resume(standing: Standing, month: date) -> Refusal:
    line = standing.line
    if standing.stopped is None:
        return "", "没有暂停，不用恢复。"
    if line.end_month and month > line.end_month:
        return "month", _ended(line)
    if month <= standing.stopped.from_month:
        return "month", (
            f"恢复的月份要晚于暂停的月份（{month_words(standing.stopped.from_month)}）。"
        )
    return FINE


def _ended(line: Enrolment) -> str:
    return f"已经退出，最后发放{month_words(line.end_month)}，不能再这样办理。"
