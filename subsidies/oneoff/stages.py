"""The stages of schooling: who is in which this school year, and whose stage ought to have ended.

A stage lasts so many years; a child starts school at six. Both are only asked to find whom to look at:
who repeats a year or began late stays as somebody decides.
"""

from datetime import date

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When

from subsidies.models import Enrolment
from subsidies.rolls.states import NEVER_PAID, change_waiting, ended_by

CODE = "YN-SCHOLARSHIP"
BEGINS = 9  # a school year begins in September
# Stage → (years, the age by which it is over or None).
STAGES = {"小学": (6, 12), "初中": (3, 15), "高中": (3, 18), "大专": (3, None), "本科": (4, None)}
NEXT = {"小学": "初中", "初中": "高中", "高中": "大专或本科"}
READING, BY_YEARS, BY_AGE, WAITING, ENDED, FOLLOWED = (
    "reading", "years", "age", "waiting", "ended", "followed",
)  # fmt: skip
DUE = (BY_YEARS, BY_AGE)
WORDS = {
    READING: "在读", BY_YEARS: "年限已满", BY_AGE: "年龄已到", WAITING: "待审变动",
    ENDED: "待接下一学段", FOLLOWED: "已结束",
}  # fmt: skip
TAGS = {
    READING: "ok", BY_YEARS: "warn", BY_AGE: "warn", WAITING: "wait", ENDED: "warn", FOLLOWED: "off",
}  # fmt: skip


def school_year(day: date) -> int:
    """The calendar year in which the school year of the day began."""
    return day.year - (day.month < BEGINS)


def school_year_words(day: date) -> str:
    """2018—2019学年."""
    first = school_year(day)
    return f"{first}—{first + 1}学年"


def next_words(stage: str) -> str:
    """What follows the stage; the studies are over after the last."""
    return NEXT.get(stage, "学业期满")


def pupils(lines: QuerySet, day: date) -> QuerySet:
    """These lines of rolls that are of the scholarship, with `standing`: one of WORDS, on the day.

    An ended stage that another may follow is ENDED until a later line of the child begins.
    """
    later = Enrolment.objects.filter(
        policy_code=CODE, resident=OuterRef("resident"), start_month__gt=OuterRef("start_month")
    )
    over = Q(grade__in=list(NEXT)) & ~Exists(later)
    return (
        lines.filter(policy_code=CODE)
        .exclude(NEVER_PAID)
        .annotate(
            standing=Case(
                When(ended_by(day) & over, then=Value(ENDED)),
                When(ended_by(day), then=Value(FOLLOWED)),
                When(change_waiting(), then=Value(WAITING)),
                *_due(day),
                default=Value(READING),
            )
        )
    )


def _due(day: date) -> list[When]:
    """Of a stage of six years begun in the school year 2012 the next is due in that of 2018."""
    first, found = school_year(day), []
    for stage, (years, age) in STAGES.items():
        begun = date(first - years + 1, 1, 1)
        found.append(When(Q(grade=stage, start_month__lt=begun), then=Value(BY_YEARS)))
        if age:
            born = date(first - age, 8, 31)
            found.append(When(Q(grade=stage, resident__birth_date__lte=born), then=Value(BY_AGE)))
    return found
