"""What is merely odd about a roll: it comes in, and a warning says what to look at."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from households.models import Resident
from subsidies.models import Enrolment, PolicyExclusion
from subsidies.policies import catalogue
from tests.factories.benefits import make_enrolment, make_old_couple, set_rate, switch_on
from tests.factories.households import make_birth, make_household, make_resident
from tests.subsidies.imports.books import line, look, odd, take

pytestmark = pytest.mark.django_db

ENDED = {"exit_month": "2017-12", "exit_reason": "其他"}
AMOUNT, POLICY = "月标准或年标准", "政策代码"


@pytest.fixture
def all_on(county):
    for code in catalogue.policies():
        switch_on(code, county)


@pytest.fixture
def couple(village, all_on):
    """A couple of 庄科村 who qualify for CN-RURAL."""
    return make_old_couple(village)


@pytest.fixture
def head(couple):
    return couple[0]


def codes(outcome) -> list[str]:
    assert outcome.errors == []
    return [i.code for i in outcome.warnings]


# Amounts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"amount": 960}, []),
        ({"amount": ""}, []),
        ({"amount": 720}, ["amount_differs"]),
        # The newest rate in force during the enrolment: 720 from 2009, 960 from 2012.
        ({"start_month": "2010-01", "exit_month": "2011-12", "amount": 720}, []),
        ({"start_month": "2010-01", "exit_month": "2012-01", "amount": 960}, []),
        ({"start_month": "2010-01", "exit_month": "2011-12", "amount": 960}, ["amount_differs"]),
        ({"start_month": "2005-01", "exit_month": "2008-12", "amount": 600}, []),
        # An end ahead: as far as the line has come.
        ({"exit_month": "2018-12", "amount": 960}, []),
    ],
)
def test_amount_is_held_against_the_newest_rate_of_the_line(township, head, cells, expected):
    if "exit_month" in cells:
        cells = {"exit_reason": "其他"} | cells
    outcome = take(township, line(head, **cells))
    assert codes(outcome) == expected
    assert outcome.created == 1
    if expected:
        (warning,) = outcome.warnings
        assert (warning.row, warning.column) == (2, AMOUNT)


def test_rate_of_the_own_place_counts(township, county, head):
    set_rate("CN-RURAL", county, 1200, date(2016, 1, 1))
    assert codes(look(township, line(head, amount=1200))) == []
    (warning,) = look(township, line(head, amount=960)).warnings
    assert "1,200.00" in warning.message
    assert (
        codes(look(township, line(head, amount=960, exit_month="2015-12", exit_reason="其他")))
        == []
    )


def test_rate_that_begins_within_the_last_month_is_in_force_in_it(township, head):
    cells = {"policy_code": "SD-URBAN", "amount": 960, "start_month": "2016-01"}
    assert "amount_differs" not in codes(
        look(township, line(head, **cells, exit_month="2016-01", exit_reason="其他"))
    )


def test_policy_without_a_rate_says_nothing_of_the_amount(township, head):
    outcome = look(township, line(head, policy_code="SD-PENSION", amount=20000, **ENDED))
    assert codes(outcome) == []


def test_amount_of_one_grade_sets_the_grade(township, couple):
    rows = [
        line(one, policy_code="CN-COMPLICATION", amount=amount, **cells)
        for one, amount, cells in (
            (couple[0], 300, {}),  # since 2018 that of the second grade
            (couple[1], 300, {"exit_month": "2017-12", "exit_reason": "其他"}),
        )
    ]
    assert codes(take(township, *rows)) == []
    assert list(Enrolment.objects.order_by("pk").values_list("grade", flat=True)) == [
        "二级",
        "一级",
    ]
    outcome = take(township, *rows)
    assert (outcome.unchanged, codes(outcome)) == (2, [])


def test_amount_of_no_grade_or_of_two_tells_none(township, county, couple):
    head, wife = couple
    set_rate("CN-COMPLICATION", county, 200, date(2018, 2, 1), "二级")
    rows = [
        line(head, policy_code="CN-COMPLICATION", amount=350),
        line(wife, policy_code="CN-COMPLICATION", amount=200),
    ]
    outcome = take(township, *rows)
    assert odd(outcome) == [(2, AMOUNT, "grade_unknown"), (3, AMOUNT, "grade_unknown")]
    assert "一级400.00元、二级200.00元、三级200.00元" in outcome.warnings[0].message
    assert set(Enrolment.objects.values_list("grade", flat=True)) == {""}
    assert codes(look(township, line(head, policy_code="CN-COMPLICATION"))) == ["grade_unknown"]


def test_amount_fills_an_empty_grade_and_never_changes_one(township, head):
    stored = make_enrolment(head, "CN-COMPLICATION")
    outcome = take(township, line(head, policy_code="CN-COMPLICATION", amount=400))
    assert (outcome.updated, codes(outcome)) == (1, [])
    (change,) = outcome.changes
    assert (change.heading, change.old, change.new) == (AMOUNT, "", "一级")
    stored.refresh_from_db()
    assert stored.grade == "一级"
    outcome = take(township, line(head, policy_code="CN-COMPLICATION", amount=300))
    assert (outcome.unchanged, codes(outcome)) == (1, ["amount_differs"])


# The person ---------------------------------------------------------------------------------------


def test_who_does_not_qualify_comes_in_with_a_warning(township, village, couple):
    young = make_resident(make_household(village), "年轻人")
    outcome = take(township, line(couple[0]), line(young), line(couple[1], **ENDED))
    assert odd(outcome) == [(3, POLICY, "not_qualified")]
    assert outcome.created == 3


def test_exit_of_who_does_not_qualify_is_nothing_odd(township, village, all_on):
    young = make_resident(make_household(village), "年轻人")
    assert codes(look(township, line(young, **ENDED))) == []


def test_roll_is_held_against_the_end_of_the_year(township, village, all_on):
    """CN-RURAL begins in the January of the year: who turns 60 in December qualifies in October."""
    head, _ = make_old_couple(village, born=date(1958, 12, 31))
    later, _ = make_old_couple(village, born=date(1959, 1, 1))
    outcome = look(township, line(head, start_month="2018-01"), line(later, start_month="2018-01"))
    assert odd(outcome) == [(3, POLICY, "not_qualified")]


def test_husband_and_household_stand_for_the_unit(township, village, all_on):
    """The line of a couple may stand in the husband's name, that of a family in any member's."""
    head, wife = make_old_couple(village, born=date(1980, 1, 1), birth_date=date(2005, 1, 1))
    Resident.objects.update(only_child_cert_no="DS1", only_child_cert_date=date(2006, 1, 1))
    couple = line(head, policy_code="SD-ONLY-CHILD", amount=10)
    family = line(wife, policy_code="YN-LUMP", start_month="2018-01")
    assert codes(look(township, couple, family)) == []


def test_one_search_for_each_policy_however_many_rows(township, village, all_on):
    people = [one for _ in range(4) for one in make_old_couple(village)]
    with CaptureQueriesContext(connection) as queries:
        look(township, *map(line, people))
    searches = [q for q in queries if "meeting" in q["sql"]]
    assert len(searches) == 1


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({}, ["enrolled_dead"]),
        ({"exit_month": "2017-12"}, []),  # through the year of the death
        ({"exit_month": "2017-03"}, []),
        ({"exit_month": "2018-01"}, ["enrolled_dead"]),
        ({"start_month": "2017-06", "exit_month": "2017-12"}, ["enrolled_dead"]),
        ({"policy_code": "CN-SPECIAL-DEATH", "exit_month": "2017-05"}, []),
        ({"policy_code": "CN-SPECIAL-DEATH", "exit_month": "2017-06"}, ["enrolled_dead"]),
    ],
)
def test_line_beyond_the_death_comes_in_with_a_warning(township, couple, cells, expected):
    head, _ = couple
    Resident.objects.filter(pk=head.pk).update(death_date=date(2017, 5, 20))
    if "exit_month" in cells:
        cells = {"exit_reason": "死亡"} | cells
    outcome = take(township, line(head, **cells))
    assert codes(outcome) == expected
    assert outcome.created == 1


# The policy ---------------------------------------------------------------------------------------


def test_policy_that_is_off_is_told_once(township, village, county):
    head, wife = make_old_couple(village)
    outcome = take(township, line(head), line(wife))
    assert odd(outcome) == [(2, POLICY, "policy_off")]
    assert "共2行" in outcome.warnings[0].message
    switch_on("CN-RURAL", county, date(2018, 10, 10))  # tomorrow
    assert codes(look(township, line(head))) == ["policy_off"]
    switch_on("CN-RURAL", county, date(2018, 10, 9))
    assert codes(look(township, line(head))) == []


def test_closed_policy_takes_history_only(township, head):
    assert codes(look(township, line(head, policy_code="NX-FEWER", **ENDED))) == []
    assert "policy_closed" in codes(look(township, line(head, policy_code="NX-FEWER")))


def test_exit_after_this_year_may_be_mistyped(township, head):
    reason = {"exit_reason": "年满"}
    assert codes(look(township, line(head, exit_month="2018-12", **reason))) == []
    outcome = take(township, line(head, exit_month="2019-01", **reason))
    assert odd(outcome) == [(2, "退出年月", "exit_far_ahead")]


# Together with others -----------------------------------------------------------------------------


def test_excluding_rolls_in_the_same_months(township, head):
    urban = line(head, policy_code="SD-URBAN", start_month="2017-01")
    outcome = take(township, line(head), urban)
    assert odd(outcome) == [(2, POLICY, "excluded_pair"), (3, POLICY, "excluded_pair")]
    assert "农村部分计划生育家庭奖励扶助" in outcome.warnings[1].message


def test_excluding_rolls_one_after_the_other(township, head):
    rural = line(head, exit_month="2016-12", exit_reason="户口性质变更")
    urban = line(head, policy_code="SD-URBAN", start_month="2017-01", **ENDED)
    assert codes(look(township, rural, urban)) == []


def test_excluding_line_that_is_known_counts_and_one_that_the_file_ends_does_not(township, head):
    make_enrolment(head)
    urban = line(head, policy_code="SD-URBAN", start_month="2017-01", **ENDED)
    assert odd(look(township, urban)) == [(2, POLICY, "excluded_pair")]
    ended = line(head, exit_month="2016-12", exit_reason="户口性质变更")
    assert codes(look(township, urban, ended)) == []


def test_matrix_of_the_place_decides_what_excludes(township, county, head):
    PolicyExclusion.objects.create(
        policy_code="SD-URBAN", other_code="CN-RURAL", region=county, from_on=date(2018, 1, 1),
        excluded=False, document="试行文件",
    )  # fmt: skip
    make_enrolment(head)
    urban = line(head, policy_code="SD-URBAN", start_month="2017-01", **ENDED)
    assert codes(look(township, urban)) == []


def test_couple_and_household_have_one_line(township, village, couple):
    head, wife = couple
    son = make_resident(wife.household, "陶小", relation="子")
    make_birth(wife, son.birth_date, father=head, order=2)
    for code, one, other in (("SD-ONLY-CHILD", head, wife), ("YN-LUMP", wife, son)):
        rows = [line(one, policy_code=code, **ENDED), line(other, policy_code=code, **ENDED)]
        assert odd(look(township, *rows)) == [(2, POLICY, "unit_twice"), (3, POLICY, "unit_twice")]
    parted = [
        line(head, policy_code="SD-ONLY-CHILD", **ENDED),
        line(wife, policy_code="SD-ONLY-CHILD", start_month="2018-01", **ENDED
             | {"exit_month": "2018-06"}),
        line(son, policy_code="SD-ONLY-CHILD", **ENDED),
        line(head, **ENDED),
        line(wife, **ENDED),
    ]  # fmt: skip
    assert codes(look(township, *parted)) == []


def test_divorced_are_no_couple(township, couple):
    head, wife = couple
    Resident.objects.update(marital="离婚")
    rows = [line(one, policy_code="SD-ONLY-CHILD", **ENDED) for one in (head, wife)]
    assert codes(look(township, *rows)) == []
