"""The page of the look-ahead: figures, the lists behind them, the export, and who sees what."""

from datetime import date

import pytest
from django.http import QueryDict
from django.urls import reverse

from fpadmin.exports.runs import cells
from fpadmin.exports.selectors import sensitive_kinds
from fpadmin.ui.listing import HEALTH, LISTS, Asked, Selection, rows_of
from subsidies.outlook import coming_list
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.subsidies.outlook.test_ahead import (
    DEATH,
    REWARD,
    RURAL,
    make_bereaved,
    make_reward_couple,
)

PAGE, PEOPLE = "subsidies:outlook", "subsidies:outlook-list"

pytestmark = pytest.mark.django_db


def opened(client, user, page=PAGE, **query):
    client.force_login(user)
    return client.get(reverse(page), query)


def rows(user, code=RURAL, **query):
    asked = Asked(
        user,
        QueryDict("&".join(f"{k}={v}" for k, v in {"policy": code, **query}.items())),
        {},
        TODAY,
    )
    return rows_of(LISTS[coming_list.key_of(code)], asked)


@pytest.fixture
def on(county):
    for code in (RURAL, REWARD, DEATH):
        switch_on(code, county)


@pytest.fixture
def changes(on, village, other_village):
    """In: two here on 5 November, one there on 1 February. Out: one couple there in March."""
    make_old_couple(village, born=date(1958, 11, 5))
    head, _ = make_old_couple(other_village, born=date(1959, 2, 1))
    make_enrolment(head)
    _, wife = make_reward_couple(other_village, date(2001, 3, 10))
    make_enrolment(wife, REWARD)


def links_of(response):
    """(number, url) of every figure that opens a list, from every table of the page."""
    tables = [response.context["months"], *(lines for _, _, lines in response.context["sides"])]
    return [
        (int(cell.text), cell.url) for lines in tables for line in lines for cell in line.cells
        if cell.url
    ]  # fmt: skip


@pytest.mark.parametrize("code", [RURAL, REWARD])
def test_every_figure_is_the_number_of_rows_behind_it(client, clerk, changes, code):
    response = opened(client, clerk, policy=code)
    found = links_of(response)
    assert len(found) >= 4
    for number, url in found:
        assert (client.get(url).context["list"].total, url) == (number, url)


def test_page_adds_up_by_month_and_by_village(client, clerk, changes):
    response = opened(client, clerk, policy=RURAL)
    by_label = {
        line.label: [cell.text for cell in line.cells] for line in response.context["months"]
    }
    assert by_label["2018年11月"] == ["2", "1,920.00", "0", "0"]
    assert by_label["2019年2月"] == ["1", "960.00", "0", "0"]
    assert by_label["合计"] == ["3", "2,880.00", "0", "0"]
    villages = {line.label: line.cells[-2].text for line in response.context["sides"][0][2]}
    assert villages == {"庄科村": "2", "安丰营村": "1", "合计": "3"}
    assert [(s.people, s.yuan) for s in response.context["summaries"]] == [(3, 2880), (0, 0)]


def test_page_of_one_village_shows_only_it(client, clerk, changes, other_village):
    response = opened(client, clerk, policy=RURAL, village=other_village.pk)
    assert response.context["summaries"][0].people == 1
    assert [line.label for line in response.context["sides"][0][2]] == ["安丰营村", "合计"]


def test_rows_say_when_why_and_how_much(clerk, changes):
    (first, *_) = rows(clerk)
    assert (first.comes_on, first.reason, first.yuan) == (date(2018, 11, 5), "满60周岁", 960)
    (wife,) = rows(clerk, REWARD, side="leave", month="2019-03")
    assert (wife.name, wife.reason, wife.yuan) == ("王小花", "子女满18周岁", 90)
    assert list(rows(clerk, REWARD, side="leave", month="2019-04")) == []


def test_export_writes_the_rows_of_the_page(clerk, changes):
    spec = LISTS[coming_list.KEY]
    ((row, *_),) = cells(rows(clerk), list(spec.columns), clear=False, day=TODAY)
    by_label = dict(zip([column.label for column in spec.columns], row, strict=True))
    assert by_label["日期"] == date(2018, 11, 5)
    assert by_label["原因"] == "满60周岁"
    assert float(by_label["金额（元）"]) == 960
    assert "********" in by_label["公民身份号码"]


def test_lists_of_sensitive_policies_count_as_health(clerk, on):
    spec = LISTS[coming_list.SENSITIVE_KEY]
    asked = Asked(clerk, QueryDict(f"policy={DEATH}"), {}, TODAY)
    kinds = sensitive_kinds(spec, Selection(asked, is_all=True), [spec.column("name")])
    assert kinds == {HEALTH}
    assert LISTS[coming_list.KEY].column("name").sensitive == ""


def test_village_worker_is_not_told_of_sensitive_policies(client, propagandist, clerk, on, village):
    make_bereaved(village, wife_born=date(1970, 3, 4))
    for page in (PAGE, PEOPLE):
        assert opened(client, propagandist, page, policy=DEATH).status_code == 404
        assert opened(client, clerk, page, policy=DEATH).status_code == 200
    shown = opened(client, propagandist)
    assert DEATH not in dict(shown.context["form"].fields["policy"].choices)
    # The list that is not for it shows nobody, whatever the address says.
    asked = Asked(propagandist, QueryDict(f"policy={DEATH}"), {}, TODAY)
    assert not rows_of(LISTS[coming_list.SENSITIVE_KEY], asked).exists()
    assert rows(clerk, DEATH).count() == 2


def test_policy_that_is_not_in_force_is_not_offered(client, clerk, county):
    assert opened(client, clerk).context["want"] is None
    assert opened(client, clerk, policy=RURAL).status_code == 404
    switch_on(RURAL, county, date(2019, 5, 1))  # within the twelve months
    assert opened(client, clerk, policy=RURAL).status_code == 200


def test_county_chooses_a_township_first(client, county, changes, township, other_township):
    user = make_user("county", county)
    empty = opened(client, user, policy=RURAL)
    assert empty.context["figures"] is None
    assert "请选择乡镇" in empty.content.decode()
    assert opened(client, user, policy=RURAL, town=township.pk).context["summaries"][0].people == 3
    other = opened(client, user, policy=RURAL, town=other_township.pk)
    assert other.context["summaries"][0].people == 0
    found = links_of(opened(client, user, policy=RURAL, town=township.pk))
    assert all(client.get(url).context["list"].total == number for number, url in found)


def test_place_of_another_office_is_not_found(client, clerk, on, far_village, other_township):
    assert opened(client, clerk, policy=RURAL, village=far_village.pk).status_code == 404
    assert opened(client, clerk, policy=RURAL, village="x").status_code == 404
    people = opened(client, clerk, PEOPLE, policy=RURAL, village=far_village.pk)
    assert people.context["list"].total == 0


@pytest.mark.parametrize("page", ["subsidies:outlook", "subsidies:outlook-list"])
def test_queries_do_not_grow_with_people(
    assert_query_count_does_not_grow, client, clerk, on, village, other_village, page
):
    make_old_couple(village, born=date(1958, 11, 5))

    def grow():
        for at, place in enumerate([village, other_village] * 3):
            make_old_couple(place, born=date(1959, 1 + at, 5))

    assert_query_count_does_not_grow(lambda: opened(client, clerk, page, policy=RURAL), grow)
