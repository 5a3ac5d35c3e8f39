"""What is merely odd about past payments: it comes in, and somebody should look at it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache

from fpadmin import bulk
from fpadmin.dates import month_end
from households.models import Relation, Resident
from subsidies.models import Enrolment
from subsidies.payments.periods import benefit_months, last_day, months_in, year_words
from subsidies.payments_import.plan import AMOUNT, NUMBER, PAID_ON, PaymentPlan
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook
from subsidies.rolls.ends import end_month, month_words

Standard = Callable[[str, str, str, int, int, date], Decimal | None]


def warn(plan: PaymentPlan, book: PolicyBook) -> None:
    """Sums that no rate agrees with, money that came before its year, and payments for the dead."""
    standard, rule = cache(_standard(book)), cache(book.rule)
    known_payees = _known_payees(plan)
    for index in plan.new:
        policy, path = plan.policy(index), plan.path(index)
        year, paid_on = plan.year(index), plan.paid_on(index)
        # Only what is paid once goes by the day; else one answer serves a whole village.
        day = paid_on if policy.cycle == "once" else last_day(policy, year)
        due = standard(policy.code, path, plan.grade(index), year, plan.bits[index], day)
        if due is not None and due != plan.amount(index):
            plan.table.warn(
                index, AMOUNT, "amount_differs",
                f"按当时的标准应为{due:,.2f}元，表里是{plan.amount(index):,.2f}元。已导入，请核对。",
            )  # fmt: skip
        if paid_on < benefit_months(policy, year)[0]:
            plan.table.warn(
                index, PAID_ON, "paid_before_year",
                f"入账日期{paid_on}早于{year_words(policy, year)}。已导入，请核对。",
            )  # fmt: skip
        if policy.who in ("couple", "family") and index not in known_payees:
            plan.table.warn(
                index, NUMBER, "not_the_head",
                "这项政策发给户主，这个人不是在世的户主，也不在册。已导入，请核对是不是登记了别人。",
            )  # fmt: skip
        died = plan.person(index).died
        if died and policy.who in ("person", "child") and policy.cycle != "once":
            *_, last = months_in(policy, year, plan.bits[index])
            until = end_month(rule(policy.code, path), died)
            if last > until:
                plan.table.warn(
                    index, NUMBER, "enrolled_dead",
                    f"登记{died}去世，应发到{month_words(until)}。已导入，请核对。",
                )  # fmt: skip


def _known_payees(plan: PaymentPlan) -> set[int]:
    """Records of whom batches pay too: living heads, and who stands on the policy's roll.

    What somebody else of the couple or household was paid is not seen when a batch is made.
    """
    people = {plan.person(index).pk for index in plan.new}
    heads = {
        pk
        for pk, relation, died in bulk.lookup(Resident, "id", people, ["relation", "death_date"])
        if relation == Relation.HEAD and died is None
    }
    enrolled = set(bulk.lookup(Enrolment, "resident_id", people, ["policy_code"]))
    return {
        index
        for index in plan.new
        if plan.person(index).pk in heads or (plan.person(index).pk, plan.code(index)) in enrolled
    }


def _standard(book: PolicyBook) -> Standard:
    """What the rates come to for these months; None where a rate is not known."""

    def standard(code: str, path: str, grade: str, year: int, bits: int, day: date):
        policy = catalogue.policy(code)
        if policy.wage_percent:
            return None
        if policy.cycle != "month":
            return book.rate(code, path, grade, day)
        rates = [
            book.rate(code, path, grade, month_end(month.year, month.month))
            for month in months_in(policy, year, bits)
        ]
        return None if None in rates else sum(rates, Decimal(0))

    return standard
