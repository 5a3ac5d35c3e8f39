"""Who is to be seen after the money came, by when, and how far the villages are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import (
    Aggregate,
    CharField,
    Count,
    DateField,
    DecimalField,
    Exists,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Concat

from fpadmin.workdays import workdays_between
from households.models import Resident
from subsidies.models import LineState, PaymentLine
from subsidies.policies import catalogue

# What a list, a file or a sheet calls a policy that tells of a child's death or illness.
PLAIN_NAME = "惠民补贴"
SOON = 5  # working days
_PAID = Q(state=LineState.PAID)


class _Texts(Aggregate):
    """The different values in one text, with commas."""

    function = "STRING_AGG"
    template = "%(function)s(DISTINCT %(expressions)s, ',')"
    output_field = CharField()

    def as_sqlite(self, compiler, connection, **extra):
        return self.as_sql(
            compiler, connection, template="GROUP_CONCAT(DISTINCT %(expressions)s)", **extra
        )


_PROJECT = Concat("policy_code", Value(":"), "year", output_field=CharField())


def to_see(user) -> QuerySet:
    """Payments that ask to be seen to, done or not, as far as `user` may know of them."""
    lines = PaymentLine.objects.visible_to(user).filter(see_by__isnull=False)
    return lines.filter(_PAID | Q(meeting__isnull=False))


def waiting(user) -> QuerySet:
    """Of these the ones that nobody has seen to yet."""
    return to_see(user).filter(_PAID, meeting__isnull=True)


def people(user, lines: QuerySet | None = None) -> QuerySet:
    """The people whom `user` is to see, the most urgent first, then in walking order: each once.

    With `see_by`, the earliest of their days, `paid_on`, `projects`, which projects_of() reads, and `yuan`.
    """
    lines = waiting(user) if lines is None else lines
    own = lines.filter(beneficiary=OuterRef("pk")).order_by().values("beneficiary")
    money = DecimalField(max_digits=14, decimal_places=2)
    return (
        Resident.objects.filter(Exists(lines.filter(beneficiary=OuterRef("pk"))))
        .annotate(
            see_by=Subquery(own.annotate(x=Min("see_by")).values("x"), output_field=DateField()),
            paid_on=Subquery(own.annotate(x=Min("paid_on")).values("x"), output_field=DateField()),
            yuan=Subquery(
                own.annotate(x=Sum("amount", output_field=money)).values("x"), output_field=money
            ),
            projects=Subquery(
                own.annotate(x=_Texts(_PROJECT)).values("x"), output_field=CharField()
            ),
        )
        .select_related("village", "household__group")
        .order_by("see_by", "village__path", "household__group__path", "household__number", "pk")
    )


def overdue(lines: QuerySet, day: date) -> QuerySet:
    """Of payments that wait those whose day is over."""
    return lines.filter(see_by__lt=day)


def due_tag(see_by: date, day: date, changed: Mapping[date, bool]) -> tuple[str, str]:
    """Kind and words of the tag: 逾期3个工作日, 今天到期, 还剩4个工作日, or the day itself."""
    if see_by < day:
        late = workdays_between(see_by, day, changed)
        return "bad", f"逾期{late}个工作日" if late else "已逾期"
    if see_by == day:
        return "warn", "今天到期"
    left = workdays_between(day, see_by, changed)
    return ("warn", f"还剩{left}个工作日") if left <= SOON else ("wait", f"{see_by:%m-%d}前")


def names_of(codes: str) -> str:
    """The policies as a list names them, in the catalogue's order; sensitive ones by PLAIN_NAME."""
    asked = set((codes or "").split(","))
    found = [plain_name(code) for code in catalogue.policies() if code in asked]
    return "、".join(dict.fromkeys(found))


def projects_of(projects: str) -> str:
    """The same with the benefit years of each: 农村部分计划生育家庭奖励扶助（2017、2018年度）."""
    years: dict[str, set[str]] = {}
    for one in filter(None, (projects or "").split(",")):
        code, _, year = one.partition(":")
        years.setdefault(code, set()).add(year)
    found: dict[str, set[str]] = {}
    for code in catalogue.policies():
        if code in years:
            found.setdefault(plain_name(code), set()).update(years[code])
    return "、".join(f"{name}（{'、'.join(sorted(them))}年度）" for name, them in found.items())


def plain_name(code: str) -> str:
    """The policy's name where others may read along."""
    return PLAIN_NAME if catalogue.policy(code).sensitive else catalogue.name_of(code)


@dataclass(frozen=True)
class VillageProgress:
    """How far a village is with those who were paid in a year: people, each counted once."""

    pk: int
    name: str
    due: int
    waiting: int
    overdue: int

    @property
    def seen(self) -> int:
        """Those of whom no payment waits."""
        return self.due - self.waiting

    @property
    def percent(self) -> float | None:
        """见面率; None where nobody was to be seen."""
        return 100 * self.seen / self.due if self.due else None


def by_village(user, year: int, day: date) -> list[VillageProgress]:
    """Each village where somebody was paid in `year`, in one query."""
    still = _PAID & Q(meeting__isnull=True)

    def number(condition):
        return Count("beneficiary", distinct=True, filter=condition)

    rows = (
        to_see(user)
        .filter(paid_on__year=year)
        .order_by("village__path")
        .values("village", "village__name", "village__path")
        .annotate(
            due=Count("beneficiary", distinct=True),
            waiting=number(still),
            overdue=number(still & Q(see_by__lt=day)),
        )
    )
    return [
        VillageProgress(
            row["village"], row["village__name"], row["due"], row["waiting"], row["overdue"]
        )
        for row in rows
    ]


def total_of(rows: list[VillageProgress]) -> VillageProgress:
    """The sum of the villages."""
    return VillageProgress(
        0, "合计", sum(r.due for r in rows), sum(r.waiting for r in rows),
        sum(r.overdue for r in rows),
    )  # fmt: skip


def years_of(user) -> list[int]:
    """The years in which somebody to be seen was paid, the latest first."""
    days = to_see(user).order_by().dates("paid_on", "year", order="DESC")
    return [day.year for day in days]
