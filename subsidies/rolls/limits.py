"""What a change of a line may be: in which months and states. Asked when proposed and when decided."""

from datetime import date, datetime

from django.utils import timezone

from fpadmin.errors import RuleViolation
from subsidies.eligibility.explaining import as_record, explain
from subsidies.models import Enrolment, EnrolmentChange, ExitReason
from subsidies.policies.book import Rule, policy_book
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
# Events that end a yearly benefit with its year; a mistake or a waiver may end it in any month.
EVENTS = frozenset(
    {ExitReason.DEATH, ExitReason.CHILDREN, ExitReason.HUKOU, ExitReason.MOVED, ExitReason.AGE}
)
YEARS_AHEAD = 1  # a month further off is a slip of the pen


def refuse(
    enrolment: Enrolment,
    kind: str,
    month: date,
    end_reason: str,
    now: datetime,
    *,
    never_paid: bool = False,
) -> None:
    """Raise what refusal() says, on the field of the month."""
    field, words = refusal(enrolment, kind, month, end_reason, now, never_paid=never_paid)
    if words:
        raise RuleViolation(words, field=field or None)


def refusal(
    enrolment: Enrolment,
    kind: str,
    month: date,
    end_reason: str,
    now: datetime,
    *,
    never_paid: bool = False,
) -> tuple[str, str]:
    """(field, why not) of such a change as the line stands; ("", "") where it may be."""
    if kind not in Kind.values:
        raise KeyError(f"unknown kind of change {kind!r}; known: {', '.join(Kind.values)}")
    latest = date(timezone.localtime(now).year + YEARS_AHEAD, 12, 1)
    if month > latest:
        return "month", f"年月不能晚于{month_words(latest)}，请核对。"
    if kind == Kind.SUSPEND:
        return _suspend(enrolment, month)
    if kind == Kind.RESUME:
        return _resume(enrolment, month)
    if kind == Kind.MOVE:
        return _move(enrolment, month, never_paid)
    return _end(enrolment, month, end_reason, never_paid)


def usual_month(enrolment: Enrolment, event_day: date) -> date:
    """The last month paid after an event of that day, by the rule that held then."""
    return end_month(rule_of(enrolment, event_day), event_day)


def rule_of(enrolment: Enrolment, day: date) -> Rule:
    """The line's policy as it held where the person lives on `day`."""
    return policy_book(day).rule(enrolment.policy_code, enrolment.resident.village.path)


def decision_of(enrolment: Enrolment, month: date) -> dict:
    """Version and grounds of the line that `enrolment` moves into with `month`."""
    case = explain(enrolment.resident, enrolment.policy.moves_to, month)
    return {
        "version": case.rule.version,
        "decision": {**as_record(case), "moved_from": enrolment.policy_code},
    }


def _end(enrolment: Enrolment, month: date, end_reason: str, never_paid: bool) -> tuple[str, str]:
    if not end_reason:
        return "end_reason", "请选择退出原因。"
    shortened = enrolment.end_month and month < enrolment.end_month
    if enrolment.end_month and (not shortened or _followed(enrolment)):
        return "", _ended(enrolment)
    field, words = _within(enrolment, month, never_paid)
    if words or never_paid:
        return field, words
    rule = rule_of(enrolment, month)
    if rule.ends == "through the year" and end_reason in EVENTS:
        last = last_of_benefit_year(rule, month)
        if month != last:
            return "month", (
                f"按规定发到退出当年年底，最后发放年月应为{month_words(last)}。"
                "登记有误、本人放弃或重复享受的，请选相应的退出原因。"
            )
    return "", ""


def _move(enrolment: Enrolment, month: date, never_paid: bool) -> tuple[str, str]:
    target = enrolment.policy.moves_to
    if not target:
        return "kind", f"“{enrolment.policy.name}”没有可以转入的政策，请办理退出。"
    if enrolment.end_month:
        return "", _ended(enrolment)
    died = enrolment.resident.death_date
    if died and first_of_month(died) < next_month(month):
        return "month", f"{enrolment.resident.name}已于{died}死亡，不能转入另一政策，请办理退出。"
    return _within(enrolment, month, never_paid)


def _within(enrolment: Enrolment, month: date, never_paid: bool) -> tuple[str, str]:
    """A last month paid lies in the line, and not beyond what a death leaves."""
    if never_paid:
        if month == month_before(enrolment.start_month):
            return "", ""
        return "month", "从未发放的，应退到起始年月以前。"
    if month < enrolment.start_month:
        return "month", (
            f"最后发放年月不能早于起始年月（{month_words(enrolment.start_month)}）。"
            "从未发放的，请勾选“从未发放”。"
        )
    died = enrolment.resident.death_date
    if died:
        last = usual_month(enrolment, died)
        if month > last:
            return "month", (
                f"{enrolment.resident.name}已于{died}死亡，最多发到{month_words(last)}。"
            )
    return "", ""


def _suspend(enrolment: Enrolment, month: date) -> tuple[str, str]:
    if enrolment.suspensions.filter(until_month__isnull=True).exists():
        return "", "已经暂停，不用再次暂停。"
    if month < enrolment.start_month:
        return "month", f"暂停不能早于起始年月（{month_words(enrolment.start_month)}）。"
    if enrolment.end_month and month > enrolment.end_month:
        return "month", _ended(enrolment)
    if enrolment.suspensions.filter(until_month__gte=month).exists():
        return "month", "这个月在以前的一次暂停里，请选恢复以后的月份。"
    return "", ""


def _resume(enrolment: Enrolment, month: date) -> tuple[str, str]:
    stopped = enrolment.suspensions.filter(until_month__isnull=True).first()
    if stopped is None:
        return "", "没有暂停，不用恢复。"
    if enrolment.end_month and month > enrolment.end_month:
        return "month", _ended(enrolment)
    if month <= stopped.from_month:
        return "month", (f"恢复的月份要晚于暂停的月份（{month_words(stopped.from_month)}）。")
    return "", ""


def _followed(enrolment: Enrolment) -> bool:
    return Enrolment.objects.filter(moved_from=enrolment).exists()


def _ended(enrolment: Enrolment) -> str:
    return f"已经退出，最后发放{month_words(enrolment.end_month)}，不能再这样办理。"
