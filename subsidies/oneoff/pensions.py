"""The roll of the pension supplement as pages show it: facts, amount, and how far the payment is."""

from collections.abc import Iterable, Sequence

from django.db.models import (
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, ExtractYear

from fpadmin.scoping import below
from subsidies.models import (
    BOUND_BATCHES,
    LIVE_STATES,
    PAID_STATES,
    Enrolment,
    PaymentLine,
    PensionCase,
)
from subsidies.payments.wages import Wages, entered_wages, supplement
from subsidies.policies import catalogue
from subsidies.rolls.rates import AMOUNT
from subsidies.rolls.states import NEVER_PAID

CODE = "SD-PENSION"
NO_CASE = "先登记退休情况。"
BOUND = "已经批准发放，不能再改退休情况。"
Payer = PensionCase.Payer
PAID, GOING, FACTS, IDENTITY, INSURANCE, EMPLOYER, WAGE, DUE = (
    "paid", "going", "facts", "identity", "insurance", "employer", "wage", "due",
)  # fmt: skip
WORDS = {
    DUE: "待发放", FACTS: "未登记", WAGE: "缺平均工资", IDENTITY: "待核对身份",
    GOING: "发放中", PAID: "已发放", INSURANCE: "已核对身份", EMPLOYER: "单位发放",
}  # fmt: skip
TAGS = {
    DUE: "wait", FACTS: "warn", WAGE: "warn", IDENTITY: "warn", GOING: "run", PAID: "ok",
    INSURANCE: "ok", EMPLOYER: "off",
}  # fmt: skip


def with_retirement(lines: QuerySet) -> QuerySet:
    """With `retired_year`: of the month entered, else of the month from which the line is on the roll."""
    month = Coalesce("pension_case__retired_month", "start_month")
    return lines.annotate(retired_year=ExtractYear(month))


def pensions(lines: QuerySet, wages: Wages | None = None) -> QuerySet:
    """These lines of rolls that are of the pension, with facts, `amount` and `progress`."""
    mine = lines.filter(policy_code=CODE).exclude(NEVER_PAID)
    paid = PaymentLine.objects.filter(policy_code=CODE, beneficiary=OuterRef("resident"))
    return (
        with_retirement(mine)
        .annotate(
            case=F("pension_case__pk"),
            retired=F("pension_case__retired_month"),
            payer=F("pension_case__payer"),
            employer=F("pension_case__employer"),
            part=F("pension_case__part"),
            checked_on=F("pension_case__identity_checked_on"),
            checker=F("pension_case__identity_checked_by__name"),
            amount=amount_case(entered_wages() if wages is None else wages),
            paid_on=Subquery(
                paid.filter(state__in=PAID_STATES).order_by("-paid_on").values("paid_on")[:1]
            ),
            is_going=Exists(paid.filter(state__in=LIVE_STATES)),
        )
        .annotate(progress=_progress())
    )


def amount_case(wages: Wages) -> Case:
    """supplement() of the wage of the year before retirement, as wage_of() finds it; None without one."""
    policy = catalogue.policy(CODE)
    cases = []
    for year, places in sorted(wages.items()):
        for path in sorted(places, key=len, reverse=True):
            cases.append(
                When(
                    Q(retired_year=year + 1) & below(path, "resident__village__path"),
                    then=Value(supplement(policy, places[path])),
                )
            )
    for (city, year), wage in policy.wages.items():
        shipped = Q(retired_year=year + 1, resident__village__code__startswith=city)
        cases.append(When(shipped, then=Value(supplement(policy, wage))))
    return Case(*cases, default=Value(None), output_field=AMOUNT)


SHORT = {Payer.EMPLOYER: "单位发放", Payer.FINANCE: "财政发放", Payer.INSURANCE: "社保统筹"}


def payer_short(payer: str | None) -> str:
    """The payer in a narrow column."""
    return SHORT[payer] if payer else "未登记"


def payer_words(payer: str | None) -> str:
    """单位发放, 财政发放 or 社保统筹发放; 未登记 where nobody said."""
    return Payer(payer).label if payer else "未登记"


def _progress() -> Case:
    return Case(
        When(paid_on__isnull=False, then=Value(PAID)),
        When(is_going=True, then=Value(GOING)),
        When(case__isnull=True, then=Value(FACTS)),
        When(payer=Payer.INSURANCE, checked_on__isnull=True, then=Value(IDENTITY)),
        When(payer=Payer.INSURANCE, then=Value(INSURANCE)),
        When(payer=Payer.EMPLOYER, then=Value(EMPLOYER)),
        When(amount__isnull=True, then=Value(WAGE)),
        default=Value(DUE),
    )


def bound_people(enrolments: Iterable[Enrolment]) -> set[int]:
    """The lines among these whose person is paid, or is to be by a batch that was approved."""
    by_person = {one.resident_id: one.pk for one in enrolments}
    found = PaymentLine.objects.filter(
        policy_code=CODE, beneficiary__in=by_person, state__in=LIVE_STATES,
        batch__state__in=BOUND_BATCHES,
    )  # fmt: skip
    return {by_person[pk] for pk in found.values_list("beneficiary", flat=True)}


def batch_refusals(enrolments: Sequence[Enrolment], part: str) -> dict[int, str]:
    """Why a line cannot be put into the batch of that name, in two queries."""
    parts = dict(
        PensionCase.objects.filter(enrolment__in=enrolments).values_list("enrolment", "part")
    )
    bound, found = bound_people(enrolments), {}
    for one in enrolments:
        if one.pk not in parts:
            found[one.pk] = NO_CASE
        elif one.pk in bound:
            found[one.pk] = BOUND
        elif parts[one.pk] == part:
            found[one.pk] = f"已经在{part}里。"
    return found
