"""The pages of the what-if: form, result, the kept note, its lists and its paper."""

from datetime import date

import pytest
from django.http import QueryDict
from django.urls import reverse

from fpadmin.exports.selectors import sensitive_kinds
from fpadmin.ui.listing import HEALTH, LISTS, Asked, Selection
from subsidies.models import Scenario
from subsidies.outlook import scenario_list
from subsidies.outlook.whatif import SIDES, Change, Row
from subsidies.services import scenarios
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.benefits import make_old_couple, switch_on
from tests.subsidies.outlook.test_ahead import DEATH, RURAL, make_bereaved
from tests.subsidies.outlook.test_whatif import DAY, changed, keep

LIST, CREATE, PEOPLE = (
    "subsidies:scenario-list", "subsidies:scenario-create", "subsidies:scenario-people-list"
)  # fmt: skip
SHIPPED = {
    "as_of": "2018-12-31", "born_from": "1933-01-01", "age_min": "60", "age_max": "",
    "no_birth_outside_policy_from": "1973-01-01", "no_birth_outside_policy_to": "2001-12-31",
    "amount0": "",
}  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(county, village, other_village):
    """Two over sixty here, two of 57 there."""
    for code in (RURAL, DEATH):
        switch_on(code, county)
    make_old_couple(village, born=date(1950, 3, 4))
    make_old_couple(other_village, born=date(1961, 3, 4))


def posted(client, user, step="check", query="", **values):
    client.force_login(user)
    return client.post(
        f"{reverse(CREATE)}?policy={RURAL}{query}", {**SHIPPED, **values, "step": step}
    )


def opened(client, user, page, *args, **query):
    client.force_login(user)
    return client.get(reverse(page, args=args), query)


def test_form_offers_what_the_rule_asks(client, clerk, people):
    response = opened(client, clerk, CREATE, policy=RURAL)
    form = response.context["form"]
    assert set(form.fields) == set(SHIPPED)
    assert form["age_min"].value() == 60
    assert form["as_of"].value() == DAY
    assert "现行：960.00元/人·年" in form.fields["amount0"].help_text


def test_result_shows_both_and_keeps_nothing(client, clerk, people):
    response = posted(client, clerk, age_min="57")
    rows = {row.name: (row.now, row.changed) for row, _ in response.context["pairs"]}
    assert rows == {"庄科村": (2, 2), "安丰营村": (0, 2), "合计": (2, 4)}
    assert [(c.old, c.new) for c in response.context["changes"]] == [("年满60周岁", "年满57周岁")]
    assert not Scenario.objects.exists()


def test_result_is_kept_with_a_name(client, clerk, people):
    refused = posted(client, clerk, "save", age_min="57", name="")
    assert refused.status_code == 200
    assert "请填写名称" in refused.content.decode()
    response = posted(client, clerk, "save", age_min="57", name="降到57周岁", note="报预算")
    scenario = Scenario.objects.get()
    assert response["Location"] == reverse("subsidies:scenario-detail", args=[scenario.pk])
    assert (scenario.name, scenario.note, scenario.made_by) == ("降到57周岁", "报预算", clerk)


def test_back_shows_the_form_with_what_was_typed(client, clerk, people):
    response = posted(client, clerk, "back", age_min="57")
    assert response.context["form"]["age_min"].value() == "57"
    assert "pairs" not in response.context


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({}, None, "没有改动"),
        ({"age_min": ""}, "age_min", "至少填一个年龄"),
        ({"age_min": "60", "age_max": "50"}, "age_max", "前后颠倒"),
        ({"no_birth_outside_policy_to": "1960-01-01"}, "no_birth_outside_policy_to", "前后颠倒"),
        ({"as_of": "2018-10-08", "age_min": "55"}, "as_of", "不能早于今天"),
        ({"born_from": "没有", "age_min": "55"}, "born_from", "不是一个日期"),
        ({"amount0": "-1"}, "amount0", "不能小于0"),
    ],
    ids=["nothing", "no-age", "ages-turned", "days-turned", "past", "no-day", "negative"],
)
def test_form_says_what_is_wrong(client, clerk, people, values, field, words):
    response = posted(client, clerk, **values)
    assert "pairs" not in response.context
    form = response.context["form"]
    assert (field in form.errors) if field else form.non_field_errors()
    assert words in response.content.decode()


def test_county_chooses_a_township_first(client, county, people, township):
    user = make_user("county", county)
    assert "form" not in opened(client, user, CREATE, policy=RURAL).context
    response = posted(client, user, query=f"&town={township.pk}", age_min="57")
    assert response.context["pairs"][-1][0].changed == 4


def test_form_follows_the_rule_of_the_day(client, clerk, county, people):
    """A rule that is changed from January on is the one in force for a day of next year."""
    switch_on(RURAL, county, date(2019, 1, 1), criteria=[{"age": {"min": 55}}])
    posted_form = posted(client, clerk, as_of="2019-06-30").context["form"]
    assert {"born_from"} & set(posted_form.fields) == set()


@pytest.fixture
def kept(people, clerk, township):
    return keep(clerk, township, change=Change(changed(age={"min": 57})))


def test_every_figure_of_a_kept_one_is_the_number_behind_it(client, clerk, kept):
    response = opened(client, clerk, "subsidies:scenario-detail", kept.pk)
    figures = [one for _, four in response.context["lines"] for one in four.values() if one.url]
    assert [one.number for one in figures] == [2, 2, 2, 2, 2, 4, 2]
    for one in figures:
        assert client.get(one.url).context["list"].total == one.number


def test_lists_stay_with_what_was_kept_when_the_rule_changes(client, clerk, county, kept):
    switch_on(RURAL, county, date(2018, 11, 1), criteria=["registered_here", {"age": {"min": 58}}])
    for side, number in zip(SIDES, (2, 4, 2, 0), strict=True):
        shown = opened(client, clerk, PEOPLE, scenario=kept.pk, side=side)
        assert shown.context["list"].total == number


def test_other_offices_and_roles_do_not_see_it(client, kept, other_clerk, propagandist, county):
    for page in ("subsidies:scenario-detail", "subsidies:scenario-print"):
        assert opened(client, other_clerk, page, kept.pk).status_code == 404
        assert opened(client, propagandist, page, kept.pk).status_code == 403
        assert (
            opened(client, make_user("county", county, f"c-{page[-5:]}"), page, kept.pk).status_code
            == 200
        )
    assert opened(client, other_clerk, PEOPLE, scenario=kept.pk).status_code == 404
    assert opened(client, other_clerk, LIST).context["list"].total == 0
    assert b"scenarios/" not in opened(client, propagandist, "subsidies:outlook").content


def test_list_shows_people_and_yuan(client, clerk, kept):
    text = opened(client, clerk, LIST).content.decode()
    assert "2→4人" in text
    assert "1,920.00" in text


def test_names_of_a_sensitive_policy_count_as_health(clerk, people, village, township):
    make_bereaved(village, wife_born=date(1970, 3, 4))
    criteria = changed(DEATH, wife_age={"min": 45})
    one = keep(clerk, township, code=DEATH, change=Change(criteria))
    asked = Asked(clerk, QueryDict(f"scenario={one.pk}"), {}, TODAY)
    spec = LISTS[scenario_list.SENSITIVE_KEY]
    assert sensitive_kinds(spec, Selection(asked, is_all=True), [spec.column("name")]) == {HEALTH}
    assert scenario_list.people_of(asked, sensitive=True).count() == 2
    assert not scenario_list.people_of(asked, sensitive=False).exists()


def row(code: str, now: int, changed: int) -> Row:
    return Row(code, code, now, changed, max(changed - now, 0), max(now - changed, 0), None, None)


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([row("a", 9, 9), row("b", 20, 30)], ["a", "b"]),
        ([row("a", 2, 9), row("b", 20, 30), row("c", 7, 7)], ["b", "其余2个村（社区）"]),
        ([row("a", 2, 2), row("b", 3, 3), row("c", 7, 7)], ["c", "其余2个村（社区）"]),
        ([row("a", 0, 0), row("b", 7, 9)], ["其余2个村（社区）"]),
    ],
    ids=["none-small", "one-takes-another-along", "two-small", "small-difference"],
)
def test_small_villages_leave_only_together(rows, names):
    found = scenario_list.pooled(rows)
    assert [one.name for one in found] == names
    assert sum(one.now for one in found) == sum(one.now for one in rows)


def test_paper_of_a_sensitive_policy_pools_small_villages(
    client, clerk, people, village, other_village, township
):
    for place in (village, other_village):
        make_bereaved(place, wife_born=date(1970, 3, 4))
    criteria = changed(DEATH, wife_age={"min": 45})
    one = keep(clerk, township, code=DEATH, change=Change(criteria))
    text = opened(client, clerk, "subsidies:scenario-print", one.pk).content.decode()
    assert "庄科村" not in text
    assert "其余2个村" in text
    assert "人数较少" in text


def test_paper_of_another_policy_names_every_village(client, clerk, kept):
    text = opened(client, clerk, "subsidies:scenario-print", kept.pk).content.decode()
    assert "庄科村" in text
    assert "第1页　共1页" in text


def test_double_click_keeps_one(client, clerk, people):
    token = "x" * 43
    for _ in range(2):
        posted(client, clerk, "save", age_min="57", name="降到57周岁", once=token)
    assert Scenario.objects.count() == 1


@pytest.mark.parametrize("page", ["subsidies:scenario-list", "subsidies:scenario-people-list"])
def test_queries_do_not_grow_with_rows(
    assert_query_count_does_not_grow, client, clerk, kept, township, other_village, page
):
    def grow():
        for at in range(6):
            make_old_couple(other_village, born=date(1961, 1 + at, 5))
            scenarios.keep_scenario(
                by=clerk, code=RURAL, region=township, as_of=DAY, name=f"第{at}次", note="",
                change=Change(changed(age={"min": 50 + at})), today=TODAY,
            )  # fmt: skip

    assert_query_count_does_not_grow(lambda: opened(client, clerk, page, scenario=kept.pk), grow)
