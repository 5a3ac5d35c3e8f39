"""What may be proposed about a line as it stands, with which month and reason to begin with."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from households.models import ChildRecord
from subsidies.models import EnrolmentChange, ExitReason
from subsidies.policies import catalogue
from subsidies.rolls.ends import end_month, first_of_month, next_month
from subsidies.rolls.limits import Standing, standings

Kind = EnrolmentChange.Kind
MONTH_WORDS = {
    Kind.END: ("最后发放年月", "这个月还发，下个月起不发。按年发放的，发到当年12月。"),
    Kind.MOVE: ("最后发放年月", "原政策发到这个月，下个月起按新政策发放。"),
    Kind.SUSPEND: ("暂停起", "从这个月起不发，直到恢复。"),
    Kind.RESUME: ("恢复起", "从这个月起重新发放。"),
}


@dataclass(frozen=True)
class Offer:
    """One thing that may be proposed; `month` and `end_reason` are what the form begins with."""

    kind: str
    label: str
    month: date
    end_reason: str = ""


def offers(standing: Standing, day: date) -> list[Offer]:
    """In the order of the page; none while a change waits. `standing` was asked with `day`."""
    line = standing.line
    if standing.is_waiting or (line.end_month and line.end_month < line.start_month):
        return []
    found = []
    if line.end_month is None:
        found.append(Offer(Kind.END, "提出退出", *usual_end(standing, day)))
        if line.policy.moves_to and not line.resident.death_date:
            name = catalogue.name_of(line.policy.moves_to)
            found.append(Offer(Kind.MOVE, f"转入{name}", usual_move(standing, day)))
    elif not standing.is_followed:
        found.append(Offer(Kind.END, "提前退出", *usual_end(standing, day)))
    over = line.end_month and line.end_month < first_of_month(day)
    if standing.stopped:
        if not over:
            month = max(first_of_month(day), next_month(standing.stopped.from_month))
            found.append(Offer(Kind.RESUME, "恢复发放", month))
    elif not over:
        month = max(next_month(first_of_month(day)), line.start_month)
        found.append(Offer(Kind.SUSPEND, "暂停发放", month))
    return found


def proposed_words(offer: Offer, standing: Standing) -> str:
    """What stands after proposing: nothing has happened yet, and what is stopped stays stopped."""
    label = offer.label.removeprefix("提出")
    until = "仍暂停发放" if standing.stopped else "照旧发放"
    return f"已提出{label}，等审核人同意后生效。同意以前{until}。"


def usual_end(standing: Standing, day: date) -> tuple[date, str]:
    """Month and reason that the registry speaks for: a death, a departure, else an end now."""
    one = standing.line.resident
    if one.death_date:
        return end_month(standing.rule(one.death_date), one.death_date), ExitReason.DEATH
    if one.departed_on:
        # By the rule of today: of the day itself no book was read, and rules of ending hardly change.
        return end_month(standing.rule(day), one.departed_on), ExitReason.MOVED
    return end_month(standing.rule(day), day), ""


def usual_move(standing: Standing, day: date) -> date:
    """The month of the only child's death, where one is registered; else this month."""
    person = standing.line.resident_id
    died = (
        ChildRecord.objects.filter(Q(mother=person) | Q(father=person), death_date__lte=day)
        .order_by("-death_date")
        .values_list("death_date", flat=True)
        .first()
    )
    return max(first_of_month(died or day), standing.line.start_month)


def usual_of_many(kind: str, day: date) -> date:
    """The month that the form for many lines begins with: December, next month, or this one."""
    if kind == Kind.END:
        return date(day.year, 12, 1)
    return next_month(first_of_month(day)) if kind == Kind.SUSPEND else first_of_month(day)


def standing_of(line, day: date) -> Standing:
    """The line as it stands, with the rules of `day`."""
    return standings([line], [day])[line.pk]
