"""The groups population and births on a small population worked out by hand."""

from datetime import date

import pytest

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import GROUPS, Span, group_of
from households.indicators import (
    compute_births,
    compute_population,
    people_of_births,
    people_of_population,
)
from households.models import Household, Residency, Resident
from tests.factories.accounts import make_region
from tests.factories.households import make_birth, make_household, make_resident
from tests.households.small_population import SEPTEMBER, YEAR, make_small_population

# village, other village, township: as the comments of small_population.py say.
POPULATION = {
    "population": (9, 4, 13),
    "hukou_agricultural": (7, 2, 9),
    "hukou_non_agricultural": (2, 0, 2),
    "inflow": (0, 2, 2),
    "households": (2, 1, 3),
    "women_married_15_49": (3, 1, 4),  # 李芳, 孙二, 孙四; 吴丽
    "women_married_15_49_agricultural": (2, 0, 2),
    "women_married_15_49_non_agricultural": (1, 0, 1),
    "women_married_15_49_inflow": (0, 1, 1),
    "only_child_certificates": (1, 1, 1),  # 证1 in both villages is one in the township
    "deaths": (1, 0, 1),
    "aged_60_plus": (1, 1, 2),
    "aged_65_plus": (1, 0, 1),
    "natural_growth": (2, 1, 3),
}
BIRTHS = {
    "births": (3, 1, 4),  # 王一, 王二, 冯子 (his father was still in the first village); 周三
    "births_boys": (2, 1, 3),
    "births_girls": (1, 0, 1),
    "births_order_1": (2, 0, 2),
    "births_order_2": (1, 0, 1),
    "births_order_3_plus": (0, 1, 1),
    "births_within_policy": (3, 0, 3),
    "within_policy_rate": (100, 0, 75),
    "sex_ratio_at_birth": (200, None, 300),
}
NOT_SUMS = {"only_child_certificates", "within_policy_rate", "sex_ratio_at_birth"}


@pytest.fixture
def small(village, other_village):
    return make_small_population(village, other_village)


def regions_of(small):
    return [small.village, small.other, small.township]


@pytest.mark.parametrize("code", POPULATION)
def test_population_figures_are_as_worked_by_hand(small, code):
    figures = compute_population(regions_of(small), YEAR)
    assert tuple(figures[r.code][code] for r in regions_of(small)) == POPULATION[code]


@pytest.mark.parametrize("code", BIRTHS)
def test_birth_figures_are_as_worked_by_hand(small, code):
    figures = compute_births(regions_of(small), YEAR)
    assert tuple(figures[r.code][code] for r in regions_of(small)) == BIRTHS[code]


def test_sex_ratio_has_its_interval_and_p_value_or_nothing(small):
    figures = compute_births(regions_of(small), YEAR)
    township, empty = figures[small.township.code], figures[small.other.code]
    # Wilson of 3 in 4: 0.3006 to 0.9544.
    assert township["sex_ratio_at_birth_low"] == pytest.approx(43.0, abs=0.1)
    assert township["sex_ratio_at_birth_high"] == pytest.approx(2094, abs=10)
    assert 0 < township["sex_ratio_at_birth_p"] < 1
    assert {empty[f"sex_ratio_at_birth_{end}"] for end in ("low", "high", "p")} == {None}


@pytest.mark.parametrize("code", sorted({*POPULATION, *BIRTHS} - NOT_SUMS))
def test_villages_sum_to_their_township(small, code):
    compute = compute_population if code in POPULATION else compute_births
    first, second, whole = (
        compute(regions_of(small), YEAR)[r.code][code] for r in regions_of(small)
    )
    assert first + second == whole


@pytest.mark.parametrize("code", sorted({*POPULATION, *BIRTHS} - {"natural_growth"}))
def test_each_count_has_as_many_people_in_its_list(small, code):
    group = group_of(code)
    for region in [*regions_of(small), small.group]:
        figures = group.compute([region], YEAR)[region.code]
        rows = group.people(code, region, YEAR)
        numerators = {
            "within_policy_rate": "births_within_policy",
            "sex_ratio_at_birth": "births_boys",
        }
        assert len(list(rows)) == len(rows) == figures[numerators.get(code, code)]


def test_group_counts_its_households_people(small):
    figures = compute_population([small.village, small.group], YEAR)
    assert figures[small.group.code]["population"] == 4
    assert figures[small.group.code]["households"] == 1
    assert figures[small.group.code]["only_child_certificates"] == 1
    assert figures[small.village.code]["population"] == 9
    born = compute_births([small.village, small.group], YEAR)
    assert born[small.group.code]["births"] == 2


def test_codes_leave_out_what_was_not_asked(small):
    figures = compute_population([small.township], YEAR, ["deaths", "natural_growth"])
    assert figures == {small.township.code: {"deaths": 1, "natural_growth": 3}}
    born = compute_births([small.township], YEAR, ["births"])
    assert born == {small.township.code: {"births": 4}}


def test_figures_of_a_past_day_use_the_spells_of_that_day(small):
    before = Span(date(2018, 8, 1), date(2018, 8, 31))
    figures = compute_population(regions_of(small), before)
    # Without the newborn, with the dead and the mover; the one who left is still in the other village.
    assert [figures[r.code]["population"] for r in regions_of(small)] == [10, 4, 14]


def test_region_without_residents_has_zeros_and_empty_rates(village, other_village):
    figures = compute_population([village], YEAR) | {}
    assert set(figures[village.code].values()) == {0}
    born = compute_births([village], YEAR)[village.code]
    assert born["births"] == 0
    assert born["within_policy_rate"] is None
    assert len(people_of_population("population", village, YEAR)) == 0


def test_household_is_listed_by_its_head_or_its_oldest_living_member(small):
    rows = list(people_of_population("households", small.village, YEAR))
    assert [(r.household_no, r.name) for r in rows] == [("00001", "王强"), ("00002", "钱老")]


def test_certificate_is_listed_once_with_a_stable_holder(small):
    rows = list(people_of_population("only_child_certificates", small.township, YEAR))
    assert [(r.village_code, r.name) for r in rows] == [(small.village.code, "王强")]


def test_birth_is_listed_at_the_household_of_that_day_with_the_childs_name(small):
    rows = list(people_of_births("births", small.township, YEAR))
    assert [(r.village_code, r.household_no, r.name) for r in rows] == [
        (small.village.code, "00001", "王二"),
        (small.village.code, "00001", "王一"),
        (small.village.code, "00002", "冯子"),
        (small.other.code, "00003", "周三"),
    ]


def test_rate_lists_its_numerator(small):
    rows = people_of_births("within_policy_rate", small.township, YEAR)
    assert [r.name for r in rows] == ["王二", "王一", "冯子"]


def test_natural_growth_lists_births_then_deaths(small):
    rows = list(people_of_population("natural_growth", small.village, SEPTEMBER))
    assert [(r.name, r.facts["类别"]) for r in rows] == [("王一", "出生"), ("赵老", "死亡")]


def test_birth_of_a_mother_not_registered_that_day_counts_at_the_father(small):
    Residency.objects.filter(resident=small.mother).update(started_on=date(2018, 9, 6))
    Residency.objects.filter(resident=small.father).update(
        household=small.third, village=small.other
    )
    figures = compute_births(regions_of(small), SEPTEMBER)
    assert figures[small.other.code]["births"] == 2
    Residency.objects.filter(resident=small.father).delete()
    assert compute_births(regions_of(small), SEPTEMBER)[small.township.code]["births"] == 1


def test_slices_of_a_list_read_over_its_parts(small):
    rows = people_of_population("natural_growth", small.township, YEAR)
    names = [r.name for r in rows]
    assert [r.name for r in rows[3:5]] == names[3:5]
    assert rows[0].name == names[0]
    assert rows[100:200] == []


def test_deaths_of_the_29th_of_february_and_ages_on_the_28th(village):
    home = make_household(village)
    make_resident(home, "闰", birth_date=date(1952, 2, 29), death_date=date(2016, 2, 29))
    make_resident(home, "闰二", birth_date=date(1952, 2, 29), relation="其他")
    day = Span(date(2017, 1, 1), date(2017, 2, 28))
    assert compute_population([village], day)[village.code]["aged_65_plus"] == 0
    day = Span(date(2017, 1, 1), date(2017, 3, 1))
    assert compute_population([village], day)[village.code]["aged_65_plus"] == 1
    leap = Span(date(2016, 2, 29), date(2016, 2, 29))
    assert compute_population([village], leap)[village.code]["deaths"] == 1


@pytest.mark.parametrize("key", ["population", "births"])
def test_query_count_is_the_same_for_one_village_and_for_many(
    key, small, assert_query_count_does_not_grow
):
    group = GROUPS[key]

    def compute():
        regions = [small.township, *Region.objects.children_of(small.township)]
        return group.compute(regions, YEAR)

    def grow():
        for number in range(203, 209):
            home = make_household(make_region(f"{small.township.code}{number}"))
            mother = make_resident(home, sex="女")
            make_birth(mother, date(2018, 1, number % 9 + 1))

    assert_query_count_does_not_grow(compute, grow)


def test_links_lead_only_to_what_the_user_sees_now(small, propagandist, clerk):
    group = GROUPS["population"]
    rows = list(
        people_of_population("population", small.village, Span(YEAR.start, date(2018, 8, 31)))
    )
    mover = next(n for n, r in enumerate(rows) if r.name == "冯迁")
    Resident.objects.filter(pk=small.mover.pk).update(village=small.other, household=small.third)
    assert group.links(clerk, rows)[mover][0] == small.mover.get_absolute_url()
    assert group.links(propagandist, rows)[mover][0] == ""
    assert group.links(propagandist, rows)[0][0] == small.father.get_absolute_url()
    assert Household.objects.visible_to(propagandist).count() == 2
