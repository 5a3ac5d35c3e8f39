"""Figures of the rolls: what counts when and where, lists equal to counts, and the returns made of them."""

from datetime import date

import pytest

from fpadmin.accounts.models import Region
from fpadmin.dates import calendar_year_period
from fpadmin.reporting import selectors, sheets
from fpadmin.reporting.registry import RETURNS, Span
from households.models import Residency
from subsidies.models import ExitReason, ReturnDeadline, Suspension
from subsidies.returns.figures import KINDS, PLAIN, SENSITIVE, TOTALS, code_of, group_of
from subsidies.returns.forms import return_code
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.special import make_bereaved

pytestmark = pytest.mark.django_db
YEAR = Span(date(2018, 1, 1), date(2018, 12, 31))


@pytest.fixture
def rolls(village, other_village):
    """Lines of every kind, in two villages."""
    people = [*make_old_couple(village), *make_old_couple(other_village)]
    people += make_bereaved(village)
    make_enrolment(people[0], start=date(2010, 1, 1))
    make_enrolment(
        people[1], start=date(2018, 1, 1), end_month=date(2018, 12, 1), end_reason="死亡"
    )
    make_enrolment(
        people[2], start=date(2015, 1, 1), end_month=date(2017, 12, 1), end_reason="迁出"
    )
    paused = make_enrolment(people[3], start=date(2018, 4, 1))
    Suspension.objects.create(enrolment=paused, from_month=date(2018, 6, 1), reason="核实住址")
    # Confirmed and never paid.
    make_enrolment(
        people[2], start=date(2019, 1, 1), end_month=date(2018, 12, 1), end_reason="其他"
    )
    make_enrolment(people[4], "CN-SPECIAL-DEATH", date(2018, 1, 1))
    return people


def figures(region, span=YEAR, policy="CN-RURAL"):
    row = group_of(policy).compute([region], span)[region.code]
    return {kind.key: row[code_of(kind.key, policy)] for kind in KINDS if row}


def test_what_counts_in_the_year(rolls, township):
    found = figures(township)
    assert {key: n for key, n in found.items() if n} == {
        "carried_in": 1, "entered": 2, "exited": 1, "exited_death": 1, "carried_on": 2,
        "enrolled": 3, "suspended": 1,
    }  # fmt: skip


def test_day_within_the_year_counts_from_january_to_the_day(rolls, township):
    found = figures(township, Span(date(2017, 10, 1), date(2018, 3, 31)))
    assert (found["carried_in"], found["entered"], found["exited"], found["enrolled"]) == (
        1,
        1,
        0,
        2,
    )
    assert figures(township, Span(date(2018, 1, 1), date(2018, 5, 31)))["suspended"] == 0


def test_every_list_has_as_many_rows_as_its_figure_and_villages_sum(rolls, township, village):
    regions = [township, *Region.objects.children_of(township)]
    for group in (PLAIN, SENSITIVE, group_of("CN-RURAL")):
        computed = group.compute(regions, YEAR)
        for code in group.codes:
            for region in regions:
                assert len(group.people(code, region, YEAR)) == computed[region.code][code]
            below = sum(computed[r.code][code] for r in regions[1:])
            assert computed[township.code][code] == below
    assert SENSITIVE.compute([township], YEAR)[township.code]["enrolled"] == 4
    assert set(TOTALS) <= set(SENSITIVE.codes)


def test_some_codes_alone_are_the_same_figures(rolls, township):
    whole = PLAIN.compute([township], YEAR)[township.code]
    code = code_of("entered", "CN-RURAL")
    assert PLAIN.compute([township], YEAR, [code]) == {township.code: {code: whole[code]}}


def test_line_counts_where_its_person_was_registered_on_the_day(rolls, village, other_village):
    person = rolls[0]
    Residency.objects.filter(resident=person).update(ended_on=date(2018, 7, 1))
    Residency.objects.create(
        resident=person, household=rolls[2].household, village=other_village, relation="其他",
        residence="常住", hukou="农业", started_on=date(2018, 7, 1),
    )  # fmt: skip
    person.village, person.household, person.relation = other_village, rolls[2].household, "其他"
    person.save()
    before = Span(date(2018, 1, 1), date(2018, 6, 30))
    assert figures(village, before)["carried_in"] == 1
    assert figures(village)["carried_in"] == 0
    assert figures(other_village)["carried_in"] == 1


def test_figures_ask_a_fixed_number_of_queries(
    rolls, township, other_village, assert_query_count_does_not_grow
):
    def grow():
        for one in make_old_couple(other_village):
            make_enrolment(one)

    assert_query_count_does_not_grow(lambda: PLAIN.compute([township], YEAR), grow)


def test_return_of_a_policy_balances_and_is_told_when_it_does_not(rolls, township):
    report = RETURNS[return_code("CN-RURAL")]
    sheet = sheets.build(report, township, calendar_year_period(2018))
    assert sheet.balances
    assert [c.text for c in sheet.checks][0] == "年初在册1＋新增2－退出1＝期末结转2"
    broken = [row for row in sheet.rows]
    broken[0].figures[code_of("carried_on", "CN-RURAL")] += 1
    assert [c.level for c in report.checks(broken)] == ["bad", "ok", "bad"]


def test_reasons_of_the_workbook_are_all_counted():
    keys = {kind.key for kind in KINDS if kind.key.startswith("exited_")}
    assert len(keys) == len(ExitReason.values)


def test_only_policies_switched_on_are_asked_for(township, village, other_township):
    codes = {r.code for r in selectors.returns_of(township, YEAR.as_of, "calendar_year")}
    assert codes == set()
    switch_on("CN-RURAL", township)
    switch_on("YN-EXAM", village)
    codes = {r.code for r in selectors.returns_of(township, YEAR.as_of, "calendar_year")}
    assert codes == {"benefit-cn-rural", "benefit-yn-exam"}
    assert selectors.returns_of(other_township, YEAR.as_of, "calendar_year") == []


def test_due_days_are_the_policies_and_the_places(township, county):
    switch_on("CN-RURAL", township)
    offered = {r.code: due for r, due in selectors.offered_returns(township, YEAR.as_of)}
    assert offered["benefit-cn-rural"] == (2, 28)
    ReturnDeadline.objects.create(
        policy_code="CN-RURAL", region=county, from_on=date(2018, 1, 1), month=1, day=31,
        document="试行文件",
    )  # fmt: skip
    offered = {r.code: due for r, due in selectors.offered_returns(township, YEAR.as_of)}
    assert offered["benefit-cn-rural"] == (1, 31)


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ((2, 28), date(2019, 2, 28)),
        ((2, 30), date(2019, 2, 28)),
        ((8, 31), date(2019, 8, 31)),
        ((12, 31), date(2019, 12, 31)),
    ],
)
def test_return_is_due_on_the_next_such_day_after_the_year(due, expected):
    report = RETURNS["benefit-cn-rural"]
    assert selectors.due_of(report, calendar_year_period(2018), due) == expected


def test_home_page_asks_for_the_return_before_and_after_its_day(clerk, township):
    switch_on("CN-RURAL", township)
    lines = {t.label: t for t in selectors.todos(clerk, date(2019, 3, 5))}
    todo = lines["农村部分计划生育家庭奖励扶助目标人群汇总表　2018年度"]
    assert (todo.word, todo.hint) == ("逾期5天", "2月28日前上报")


@pytest.mark.parametrize(
    ("who", "code", "status"),
    [
        ("clerk", "enrolled_CN-SPECIAL-DEATH", 200),
        ("county_user", "enrolled_CN-SPECIAL-DEATH", 403),
        ("propagandist", "enrolled_CN-SPECIAL-DEATH", 403),
        ("propagandist", "enrolled_CN-RURAL", 200),
        ("propagandist", "enrolled", 403),
    ],
)
def test_lists_that_tell_of_a_loss_open_to_few(who, code, status, request, rolls, village, sign_in):
    client = sign_in(request.getfixturevalue(who))
    from django.urls import reverse

    page = client.get(
        reverse("reporting:figure-list", args=[code, village.code]), {"as_of": "2018-12-31"}
    )
    assert page.status_code == status
