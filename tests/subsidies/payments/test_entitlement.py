"""What the rolls make payable: months, rates that change within a year, starts, ends, deaths, moves."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from subsidies.models import PensionCase, Suspension
from subsidies.payments.entitlement import payables
from subsidies.payments.periods import WHOLE
from tests.factories.accounts import make_region
from tests.factories.benefits import make_enrolment, set_rate, switch_on
from tests.factories.households import make_household, make_resident
from tests.factories.payments import make_payee

pytestmark = pytest.mark.django_db
DEATH, DISABLED, RURAL = "CN-SPECIAL-DEATH", "CN-SPECIAL-DISABLED", "CN-RURAL"


def only(code, place, year, **values):
    (found,) = payables(code, place.path, year, **values)
    return found


@pytest.mark.parametrize(
    ("code", "yuan", "months"),
    [(DEATH, "6240", 12), (DISABLED, "4860", 12), (RURAL, "960", 12)],
)
def test_yearly_pay_of_2022(village, code, yuan, months):
    make_payee(village, code=code, start=date(2020, 1, 1))
    found = only(code, village, 2022)
    assert (found.gross, found.month_count) == (Decimal(yuan), months)


def test_rate_that_changes_in_july_splits_the_year(village):
    make_payee(village, code=DEATH, start=date(2020, 1, 1))
    assert only(DEATH, village, 2022).rates == (
        (date(2022, 1, 1), 6, Decimal(450)),
        (date(2022, 7, 1), 6, Decimal(590)),
    )


@pytest.mark.parametrize(
    ("start", "end", "months", "yuan"),
    [
        (date(2022, 5, 1), None, 8, 2 * 450 + 6 * 590),
        (date(2020, 1, 1), date(2022, 8, 1), 8, 6 * 450 + 2 * 590),
        (date(2022, 3, 1), date(2022, 3, 1), 1, 450),
    ],
)
def test_start_and_end_within_the_year(village, start, end, months, yuan):
    reason = "其他" if end else ""
    make_payee(village, code=DEATH, start=start, end_month=end, end_reason=reason)
    found = only(DEATH, village, 2022)
    assert (found.month_count, found.gross) == (months, yuan)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2023, 1, 1), None),
        (date(2019, 1, 1), date(2021, 12, 1)),
        (date(2022, 5, 1), date(2022, 4, 1)),
    ],
)
def test_nothing_outside_the_months_of_the_line(village, start, end):
    reason = "其他" if end else ""
    make_payee(village, code=DEATH, start=start, end_month=end, end_reason=reason)
    assert not list(payables(DEATH, village.path, 2022))


@pytest.mark.parametrize(("code", "months", "yuan"), [(DEATH, 5, 5 * 450), (RURAL, 12, 960)])
def test_death_within_the_year_ends_by_the_rule_though_nobody_ended_the_line(
    village, code, months, yuan
):
    line = make_payee(village, code=code, start=date(2020, 1, 1))
    line.resident.death_date = date(2022, 5, 20)
    line.resident.save()
    found = only(code, village, 2022)
    assert (found.month_count, found.gross) == (months, yuan)
    assert not list(payables(code, village.path, 2023))


def test_transfer_pays_each_policy_its_months(village):
    line = make_payee(
        village,
        code=DISABLED,
        start=date(2020, 1, 1),
        end_month=date(2022, 8, 1),
        end_reason="子女数变更",
    )
    make_enrolment(line.resident, DEATH, date(2022, 9, 1), moved_from=line)
    before, after = only(DISABLED, village, 2022), only(DEATH, village, 2022)
    assert before.months & after.months == 0
    assert before.months | after.months == WHOLE
    assert (before.gross, after.gross) == (6 * 350 + 2 * 460, 4 * 590)


def test_suspended_months_are_not_paid(village):
    line = make_payee(village, code=DEATH, start=date(2020, 1, 1))
    Suspension.objects.create(
        enrolment=line, from_month=date(2022, 3, 1), until_month=date(2022, 4, 1), reason="核实"
    )
    found = only(DEATH, village, 2022)
    assert (found.month_count, found.gross) == (10, 4 * 450 + 6 * 590)


@pytest.mark.parametrize(("until", "paid"), [(None, False), (date(2022, 6, 1), True)])
def test_yearly_pay_waits_for_a_suspension_that_lasts_to_the_end_of_the_year(village, until, paid):
    line = make_payee(village, start=date(2020, 1, 1))
    Suspension.objects.create(
        enrolment=line, from_month=date(2022, 3, 1), until_month=until, reason="核实"
    )
    assert bool(list(payables(RURAL, village.path, 2022))) is paid


def test_health_fee_counts_october_to_september(village):
    line = make_payee(village, code="YN-HEALTH-FEE", start=date(2016, 12, 1))
    found = only("YN-HEALTH-FEE", village, 2017)
    assert (found.month_count, found.gross) == (10, 100)
    line.end_month, line.end_reason = date(2017, 11, 1), "年满"
    line.save()
    assert only("YN-HEALTH-FEE", village, 2018).month_count == 2


def test_couple_is_paid_in_the_name_of_the_head(village):
    household = make_household(village)
    head = make_resident(household, "李山")
    wife = make_resident(household, "王梅", sex="女", relation="配偶")
    make_enrolment(wife, "SD-ONLY-CHILD", date(2018, 1, 1))
    found = only("SD-ONLY-CHILD", village, 2018)
    assert (found.resident, found.beneficiary, found.name) == (wife.pk, head.pk, "李山")


def test_second_couple_of_a_household_is_paid_itself(village):
    household = make_household(village)
    head = make_resident(household, "李山")
    for name in ("王梅", "赵兰"):
        wife = make_resident(
            household, name, sex="女", relation="儿媳" if name == "赵兰" else "配偶"
        )
        make_enrolment(wife, "SD-ONLY-CHILD", date(2018, 1, 1))
    found = list(payables("SD-ONLY-CHILD", village.path, 2018))
    assert [one.name for one in found] == ["李山", "赵兰"]
    assert len({one.beneficiary for one in found}) == 2
    assert found[0].beneficiary == head.pk


def test_stage_paid_once_is_paid_in_its_first_year_alone(village):
    make_payee(village, code="YN-SCHOLARSHIP", start=date(2017, 1, 1), grade="高中")
    assert only("YN-SCHOLARSHIP", village, 2017).gross == 1000
    assert not list(payables("YN-SCHOLARSHIP", village.path, 2018))


def test_other_stages_are_paid_each_year_and_one_stage_a_year(village):
    line = make_payee(
        village,
        code="YN-SCHOLARSHIP",
        start=date(2015, 1, 1),
        grade="小学",
        end_month=date(2018, 8, 1),
        end_reason="年满",
    )
    make_enrolment(line.resident, "YN-SCHOLARSHIP", date(2018, 9, 1), grade="初中")
    assert only("YN-SCHOLARSHIP", village, 2017).gross == 160
    found = only("YN-SCHOLARSHIP", village, 2018)
    assert (found.grade, found.gross) == ("初中", 260)


def test_pension_is_thirty_per_cent_of_the_wage_before_retirement(db):
    for code in ("37", "3703", "370304", "370304001"):
        make_region(code, code)
    village = make_region("370304001001", "城西")
    line = make_payee(village, code="SD-PENSION", start=date(2022, 5, 1))
    assert only("SD-PENSION", village, 2022).gross == Decimal("26179.80")
    assert not list(payables("SD-PENSION", village.path, 2023))
    PensionCase.objects.create(enrolment=line, retired_month=date(2022, 5, 1), payer="insurance")
    assert not list(payables("SD-PENSION", village.path, 2022))


def test_without_a_rate_nothing_is_worked_out(village):
    make_payee(village, code="LOCAL-DIBAO")
    assert only("LOCAL-DIBAO", village, 2018).gross is None
    set_rate("LOCAL-DIBAO", village.parent, "1319.57")
    assert only("LOCAL-DIBAO", village, 2018).gross == Decimal("1319.57")


def test_command_prints_what_is_payable(village):
    switch_on(DEATH, village.parent)
    line = make_payee(village, "宋桂兰", code=DEATH, number="0007", start=date(2022, 5, 1))
    make_payee(village, code="LOCAL-DIBAO")
    out = StringIO()
    call_command("payments", policy=DEATH, year=2022, region=village.code, json=True, stdout=out)
    assert json.loads(out.getvalue()) == [
        {"village_code": village.code, "household_no": line.resident.household.number,
         "name": "宋桂兰", "months": 8, "amount": 4440.0}
    ]  # fmt: skip
    out, err = StringIO(), StringIO()
    call_command(
        "payments", policy="LOCAL-DIBAO", year=2018, region=village.code, stdout=out, stderr=err
    )
    assert (json.loads(out.getvalue()), "1人没有标准" in err.getvalue()) == ([], True)
