"""Who enters and leaves a policy in the next twelve months: the day, the reason and the money."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from households.models import ChildRecord, Resident
from subsidies.outlook.ahead import ENTER, LEAVE, ahead, months_of
from tests.conftest import TODAY
from tests.factories.benefits import make_enrolment, make_old_couple, set_rate, switch_on
from tests.factories.households import make_birth, make_household, make_resident

RURAL, DEATH, DISABLED = "CN-RURAL", "CN-SPECIAL-DEATH", "CN-SPECIAL-DISABLED"
REWARD = "SD-ONLY-CHILD"

pytestmark = pytest.mark.django_db


def coming(user, code=RURAL, today=TODAY):
    return [
        (one.side, one.day, one.reason, one.yuan)
        for one in ahead(user, code, user.region.path, today)
    ]


def marry(one: Resident, other: Resident) -> None:
    for person, spouse in ((one, other), (other, one)):
        person.spouse = spouse
        person.save(update_fields=["spouse"])


def make_bereaved(village, *, wife_born: date, husband_born=date(1960, 3, 4)):
    """A couple whose only child died: both qualify for the support once the wife is 49."""
    household = make_household(village)
    husband = make_resident(household, "戴飞飞", marital="初婚", birth_date=husband_born)
    wife = make_resident(
        household, "董丽怡", sex="女", relation="配偶", marital="初婚", birth_date=wife_born
    )
    marry(husband, wife)
    child = make_birth(
        wife, date(1995, 6, 1), father=husband, survival="死亡", death_date=date(2016, 1, 5)
    )
    return husband, wife, child


def make_reward_couple(village, child_born: date, **child):
    """A couple with a certificate and one child: the wife stands for both."""
    household = make_household(village)
    values = {"marital": "初婚", "birth_date": date(1975, 1, 1)}
    husband = make_resident(household, "李大山", **values)
    wife = make_resident(
        household, "王小花", sex="女", relation="配偶", only_child_cert_no="Y123", **values
    )
    marry(husband, wife)
    make_birth(wife, child_born, father=husband, **child)
    return husband, wife


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2018, 10, 9), date(2018, 10, 1), date(2019, 9, 1)),
        (date(2018, 1, 31), date(2018, 1, 1), date(2018, 12, 1)),
        (date(2018, 12, 31), date(2018, 12, 1), date(2019, 11, 1)),
    ],
    ids=["autumn", "january", "december"],
)
def test_twelve_months_begin_with_that_of_today(today, first, last):
    months = months_of(today)
    assert (len(months), months[0], months[-1]) == (12, first, last)


@pytest.mark.parametrize(
    ("born", "enters"),
    [
        (date(1958, 10, 8), None),  # yesterday: qualifies already
        (date(1958, 10, 9), date(2018, 10, 9)),
        (date(1958, 10, 31), date(2018, 10, 31)),
        (date(1958, 11, 1), date(2018, 11, 1)),
        (date(1959, 2, 28), date(2019, 2, 28)),
        (date(1959, 9, 30), date(2019, 9, 30)),
        (date(1959, 10, 1), None),  # the thirteenth month
    ],
    ids=["before", "today", "month-end", "next-first", "february", "last", "after"],
)
def test_who_turns_sixty_enters_on_that_day(clerk, village, county, born, enters):
    switch_on(RURAL, county)
    make_old_couple(village, born=born)
    expected = [(ENTER, enters, "满60周岁", Decimal(960))] * 2 if enters else []
    assert coming(clerk) == expected


@pytest.mark.parametrize(
    ("today", "enters"),
    [(date(2019, 10, 9), date(2020, 2, 29)), (date(2018, 10, 9), None)],
    ids=["leap-year", "year-before"],
)
def test_who_was_born_on_a_leap_day_turns_sixty_on_one(clerk, village, county, today, enters):
    switch_on(RURAL, county)
    make_old_couple(village, born=date(1960, 2, 29))
    assert [one[1] for one in coming(clerk, today=today)] == ([enters] * 2 if enters else [])


def test_leap_day_counts_on_the_first_of_march_of_a_common_year(clerk, village, county):
    """Who was born on 29 February 1972 completes 49 years on 1 March 2021."""
    switch_on(DEATH, county)
    make_bereaved(village, wife_born=date(1972, 2, 29))
    found = coming(clerk, DEATH, today=date(2020, 10, 9))
    assert [(side, day) for side, day, *_ in found] == [(ENTER, date(2021, 3, 1))] * 2


def test_wife_who_turns_forty_nine_brings_both_in(clerk, village, county):
    """From January of that year: twelve months of 450 yuan."""
    switch_on(DEATH, county)
    make_bereaved(village, wife_born=date(1970, 3, 4))
    expected = (ENTER, date(2019, 3, 4), "女方满49周岁", Decimal(12 * 450))
    assert coming(clerk, DEATH) == [expected, expected]


def test_father_who_is_alone_turns_on_the_own_day(clerk, village, county):
    switch_on(DEATH, county)
    husband, wife, _ = make_bereaved(
        village, wife_born=date(1970, 3, 4), husband_born=date(1970, 5, 6)
    )
    wife.death_date = date(2018, 10, 1)
    wife.save(update_fields=["death_date"])
    (only,) = coming(clerk, DEATH)
    assert only[:3] == (ENTER, date(2019, 5, 6), "本人满49周岁")


def test_rate_that_changes_in_july_splits_the_year(clerk, village, county):
    switch_on(DEATH, county)
    make_bereaved(village, wife_born=date(1973, 3, 4))
    found = coming(clerk, DEATH, today=date(2021, 10, 9))
    assert {one[3] for one in found} == {Decimal(6 * 450 + 6 * 590)}


def test_child_who_turns_eighteen_ends_the_reward(clerk, village, county):
    """One line for the couple; paid through the month, so nine months of the year are saved."""
    switch_on(REWARD, county)
    _, wife = make_reward_couple(village, date(2001, 3, 10))
    make_enrolment(wife, REWARD)
    assert coming(clerk, REWARD) == [(LEAVE, date(2019, 3, 10), "子女满18周岁", Decimal(9 * 10))]


@pytest.mark.parametrize(
    ("born", "day"),
    [
        (date(2000, 10, 31), date(2018, 10, 31)),
        (date(2000, 11, 1), date(2018, 11, 1)),
        (date(2000, 10, 8), None),
        (date(2001, 10, 1), None),
    ],
    ids=["month-end", "next-first", "before", "after"],
)
def test_day_on_which_a_child_turns_eighteen(clerk, village, county, born, day):
    switch_on(REWARD, county)
    _, wife = make_reward_couple(village, born)
    make_enrolment(wife, REWARD)
    assert [one[1] for one in coming(clerk, REWARD)] == ([day] if day else [])


def test_reward_enrolled_for_the_husband_ends_for_him(clerk, village, county):
    switch_on(REWARD, county)
    husband, _ = make_reward_couple(village, date(2001, 3, 10))
    make_enrolment(husband, REWARD)
    (only,) = ahead(clerk, REWARD, clerk.region.path, TODAY)
    assert only.resident_id == husband.pk


def test_who_is_not_on_the_roll_does_not_leave_it(clerk, village, county):
    switch_on(REWARD, county)
    make_reward_couple(village, date(2001, 3, 10))
    assert coming(clerk, REWARD) == []


def test_who_is_on_the_roll_does_not_enter_it(clerk, village, county):
    """A year's roll is made as of its 31 December: who turns 60 in November is on it since January."""
    switch_on(RURAL, county)
    head, wife = make_old_couple(village, born=date(1958, 11, 5))
    make_enrolment(head, start=date(2018, 1, 1))
    assert [one.resident_id for one in ahead(clerk, RURAL, clerk.region.path, TODAY)] == [wife.pk]


def test_what_is_decided_comes_in_its_month(clerk, village, county):
    switch_on(RURAL, county)
    head, wife = make_old_couple(village)
    make_enrolment(head, start=date(2019, 1, 1))
    make_enrolment(wife, end_month=date(2018, 12, 1), end_reason="迁出")
    assert coming(clerk) == [
        (LEAVE, date(2018, 12, 31), "已定退出：迁出", Decimal(960)),
        (ENTER, date(2019, 1, 1), "已批准，2019年1月起享受", Decimal(960)),
    ]


def test_child_who_died_moves_the_parents_over(clerk, village, county):
    """Known from the records and not yet done: out of the one list and into the other."""
    switch_on(DISABLED, county)
    switch_on(DEATH, county)
    husband, wife, _ = make_bereaved(village, wife_born=date(1965, 3, 4))
    make_enrolment(wife, DISABLED)
    (leaves,) = coming(clerk, DISABLED)
    assert leaves == (
        LEAVE, TODAY, "转入计划生育家庭特别扶助（独生子女死亡）", Decimal(2 * 350)
    )  # fmt: skip
    (enters,) = coming(clerk, DEATH)
    assert enters == (
        ENTER, TODAY, "由计划生育家庭特别扶助（独生子女伤残）转入", Decimal(2 * 450)
    )  # fmt: skip
    ChildRecord.objects.update(survival="存活", death_date=None, disability_grade="二级")
    assert coming(clerk, DISABLED) == coming(clerk, DEATH) == []


def test_policy_that_changes_brings_people_in_on_its_day(clerk, village, county):
    """A county that lowers the age to 55 from January; who is between both ages enters then."""
    switch_on(RURAL, county)
    make_old_couple(village, born=date(1961, 5, 6))
    changed = [{"age": {"min": 55}}, "registered_here"]
    switch_on(RURAL, county, date(2019, 1, 1), criteria=changed)
    assert coming(clerk) == [(ENTER, date(2019, 1, 1), "2019年1月1日起政策调整", Decimal(960))] * 2
    # Who turns 55 afterwards does so by the new rule.
    Resident.objects.update(birth_date=date(1964, 2, 1))
    assert [one[1:3] for one in coming(clerk)] == [(date(2019, 2, 1), "满55周岁")] * 2


def test_policy_that_is_switched_off_lets_its_people_go(clerk, village, county):
    switch_on(RURAL, county)
    switch_on(RURAL, county, date(2019, 1, 1), is_on=False)
    head, _ = make_old_couple(village)
    make_enrolment(head)
    assert [one[:2] for one in coming(clerk)] == [(LEAVE, date(2019, 1, 1))]


def test_money_is_unknown_without_a_rate_and_follows_the_own_one(clerk, village, county):
    switch_on(RURAL, county)
    make_old_couple(village, born=date(1958, 11, 5))
    set_rate(RURAL, county, 1200, date(2018, 11, 1))
    assert {one[3] for one in coming(clerk)} == {Decimal(1200)}
    switch_on("SD-DIBAO", county, criteria=["registered_here", {"age": {"min": 60}}])
    assert {one[3] for one in coming(clerk, "SD-DIBAO")} == {None}


def test_other_places_do_not_show(clerk, other_clerk, county, far_village):
    switch_on(RURAL, county)
    make_old_couple(far_village, born=date(1958, 11, 5))
    assert coming(clerk) == []
    assert len(coming(other_clerk)) == 2


def test_village_with_a_rule_of_its_own_keeps_to_it(clerk, village, other_village, county):
    """55 years here, 60 there; and where a village has none, nobody comes."""
    switch_on(RURAL, county)
    for place in (village, other_village):
        make_old_couple(place, born=date(1963, 11, 5))
        make_old_couple(place, born=date(1958, 12, 5))
    switch_on(RURAL, village, criteria=["registered_here", {"age": {"min": 55}}])
    found = [one[1:3] for one in coming(clerk)]
    assert found == [(date(2018, 11, 5), "满55周岁")] * 2 + [(date(2018, 12, 5), "满60周岁")] * 2
    switch_on(RURAL, other_village, is_on=False)
    assert [one[1:3] for one in coming(clerk)] == [(date(2018, 11, 5), "满55周岁")] * 2


def test_villages_whose_rules_ask_the_same_are_asked_once(clerk, village, other_village, county):
    switch_on(RURAL, county)
    make_old_couple(village, born=date(1958, 12, 5))
    make_old_couple(other_village, born=date(1958, 12, 5))
    with CaptureQueriesContext(connection) as before:
        assert len(coming(clerk)) == 4
    for place in (village, other_village):
        switch_on(RURAL, place)
    with CaptureQueriesContext(connection) as after:
        assert len(coming(clerk)) == 4
    assert len(after) == len(before)
