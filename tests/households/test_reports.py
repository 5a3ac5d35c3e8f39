"""人口与出生情况 by month and by year, on the small population worked out by hand."""

from datetime import date

import pytest

from fpadmin.accounts.models import Region
from fpadmin.dates import parse_period
from fpadmin.errors import RuleViolation
from fpadmin.reporting import sheets
from fpadmin.reporting.registry import RETURNS
from fpadmin.reporting.services import make_return
from households.models import Residency
from households.services import lock_month
from tests.conftest import TODAY
from tests.factories.accounts import make_region
from tests.factories.households import make_birth, make_household, make_resident
from tests.households.small_population import make_small_population


@pytest.fixture
def small(village, other_village):
    return make_small_population(village, other_village)


def sheet_of(code, region, period):
    return sheets.build(RETURNS[code], region, parse_period(period))


def test_monthly_return_is_as_worked_by_hand(small):
    sheet = sheet_of("population-monthly", small.township, "2018-09")
    wanted = [
        # opening, births, boys, girls, 1, 2, 3+, additions, deaths, losses, unregistered, closing,
        # and the ledger's opening, late additions, late losses
        ("禄脿街道", [14, 2, 2, 0, 0, 1, 1, 1, 1, 3, 1, 13, 14, 0, 0]),
        # 冯迁 went to the other village.
        ("庄科村", [10, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 9, 10, 0, 0]),
        # 冯迁 came, 陈走 went, 周三 isn't registered.
        ("安丰营村", [4, 1, 1, 0, 0, 0, 1, 1, 0, 2, 1, 4, 4, 0, 0]),
    ]
    codes = [c.code for c in sheet.columns]
    assert [(r.name, [r.figures[c] for c in codes]) for r in sheet.rows] == wanted
    assert [r.is_total for r in sheet.rows] == [True, False, False]


def test_every_cell_of_both_returns_opens_a_list_of_its_length(small):
    for code, period in (("population-monthly", "2018-09"), ("population-annual", "2018")):
        sheet = sheet_of(code, small.township, period)
        for row in sheet.rows:
            region = Region.objects.get(code=row.code)
            for column in sheet.columns:
                if column.kind == "count" and column.code != "natural_growth":
                    people = (
                        RETURNS[code].group_of(column.code).people(column.code, region, sheet.span)
                    )
                    assert len(list(people)) == row.figures[column.code], (row.name, column.code)


def test_reasons_stand_beside_those_who_came_and_went(small):
    group = RETURNS["population-monthly"].group_of("other_losses")
    span = sheet_of("population-monthly", small.township, "2018-09").span
    lost = [(r.name, r.facts["原因"]) for r in group.people("other_losses", small.other, span)]
    assert lost == [("陈走", "已不在本村登记"), ("周三", "出生后尚未登记为居民")]
    came = [(r.name, r.facts["原因"]) for r in group.people("other_additions", small.other, span)]
    assert came == [("冯迁", "迁入或新登记")]


def test_checks_pass_but_for_the_birth_whose_child_is_not_registered(small):
    monthly = sheet_of("population-monthly", small.township, "2018-09")
    assert [(c.level, c.code) for c in monthly.checks] == [
        ("warn", "births_not_registered"), *[("ok", "")] * 4
    ]  # fmt: skip
    assert "安丰营村1" in monthly.checks[0].detail
    assert monthly.balances
    annual = sheet_of("population-annual", small.township, "2018")
    assert {c.level for c in annual.checks} == {"ok"}


@pytest.mark.parametrize(
    ("code", "figure"),
    [("population-monthly", "closing"), ("population-monthly", "births_boys"),
     ("population-annual", "inflow"), ("population-annual", "women_married_15_49_inflow")],
)  # fmt: skip
def test_checks_find_figures_that_disagree(small, code, figure):
    period = "2018-09" if code == "population-monthly" else "2018"
    sheet = sheet_of(code, small.township, period)
    sheet.rows[1].figures[figure] += 1
    bad = [c for c in RETURNS[code].checks(sheet.rows) if c.level == "bad"]
    assert any("庄科村" in c.text for c in bad)
    assert any("相加" in c.text for c in bad)


def test_somebody_registered_at_the_township_itself_is_found(small):
    make_resident(make_household(small.township), "镇上")
    sheet = sheet_of("population-annual", small.township, "2018")
    assert not sheet.balances
    assert "没有登记到村" in next(c for c in sheet.checks if c.level == "bad").detail


def test_county_return_has_its_townships_and_sums_the_moves_of_villages(small, county, far_village):
    sheet = sheet_of("population-monthly", county, "2018-09")
    assert [r.name for r in sheet.rows] == ["安宁市" if county.name == "安宁市" else county.name,
                                            "禄脿街道", "温泉镇"]  # fmt: skip
    assert sheet.rows[0].figures == sheet.rows[1].figures
    assert set(sheet.rows[2].figures.values()) == {0}


def test_village_return_has_one_row(small):
    sheet = sheet_of("population-annual", small.village, "2018")
    assert [r.name for r in sheet.rows] == ["庄科村"]
    assert sheet.balances


def test_village_abolished_before_the_period_is_left_out_unless_somebody_counts_there(small):
    old = make_region(f"{small.township.code}299", "旧村", valid_until=date(2018, 1, 1))
    names = [r.name for r in sheet_of("population-monthly", small.township, "2018-09").rows]
    assert "旧村" not in names
    make_resident(make_household(old))
    names = [r.name for r in sheet_of("population-monthly", small.township, "2018-09").rows]
    assert "旧村" in names


def test_opening_is_the_closing_of_the_month_before(small):
    august = sheet_of("population-monthly", small.township, "2018-08")
    september = sheet_of("population-monthly", small.township, "2018-09")
    for before, after in zip(august.rows, september.rows, strict=True):
        assert before.figures["closing"] == after.figures["opening"]


def test_late_registration_changes_the_month_of_its_date(small):
    child = make_resident(small.third, "周三", birth_date=date(2018, 9, 30), relation="子")
    small.births[-1].child = child
    small.births[-1].save(update_fields=["child"])
    row = sheet_of("population-monthly", small.township, "2018-09").rows[2]
    assert row.figures["births_not_registered"] == 0
    assert row.figures["closing"] == 5
    Residency.objects.filter(resident=child).update(started_on=date(2018, 10, 3))
    row = sheet_of("population-monthly", small.township, "2018-09").rows[2]
    assert row.figures["births_not_registered"] == 1
    assert row.figures["closing"] == 4


@pytest.mark.parametrize(
    ("code", "period"),
    [("population-monthly", "2018"), ("population-monthly", "2018Q3"), ("population-annual", "2018-09"),
     ("population-annual", "2018Q3"), ("population-monthly", "2018-13"), ("population-annual", "abcd")],
)  # fmt: skip
def test_period_of_another_cycle_is_refused(code, period):
    with pytest.raises(RuleViolation):
        sheets.period_of(RETURNS[code], period)


def test_monthly_return_costs_the_same_queries_for_more_people(
    small, assert_query_count_does_not_grow
):
    def grow():
        for number in range(203, 207):
            home = make_household(make_region(f"{small.township.code}{number}"))
            mother = make_resident(home, sex="女")
            make_birth(mother, date(2018, 9, 7))

    assert_query_count_does_not_grow(
        lambda: sheet_of("population-monthly", small.township, "2018-09"), grow
    )


def test_monthly_return_says_how_its_opening_and_the_locked_ledgers_agree(
    small, township, clerk, reviewer
):
    make_return(code="population-ledger", region=township, period="2018-08", by=clerk, today=TODAY)
    lock_month(by=reviewer, township=township, period="2018-08", today=TODAY)
    before = sheet_of("population-monthly", township, "2018-09").rows[0].figures["opening"]
    make_resident(make_household(small.village), "补登的人")
    sheet = sheet_of("population-monthly", township, "2018-09")
    assert sheet.rows[0].figures["opening"] == before + 1
    agreed = f"期初{before + 1}＝总人口账期初{before}＋补报增加1－补报减少0"
    assert ("ok", agreed) in [(c.level, c.text) for c in sheet.checks]
    make_return(code="population-ledger", region=township, period="2018-09", by=clerk, today=TODAY)
    lock_month(by=reviewer, township=township, period="2018-09", today=TODAY)
    make_resident(make_household(small.village), "又补登的人")
    sheet = sheet_of("population-monthly", township, "2018-09")
    (warning,) = [c for c in sheet.checks if c.level == "warn" and c.code == "opening"]
    assert "下一个月" in warning.detail
    assert sheet.balances
