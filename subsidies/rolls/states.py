"""What state a line of a roll is in on a day: written once, for lists, pages and what waits."""

from datetime import date

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from subsidies.models import EnrolmentChange, Suspension

ACTIVE, SUSPENDED, WAITING, ENDED, COMING = "active", "suspended", "waiting", "ended", "coming"
WORDS = {
    ACTIVE: "在册", SUSPENDED: "暂停", WAITING: "待审变动", ENDED: "已退出", COMING: "尚未开始",
}  # fmt: skip
TAGS = {ACTIVE: "ok", SUSPENDED: "warn", WAITING: "wait", ENDED: "off", COMING: "run"}
NEVER_PAID = Q(end_month__lt=F("start_month"))


def suspended_on(day: date) -> Exists:
    """Whether a suspension of the line covers the month of `day`."""
    month = day.replace(day=1)
    lasting = Q(until_month__isnull=True) | Q(until_month__gte=month)
    return Exists(
        Suspension.objects.filter(lasting, enrolment=OuterRef("pk"), from_month__lte=month)
    )


def change_waiting() -> Exists:
    """Whether a change of the line waits to be decided."""
    return Exists(EnrolmentChange.objects.filter(enrolment=OuterRef("pk"), decision=""))


def ended_by(day: date) -> Q:
    """Lines whose last month paid is over by the month of `day`, and those never paid."""
    return NEVER_PAID | Q(end_month__lt=day.replace(day=1))


def with_state(lines: QuerySet, day: date) -> QuerySet:
    """With `state`, one of WORDS: an ended line first, then a change that waits, then a suspension."""
    return lines.annotate(
        state=Case(
            When(ended_by(day), then=Value(ENDED)),
            When(change_waiting(), then=Value(WAITING)),
            When(start_month__gt=day.replace(day=1), then=Value(COMING)),
            When(suspended_on(day), then=Value(SUSPENDED)),
            default=Value(ACTIVE),
        )
    )
