"""What is merely odd about the lines of a roll: it comes in, and somebody should look at it."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache

from fpadmin.dates import month_end
from fpadmin.imports.widgets import CLEAR
from subsidies.eligibility.finding import found
from subsidies.eligibility.months import usual_day
from subsidies.enrolment_import.plan import AMOUNT, END, NUMBER, POLICY, EnrolmentPlan
from subsidies.enrolment_import.units import Rolls
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook
from subsidies.rolls.ends import end_month, month_words


def find_grades(plan: EnrolmentPlan, book: PolicyBook) -> None:
    """Which grade an amount means, where one grade alone has it; and amounts that no rate agrees with."""
    table, amounts = plan.table, plan.table.columns[AMOUNT]
    rate, grades = cache(book.rate), grades_of(book)
    for index in table.good():
        code, amount = plan.policy(index), amounts[index]
        asked = (code, plan.path(index))
        day = _newest_day(plan, index)
        line = plan.known.get(index)
        if grades[code] and not (line and line.grade):
            paid = {grade: rate(*asked, grade, day) for grade in grades[code]}
            alike = [] if amount in (None, CLEAR) else [g for g in paid if paid[g] == amount]
            if len(alike) == 1:
                plan.grades[index] = alike[0]
            else:
                _warn_of_grade(plan, index, paid, amount)
        elif isinstance(amount, Decimal):
            standard = rate(*asked, line.grade if grades[code] else "", day)
            if standard is not None and standard != amount:
                table.warn(
                    index, AMOUNT, "amount_differs",
                    f"{month_words(day)}的标准是{standard:,.2f}元，表里是{amount:,.2f}元。"
                    "发放按标准，请核对政策或标准的起算日期。",
                )  # fmt: skip


def grades_of(book: PolicyBook) -> dict[str, list[str]]:
    """The grades of each policy, those that places have added too."""
    found = {code: list(policy.grades) for code, policy in catalogue.policies().items()}
    for code, grade in book.rates:
        if grade and grade not in found[code]:
            found[code].append(grade)
    return found


def _newest_day(plan: EnrolmentPlan, index: int) -> date:
    """The last day of the newest month of the line that has come."""
    span = plan.span(index)
    month = max(span.start, min(span.end, plan.ground.today.replace(day=1)))
    return month_end(month.year, month.month)


def _warn_of_grade(plan: EnrolmentPlan, index: int, paid: dict[str, Decimal | None], amount):
    known = "、".join(f"{grade}{rate:,.2f}元" for grade, rate in paid.items() if rate is not None)
    known = known or "、".join(paid)
    what = "没有填标准" if amount in (None, CLEAR) else f"标准{amount:,.2f}元对不上"
    plan.table.warn(
        index, AMOUNT, "grade_unknown",
        f"{what}，认不出等级、学段或类别（{known}）。已导入，请补填标准后再导入一次，"
        "或在在册对象名单上勾选后“补登学段或类别”。",
    )  # fmt: skip


def warn(plan: EnrolmentPlan, book: PolicyBook) -> None:
    """Policies not in force here, the dead, who does not qualify, and what may not be drawn together."""
    explained = _dead(plan, book) | _together(plan, book)
    _policies(plan, book)
    _exits_ahead(plan)
    _not_qualified(plan, book, explained)


def _policies(plan: EnrolmentPlan, book: PolicyBook) -> None:
    """Told once for each policy, at its first row: an office hands in a policy's whole roll."""
    table, is_on = plan.table, cache(book.is_on)
    off: dict[str, list[int]] = defaultdict(list)
    for index in table.good():
        code = plan.policy(index)
        if not is_on(code, plan.path(index)):
            off[code].append(index)
        if catalogue.policy(code).closed and plan.is_active(index):
            table.warn(
                index, POLICY, "policy_closed",
                "这项政策已停止新增，只留历史。已导入，请补填退出年月。",
            )  # fmt: skip
    for code, rows in off.items():
        table.warn(
            rows[0], POLICY, "policy_off",
            f"本地没有启用“{catalogue.name_of(code)}”（共{len(rows):,}行）。已导入，请县级启用后再发放。",
        )  # fmt: skip


def _exits_ahead(plan: EnrolmentPlan) -> None:
    """What is paid through the year may end ahead; a later year is likely mistyped."""
    year = plan.ground.today.year
    for index in plan.table.good():
        end = plan.end(index)
        if end and end.year > year:
            plan.table.warn(
                index, END, "exit_far_ahead",
                f"退出年月{end:%Y-%m}在今年以后。已导入，请核对年份。",
            )  # fmt: skip


def _dead(plan: EnrolmentPlan, book: PolicyBook) -> set[int]:
    """Lines that last beyond the death of the person; returns their records."""
    table, rule, odd = plan.table, cache(book.rule), set()
    for index in table.good():
        died = plan.person(index).died
        if died is None:
            continue
        last = end_month(rule(plan.policy(index), plan.path(index)), died)
        span = plan.span(index)
        if span.end > last or span.start > died:
            odd.add(index)
            table.warn(
                index, NUMBER, "enrolled_dead",
                f"登记{died}去世，应发到{month_words(last)}。已导入，请核对后办理退出。",
            )  # fmt: skip
    return odd


def _together(plan: EnrolmentPlan, book: PolicyBook) -> set[int]:
    """Lines beside others that they exclude, or of one couple or household; returns their records."""
    rolls, table, odd = Rolls(plan), plan.table, set()
    excludes = cache(book.excludes)
    for index in table.good():
        path = plan.path(index)
        for tie, other in rolls.beside(index):
            code, theirs = plan.policy(index), other.policy
            if code == theirs:
                table.warn(
                    index, POLICY, "unit_twice",
                    f"{tie}在同一政策另有一条（{other.span.words}），"
                    f"{_ONE_LINE[catalogue.policy(code).who]}。已导入，请核对。",
                )  # fmt: skip
            elif excludes(code, theirs, path) or excludes(theirs, code, path):
                odd.add(index)
                table.warn(
                    index, POLICY, "excluded_pair",
                    f"{tie}同时在“{catalogue.name_of(theirs)}”（{other.span.words}），"
                    "两项不能同时享受。已导入，请核对。",
                )  # fmt: skip
    return odd


_ONE_LINE = {"couple": "夫妻只登记一份", "family": "一户只登记一份"}


def _not_qualified(plan: EnrolmentPlan, book: PolicyBook, explained: set[int]) -> None:
    """Lines of today whose person, couple or household the criteria don't find; one search a policy."""
    table = plan.table
    active: dict[str, list[int]] = defaultdict(list)
    for index in table.good():
        if index not in explained and plan.is_active(index):
            active[plan.policy(index)].append(index)
    office, today = plan.ground.office.path, plan.ground.today
    for code, rows in active.items():
        day = usual_day(code, today)
        who = catalogue.policy(code).who
        known = found(code, day, office, book=book)
        people = {one.resident_id for one in known}
        homes = {one.household_id for one in known} if who == "family" else ()
        for index in rows:
            person = plan.person(index)
            meets = person.pk in people or person.household in homes
            if not (meets or (who == "couple" and person.spouse in people)):
                table.warn(
                    index, POLICY, "not_qualified",
                    f"按现在的登记，到{day}不符合“{catalogue.name_of(code)}”的条件。"
                    "已导入，请核对登记或办理退出。",
                )  # fmt: skip
