"""Plans the workbook of past payments: who was paid for which months, and what of it is known already.

A line is known by policy, person, benefit year, grade and months. Its day is corrected within the
year; another sum, name or account is refused, since lines of payments never change.
"""

import json
from collections import defaultdict
from decimal import Decimal
from itertools import islice

from fpadmin import bulk
from fpadmin.crypto import digest
from fpadmin.imports.identifiers import digests_of
from fpadmin.imports.kinds import Change, Ground
from fpadmin.imports.reader import Table
from subsidies.enrolment_import.lines import codes_like, find_people
from subsidies.enrolment_import.oddities import grades_of
from subsidies.enrolment_import.plan import month_of
from subsidies.models import LIVE_STATES, LineState, PaymentBatch, PaymentLine
from subsidies.payments.periods import benefit_months, year_words
from subsidies.payments.shares import FEN
from subsidies.payments_import.oddities import warn
from subsidies.payments_import.plan import (
    ACCOUNT,
    AMOUNT,
    GRADE,
    MONTHS,
    NOTE,
    NUMBER,
    PAID_ON,
    PAYEE,
    POLICY,
    START,
    YEAR,
    Known,
    PaymentPlan,
    months_named,
)
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, policy_book
from subsidies.registered import same_name

_COLUMNS = [
    "id", "batch_id", "policy_code", "slot", "year", "grade", "months", "amount", "name",
    "account_digest", "paid_on", "state", "basis",
]  # fmt: skip
_PREVIEW = 5_000
_NAMED = 5  # rows named in one message


def plan_payments(table: Table, ground: Ground) -> PaymentPlan:
    """Validate every record and decide what it is: new, changed, unchanged, or refused."""
    accounts = [digest(cell) if isinstance(cell, str) else "" for cell in table.columns[ACCOUNT]]
    plan = PaymentPlan(table, ground, digests_of(table, [NUMBER])[NUMBER], accounts)
    book = policy_book(ground.today)
    _own_faults(plan, book)
    find_people(plan)
    _duplicates(plan)
    _find_stored(plan)
    _match(plan)
    _classify(plan)
    warn(plan, book)
    return plan


def _own_faults(plan: PaymentPlan, book: PolicyBook) -> None:
    """Policies that nobody knows or that pay nothing, years ahead, grades and months that are none."""
    table, known = plan.table, catalogue.policies()
    grades = grades_of(book)
    for index in range(len(table)):
        code, year = plan.cell(POLICY, index), plan.cell(YEAR, index)
        if code is None:
            continue
        if code not in known:
            table.error(
                index,
                POLICY,
                "unknown_policy",
                f"没有代码为“{code[:30]}”的政策。{codes_like(code)}",
            )
            continue
        policy = known[code]
        if policy.in_kind:
            table.error(index, POLICY, "pays_nothing", f"“{policy.name}”不发钱。请核对政策代码。")
        if year is not None and benefit_months(policy, year)[0] > plan.ground.today:
            table.error(
                index, YEAR, "year_ahead", f"{year_words(policy, year)}还没有开始。请核对。"
            )
            continue
        _grade_fault(plan, index, grades[code])
        if year is not None:
            _months_fault(plan, index)
        if plan.cell(AMOUNT, index) == 0:
            table.error(index, AMOUNT, "amount_zero", "金额为0，没有发放的不用填。请删去这一行。")


def _grade_fault(plan: PaymentPlan, index: int, grades: list[str]) -> None:
    grade = plan.cell(GRADE, index)
    if (grades and grade not in grades) or (grade and not grades):
        named = (
            f"这项政策的等级或学段有：{'、'.join(grades)}" if grades else "这项政策不分等级或学段"
        )
        plan.table.error(index, GRADE, "unknown_grade", f"{named}。请改填。")


def _months_fault(plan: PaymentPlan, index: int) -> None:
    policy, year = plan.policy(index), plan.year(index)
    start, count = plan.cell(START, index), plan.cell(MONTHS, index)
    if policy.cycle == "month" and count is None:
        if (index, MONTHS) not in plan.table.faults:
            plan.table.error(
                index, MONTHS, "required", "这项政策按月发放，要填发了几个月。请补填。"
            )
        return
    bits = months_named(policy, year, month_of(start) if start else None, count)
    if bits is None:
        first, *_, last = benefit_months(policy, year)
        plan.table.error(
            index, START if start else MONTHS, "months_outside",
            f"{year_words(policy, year)}的月份在{first:%Y-%m}至{last:%Y-%m}之间。"
            "跨年度的，请按享受年度分行填写。",
        )  # fmt: skip
        return
    plan.bits[index] = bits


def _duplicates(plan: PaymentPlan) -> None:
    """Rows of one file that pay one person a month twice are all refused."""
    slots = defaultdict(list)
    for index in plan.table.good():
        slots[plan.slot(index)].append(index)
    for indices in slots.values():
        if len(indices) < 2:
            continue
        for index in indices:
            alike = [i for i in indices if plan.bits[i] & plan.bits[index]]
            if len(alike) > 1:
                rows = "、".join(str(plan.table.excel_rows[i]) for i in alike[:_NAMED])
                plan.table.error(
                    index, YEAR, "duplicate_in_file",
                    f"第{rows}行是同一人、同一政策、同一享受年度的相同月份。请只留一行。",
                )  # fmt: skip


def _find_stored(plan: PaymentPlan) -> None:
    """Every live line of these people, in this system or imported."""
    people = {plan.person(index).pk for index in plan.table.good()}
    rows = [
        row
        for row in bulk.lookup(PaymentLine, "beneficiary_id", people, _COLUMNS)
        if row[12] in LIVE_STATES
    ]
    keys = sorted({row[2] for row in rows})
    batches = {
        pk: (number, pay_year, kind == PaymentBatch.Kind.HISTORY)
        for start in range(0, len(keys), 500)
        for pk, number, pay_year, kind in PaymentBatch.objects.filter(
            pk__in=keys[start : start + 500]
        ).values_list("pk", "number", "pay_year", "kind")
    }
    plan.stored = defaultdict(list)
    for person, pk, batch, code, slot, year, grade, months, amount, *rest in rows:
        name, account, paid_on, state, basis = rest
        number, pay_year, is_history = batches[batch]
        plan.stored[code, person, slot].append(
            Known(
                pk, year, pay_year, grade, months, Decimal(str(amount)).quantize(FEN), name, account,
                paid_on, state, json.loads(basis), number, is_history,
            )
        )  # fmt: skip


def _match(plan: PaymentPlan) -> None:
    """Which known line a record means; refused where the months were paid by another one."""
    for index in plan.table.good():
        lines = [
            one for one in plan.stored.get(plan.slot(index), ()) if one.months & plan.bits[index]
        ]
        same = [one for one in lines if _is_same(plan, index, one)]
        if same:
            plan.known[index] = same[0]
            _refuse_other_sum(plan, index, same[0])
        elif lines:
            numbers = "、".join(sorted({one.number for one in lines})[:_NAMED])
            plan.table.error(
                index, YEAR, "already_paid",
                f"这个人的这些月份已在批次{numbers}发放，不能再导入。请核对享受年度和月份。",
            )  # fmt: skip


def _is_same(plan: PaymentPlan, index: int, line: Known) -> bool:
    return line.is_history and (line.year, line.grade, line.months) == (
        plan.year(index), plan.grade(index), plan.bits[index],
    )  # fmt: skip


def _refuse_other_sum(plan: PaymentPlan, index: int, line: Known) -> None:
    """What a line of a payment never changes: sum, name, account, and the year that counts it."""
    payee, note = plan.cell(PAYEE, index), plan.cell(NOTE, index)
    differing = [
        (AMOUNT, line.amount != plan.amount(index), f"登记的金额是{line.amount:,.2f}元"),
        (PAID_ON, line.pay_year != plan.paid_on(index).year, f"登记在{line.pay_year}年发放"),
        (PAYEE, bool(payee) and not same_name(payee, line.name), f"登记的户名是“{line.name}”"),
        (ACCOUNT, bool(plan.accounts[index]) and plan.accounts[index] != line.account,
         "登记的账号不是这个"),
        (NOTE, bool(note) and note != line.note, f"登记的说明是“{line.note}”"),
        (PAID_ON, line.state != LineState.PAID, "这一笔正在追回或者已经追回"),
    ]  # fmt: skip
    for column, differs, words in differing:
        if differs:
            plan.table.error(
                index, column, "payment_differs",
                f"{words}。发放记录登记后不能改；确实登记错了的，请先撤销原来那次导入，再导入改好的表。",
            )  # fmt: skip
            return


def _classify(plan: PaymentPlan) -> None:
    for index in plan.table.good():
        line = plan.known.get(index)
        if line is None:
            plan.new.append(index)
            continue
        if line.paid_on != plan.paid_on(index):
            plan.changed.append(index)
    plan.created, plan.updated = len(plan.new), len(plan.changed)
    plan.unchanged = len(plan.table) - len(plan.table.bad) - plan.created - plan.updated
    for index in islice(plan.changed, _PREVIEW):
        person, line = plan.person(index), plan.known[index]
        plan.changes.append(
            Change(
                plan.table.excel_rows[index],
                f"{person.name} {catalogue.name_of(plan.code(index))}",
                plan.places[person.village][1],
                line.pk,
                plan.table.kind.column(PAID_ON).heading,
                str(line.paid_on),
                str(plan.paid_on(index)),
            )
        )
