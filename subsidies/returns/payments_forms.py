"""The returns of payments, one of each policy that pays: 资金发放汇总表, by village, stage and payer."""

from collections.abc import Iterator, Sequence
from datetime import date

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import (
    Check,
    Column,
    Return,
    register_group,
    register_offering,
    register_return,
)
from fpadmin.reporting.sheets import SheetRow
from fpadmin.scoping import below
from households.return_checks import each_row, sums
from subsidies.models import PaymentLine
from subsidies.policies import catalogue
from subsidies.policies.catalogue import Policy
from subsidies.returns.payments_figures import (
    PAYERS,
    PLAIN,
    SENSITIVE,
    code_of,
    grades_of,
    group_of,
    paying,
)

OFFERING = "payments"
_HALF_FEN = 0.005


def return_code(policy: str) -> str:
    """The code of a policy's return, such as payment-cn-rural."""
    return f"payment-{policy.lower()}"


def offered(region: Region, day: date) -> dict[str, tuple[int, int] | None]:
    """The returns of policies paid here this year or last, on the usual day."""
    lines = PaymentLine.objects.filter(
        below(region.path, "village__path"), batch__pay_year__in=[day.year - 1, day.year]
    )
    codes = set(lines.order_by().values_list("policy_code", flat=True).distinct())
    return {return_code(code): None for code in catalogue.policies() if code in codes}


def load() -> None:
    """Make groups and returns known; called once, when the app is ready."""
    register_group(PLAIN)
    register_group(SENSITIVE)
    register_offering(OFFERING, offered)
    for policy in paying(catalogue.policies().values()):
        register_return(
            Return(
                return_code(policy.code),
                f"{policy.name}资金发放汇总表",
                "calendar_year",
                "人、元",
                (group_of(policy.code),),
                tuple(_columns(policy)),
                _checks_of(policy),
                offering=OFFERING,
            )
        )


def _columns(policy: Policy) -> Iterator[Column]:
    grades = grades_of(policy)
    section = "合计" if grades else ""
    for key, heading, group in (
        ("payable_persons", "人数", "应发"), ("payable", "金额", "应发"),
        ("paid_persons", "人数", "实发"), ("paid", "金额", "实发"),
        ("paid_rate", "兑现率", ""), ("unpaid", "未发金额", ""),
    ):  # fmt: skip
        yield Column(code_of(key, policy.code), heading, group, section)
    for key, (name, _) in PAYERS.items():
        yield Column(code_of(f"paid_{key}", policy.code), name, "实发由各方负担", section)
    for number, grade in grades:
        for key, heading in (("grade_persons", "人数"), ("grade_paid", "金额")):
            yield Column(code_of(key, policy.code, number), heading, grade, "按等级或学段（实发）")


def _checks_of(policy: Policy):
    def code(key: str) -> str:
        return code_of(key, policy.code)

    def payers(figures: dict) -> tuple[bool, str]:
        paid = figures[code("paid")]
        parts = sum(figures[code(f"paid_{key}")] for key in PAYERS)
        return _agree(paid, parts), f"实发{paid:,.2f}元＝各方负担合计{parts:,.2f}元"

    def within(figures: dict) -> tuple[bool, str]:
        payable, paid = figures[code("payable")], figures[code("paid")]
        return paid < payable + _HALF_FEN, f"实发{paid:,.2f}元不多于应发{payable:,.2f}元"

    def grades(figures: dict) -> tuple[bool, str]:
        paid = figures[code("paid")]
        parts = sum(
            figures[code_of("grade_paid", policy.code, number)] for number, _ in grades_of(policy)
        )
        return _agree(paid, parts), f"实发{paid:,.2f}元＝各等级或学段合计{parts:,.2f}元"

    def checks(rows: Sequence[SheetRow]) -> list[Check]:
        found = [
            each_row(rows, payers, "实发＝各方负担合计"),
            each_row(rows, within, "实发不多于应发"),
        ]
        if grades_of(policy):
            found.append(each_row(rows, grades, "实发＝各等级或学段合计"))
        added = [c.code for c in _columns(policy) if c.code != code("paid_rate")]
        return [*found, sums(_in_fen(rows, added), added)]

    return checks


def _agree(one: float, other: float) -> bool:
    return abs(one - other) < _HALF_FEN


def _in_fen(rows: Sequence[SheetRow], codes: Sequence[str]) -> list[SheetRow]:
    """The same rows with sums that add up exactly: floats of fen don't."""
    return [
        SheetRow(
            row.code, row.name, row.level, row.is_total,
            {code: round(row.figures[code] * 100) for code in codes},
        )
        for row in rows
    ]  # fmt: skip
