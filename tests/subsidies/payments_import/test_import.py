"""The workbook of past payments : what comes in, what is refused, and that nobody is paid twice."""

from datetime import date
from decimal import Decimal

import pytest

from fpadmin.audit.models import AuditEvent
from households.models import Resident
from subsidies.models import PaymentBatch, PaymentLine
from subsidies.payments_import.writing import recount
from tests.factories.benefits import make_enrolment, set_rate, switch_on
from tests.factories.households import make_household, make_resident
from tests.factories.payments import TODAY, make_batch, make_payee
from tests.subsidies.imports.books import (
    counts,
    found,
    look,
    odd,
    put,
    rests_on,
    state,
    take,
    take_back,
)

pytestmark = pytest.mark.django_db

KIND = "payments"
FEE, STAGES = "YN-HEALTH-FEE", "YN-SCHOLARSHIP"


def paid(resident, **cells) -> dict:
    """A valid record: the reward of 2017, paid in January 2018."""
    return {
        "policy_code": "CN-RURAL", "name": resident.name, "idno": resident.id_number,
        "year": 2017, "amount": 960, "paid_on": date(2018, 1, 15),
    } | cells  # fmt: skip


def fee(resident, **cells) -> dict:
    """A valid record of the health fee's whole benefit year."""
    return paid(resident, policy_code=FEE, months=12, amount=120) | cells


@pytest.fixture
def payee(village):
    return make_payee(village).resident


def lines() -> list[tuple]:
    rows = PaymentLine.objects.order_by("pk")
    return [
        (*row, f"{amount:.2f}")
        for *row, amount in rows.values_list(
            "batch__number",
            "line_no",
            "slot",
            "months",
            "month_count",
            "state",
            "paid_on",
            "amount",
        )
    ]


def test_payments_come_in_as_paid_lines_of_a_batch_per_policy_and_years(township, village, payee):
    other = make_payee(village, "宋桂兰").resident
    rows = [
        paid(payee),
        paid(other, payee="陶大", account="6229000011112222", note="补发"),
        paid(other, year=2016, paid_on=date(2017, 1, 10)),
        fee(payee, months=3, start_month="2016-11", amount=30),
    ]
    outcome = take(township, *rows, kind=KIND)
    assert (counts(outcome), odd(outcome)) == ((4, 0, 0, []), [])
    code, day = township.code, date(2018, 1, 15)
    assert lines() == [
        (f"{code}-2018-H01", 1, "2017", 1, 12, "paid", day, "960.00"),
        (f"{code}-2018-H01", 2, "2017", 1, 12, "paid", day, "960.00"),
        (f"{code}-2017-H01", 1, "2016", 1, 12, "paid", date(2017, 1, 10), "960.00"),
        (f"{code}-2018-H02", 1, "2017", 0b1110, 3, "paid", day, "30.00"),
    ]
    batch = PaymentBatch.objects.get(number=f"{code}-2018-H01")
    assert (batch.kind, batch.state, batch.count, batch.total) == (
        "history", "closed", 2, Decimal("1920.00"),
    )  # fmt: skip
    assert (batch.from_month, batch.to_month) == (date(2017, 1, 1), date(2017, 12, 1))
    first, second = PaymentLine.objects.filter(batch=batch)
    assert (first.name, first.account, first.household_no) == (
        payee.name, "", payee.household.number,
    )  # fmt: skip
    assert (second.name, second.account, second.basis["note"]) == (
        "陶大",
        "6229000011112222",
        "补发",
    )
    assert second.beneficiary == other
    assert second.village == village


def test_same_file_again_changes_nothing(township, payee):
    rows = [paid(payee, note="银行代发"), fee(payee)]
    take(township, *rows, kind=KIND)
    before, events = state(PaymentLine), AuditEvent.objects.exclude(type="import.committed").count()
    assert counts(take(township, *rows, kind=KIND)) == (0, 0, 2, [])
    assert state(PaymentLine) == before
    assert PaymentBatch.objects.count() == 2
    assert AuditEvent.objects.exclude(type="import.committed").count() == events


def test_later_file_joins_the_batch_that_is_there(township, village, payee):
    take(township, paid(payee), kind=KIND)
    take(township, paid(make_payee(village, "宋桂兰").resident), kind=KIND)
    batch = PaymentBatch.objects.get()
    assert (batch.count, list(batch.lines.values_list("line_no", flat=True))) == (2, [1, 2])


def test_day_is_corrected_within_the_year_and_shown_before(township, payee):
    take(township, paid(payee), kind=KIND)
    outcome = take(township, paid(payee, paid_on=date(2018, 2, 1)), kind=KIND)
    assert counts(outcome) == (0, 1, 0, [])
    change = outcome.changes[0]
    assert (change.heading, change.old, change.new) == ("入账日期", "2018-01-15", "2018-02-01")
    assert PaymentLine.objects.get().paid_on == date(2018, 2, 1)
    event = AuditEvent.objects.get(type="payment.imported")
    assert event.changes == {"fields": ["paid_on"]}


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"amount": 720}, "金额"),
        ({"paid_on": date(2017, 12, 30)}, "入账日期"),
        ({"payee": "别人"}, "户名"),
        ({"account": "6229000011112222"}, "账号"),
        ({"note": "另有说法"}, "说明"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_was_paid_is_not_changed(township, payee, cells, column):
    take(township, paid(payee), kind=KIND)
    before = state(PaymentLine)
    outcome = take(township, paid(payee, **cells), kind=KIND)
    assert found(outcome) == [(2, column, "payment_differs")]
    assert state(PaymentLine) == before


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"policy_code": "CN-RURL"}, "政策代码", "unknown_policy"),
        ({"policy_code": "YN-EXAM"}, "政策代码", "pays_nothing"),
        ({"year": 2019}, "享受年度", "year_ahead"),
        ({"year": ""}, "享受年度", "required"),
        ({"amount": 0}, "金额", "amount_zero"),
        ({"paid_on": date(2018, 10, 10)}, "入账日期", "date_future"),
        ({"grade": "一级"}, "等级或学段", "unknown_grade"),
        ({"policy_code": STAGES}, "等级或学段", "unknown_grade"),
        ({"policy_code": STAGES, "grade": "幼儿园"}, "等级或学段", "unknown_grade"),
        ({"policy_code": FEE}, "月数", "required"),
        ({"policy_code": FEE, "months": 13}, "月数", "int_range"),
        ({"policy_code": FEE, "months": 12, "start_month": "2016-11"}, "起始年月", "months_outside"),
        ({"policy_code": FEE, "months": 1, "start_month": "2016-09"}, "起始年月", "months_outside"),
        ({"name": "别人"}, "姓名", "name_differs"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(township, payee, cells, column, code):
    outcome = take(township, paid(payee, **cells), kind=KIND)
    assert found(outcome) == [(2, column, code)]
    assert PaymentBatch.objects.count() == 0


def test_person_of_another_office_is_refused(township, far_village):
    stranger = make_resident(make_household(far_village))
    assert found(look(township, paid(stranger), kind=KIND)) == [
        (2, "公民身份号码", "outside_office")
    ]


def test_months_paid_twice_in_a_file_are_refused_and_others_are_not(township, payee):
    rows = [fee(payee, months=6, amount=60), fee(payee, months=6, start_month="2017-04", amount=60)]
    assert counts(look(township, *rows, kind=KIND)) == (2, 0, 0, [])
    rows[1]["start_month"] = "2017-03"
    assert found(look(township, *rows, kind=KIND)) == [
        (2, "享受年度", "duplicate_in_file"), (3, "享受年度", "duplicate_in_file"),
    ]  # fmt: skip


def test_stage_that_is_paid_once_is_refused_in_another_year(township, village):
    child = make_resident(make_household(village), "陶小满", birth_date=date(2001, 3, 4))
    high = paid(child, policy_code=STAGES, grade="高中", amount=1000)
    rows = [high, high | {"year": 2016}]
    assert len(found(look(township, *rows, kind=KIND))) == 2
    yearly = [row | {"grade": "本科", "amount": 2000} for row in rows]
    assert counts(look(township, *yearly, kind=KIND)) == (2, 0, 0, [])


def test_what_a_batch_pays_is_not_imported(township, payee, clerk):
    batch = make_batch(clerk, township, year=2017, pay_year=2018)
    outcome = look(township, paid(payee), kind=KIND)
    assert found(outcome) == [(2, "享受年度", "already_paid")]
    assert batch.number in outcome.errors[0].message


def test_batch_leaves_out_who_was_paid_before(township, village, payee, clerk):
    other = make_payee(village, "宋桂兰").resident
    take(township, paid(payee, amount=720), kind=KIND)
    batch = make_batch(clerk, township, year=2017, pay_year=2018)
    assert [line.beneficiary for line in batch.lines.all()] == [other]


def test_batch_pays_the_months_that_history_leaves(township, county, village, clerk):
    head = make_resident(make_household(village), "陶有田", birth_date=date(1980, 3, 4))
    wife = make_resident(head.household, "宋桂兰", sex="女", relation="配偶")
    make_enrolment(wife, FEE, date(2015, 1, 1))
    take(township, fee(wife, months=5, amount=50), kind=KIND)
    switch_on(FEE, county)
    batch = make_batch(clerk, township, FEE, 2017, pay_year=2018, is_on_already=True)
    line = batch.lines.get()
    assert (line.beneficiary, line.months, line.amount) == (head, 0b111111100000, Decimal(70))


ODD = {
    "amount_differs": {"amount": 950},
    "paid_before_year": {"paid_on": date(2016, 12, 31)},
    "enrolled_dead": {"year": 2018, "paid_on": TODAY},
}


@pytest.mark.parametrize(("code", "cells"), ODD.items(), ids=ODD)
def test_what_is_odd_comes_in_with_a_word(township, payee, code, cells):
    if code == "enrolled_dead":
        Resident.objects.filter(pk=payee.pk).update(death_date=date(2017, 5, 6))
    outcome = take(township, paid(payee, **cells), kind=KIND)
    assert [issue.code for issue in outcome.warnings] == [code]
    assert outcome.created == 1


def test_rate_of_the_time_and_place_is_the_measure(township, county, payee):
    set_rate("CN-RURAL", county, "1000", date(2017, 7, 1))
    assert odd(look(township, paid(payee, amount=1000), kind=KIND)) == []
    assert odd(look(township, paid(payee, year=2016), kind=KIND)) == []


def test_somebody_whom_no_batch_would_pay_is_named(township, village):
    wife = make_resident(make_household(village), "宋桂兰", sex="女", relation="配偶")
    assert odd(look(township, fee(wife), kind=KIND)) == [(2, "公民身份号码", "not_the_head")]
    make_enrolment(wife, FEE)
    assert odd(look(township, fee(wife), kind=KIND)) == []


def test_import_is_taken_back_with_the_batches_that_it_empties(township, village, payee):
    other = make_payee(village, "宋桂兰").resident
    take(township, paid(payee), kind=KIND)
    before = state(PaymentLine), state(PaymentBatch)
    batch = put(township, paid(payee, paid_on=date(2018, 3, 1)), paid(other), fee(other), kind=KIND)
    assert PaymentBatch.objects.count() == 2
    take_back(batch)
    assert (state(PaymentLine), state(PaymentBatch)) == before
    assert AuditEvent.objects.filter(type="payment.import-undone").count() == 3


def test_import_whose_payment_is_asked_back_stays(township, payee):
    batch = put(township, paid(payee), kind=KIND)
    PaymentLine.objects.update(state="recall_asked")
    assert rests_on(batch) == ["PaymentLine"]
    outcome = look(township, paid(payee), kind=KIND)
    assert found(outcome) == [(2, "入账日期", "payment_differs")]


def test_recount_leaves_batches_of_this_system_alone(township, payee, clerk):
    batch = make_batch(clerk, township)
    recount(PaymentBatch.objects.all())
    batch.refresh_from_db()
    assert (batch.count, batch.total) == (0, 0)
