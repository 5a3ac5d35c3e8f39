"""资格核查, the list: who stands in it, in which state, seen by whom."""

from datetime import date

import pytest
from django.http import QueryDict
from django.urls import reverse

from fpadmin.ui.listing import LISTS, Asked
from households.models import LowIncomeSpell, Resident
from tests.conftest import TODAY
from tests.factories.benefits import make_application, make_enrolment, make_old_couple, switch_on
from tests.factories.households import make_birth, make_household, make_resident
from tests.factories.special import make_bereaved

pytestmark = pytest.mark.django_db

LIST = "subsidies:eligibility-list"


def listed(client, **query):
    """(name, state) of every row."""
    page = client.get(reverse(LIST), query)
    return [(row.name, row.state) for row in page.context["list"].page.object_list]


def figures(client, **query):
    page = client.get(reverse(LIST), query)
    return {one.label: one.number for one in page.context["list"].filter.figures()}


def test_list_shows_who_qualifies_at_the_end_of_the_year(couple, village, clerk, sign_in):
    make_old_couple(village, born=date(1958, 12, 31))  # 60 on the last day
    make_old_couple(village, born=date(1959, 1, 1))  # 60 a day later

    page = sign_in(clerk).get(reverse(LIST))

    text = page.content.decode()
    assert page.context["list"].filter.question.code == "CN-RURAL"
    assert page.context["list"].filter.question.day == date(2018, 12, 31)
    assert page.context["list"].total == 4
    assert "陶有田" in text
    assert "68岁" in text
    assert "2018-12-31" in text


@pytest.mark.parametrize(
    ("born", "is_found"),
    [
        (date(1958, 10, 8), True),
        (date(1958, 10, 9), True),  # 60 today
        (date(1958, 10, 10), False),  # tomorrow
        (date(1932, 12, 31), False),
        (date(1933, 1, 1), True),
    ],
    ids=str,
)
def test_boundaries_as_of_a_day(village, rural, clerk, sign_in, born, is_found):
    make_old_couple(village, born=born)

    found = listed(sign_in(clerk), policy="CN-RURAL", as_of=TODAY.isoformat())

    assert bool(found) == is_found


def test_state_tells_the_roll_the_application_and_who_is_lost(village, rural, clerk, sign_in):
    head, wife = make_old_couple(village, "00001")
    make_enrolment(head)
    make_application(wife, clerk)
    other, _ = make_old_couple(village, "00002")
    young = make_resident(make_household(village, "00003"), "不老", birth_date=date(1970, 1, 1))
    make_enrolment(young)
    make_enrolment(other, end_month=date(2017, 12, 1), end_reason="其他")
    client = sign_in(clerk)

    assert listed(client) == [
        ("陶有田", "on"), ("宋桂兰", "applying"), ("陶有田", "open"), ("宋桂兰", "open"),
    ]  # fmt: skip
    assert listed(client, state="off") == [
        ("宋桂兰", "applying"), ("陶有田", "open"), ("宋桂兰", "open"),
    ]  # fmt: skip
    assert listed(client, state="on") == [("陶有田", "on")]
    assert listed(client, state="applying") == [("宋桂兰", "applying")]
    assert listed(client, state="lost") == [("不老", "lost")]
    assert figures(client) == {
        "符合条件": 4, "已在册": 1, "未在册（待申请）": 3, "在册而不符合": 1,
    }  # fmt: skip


def test_figure_leads_to_the_rows_it_counts(village, other_village, rural, clerk, sign_in):
    make_enrolment(make_old_couple(village)[0])
    make_old_couple(other_village)
    client = sign_in(clerk)
    query = {"policy": "CN-RURAL", "as_of": "2018-12-31", "village": village.pk}

    for figure in client.get(reverse(LIST), query).context["list"].filter.figures():
        there = client.get(reverse(LIST) + figure.url)
        assert there.context["list"].total == figure.number
        assert f"village={village.pk}" in figure.url


def test_couple_stands_once_and_is_on_the_roll_through_either(village, county, clerk, sign_in):
    switch_on("SD-ONLY-CHILD", county)
    pairs = [
        make_old_couple(village, f"0000{n}", born=date(1980, 1, 1), child_name="小")
        for n in range(3)
    ]
    for head, wife in pairs:
        Resident.objects.filter(pk=head.pk).update(only_child_cert_no="1")
        wife.births.update(birth_date=date(2010, 1, 1))
    make_enrolment(pairs[0][0], "SD-ONLY-CHILD")  # the husband's name on the roll
    Resident.objects.filter(pk=pairs[1][1].pk).update(hukou="非农业")
    client = sign_in(clerk)

    assert listed(client) == [("宋桂兰", "on"), ("宋桂兰", "open"), ("宋桂兰", "open")]
    assert listed(client, state="lost") == []


def test_row_through_the_spouse_says_whose_facts(village, county, clerk, sign_in):
    switch_on("SD-ONLY-CHILD", county)
    head, wife = make_old_couple(village, born=date(1980, 1, 1))
    wife.births.update(birth_date=date(2010, 1, 1))
    Resident.objects.filter(pk=head.pk).update(only_child_cert_no="1")
    # Another child of hers alone: only by his facts it is the only one.
    make_birth(wife, date(2005, 1, 1), order=2)

    page = sign_in(clerk).get(reverse(LIST))

    [row] = page.context["list"].page.object_list
    assert (row.name, row.through_name) == ("宋桂兰", "陶有田")
    assert "陶有田" in page.content.decode()


def test_numbers_are_masked(couple, clerk, sign_in):
    text = sign_in(clerk).get(reverse(LIST)).content.decode()

    assert couple[0].id_number not in text
    assert couple[0].id_number[:6] + "********" in text


def test_sensitive_policy_is_not_offered_to_a_propagandist(couple, propagandist, clerk, sign_in):
    query = {"policy": "CN-SPECIAL-DEATH"}

    assert sign_in(propagandist).get(reverse(LIST), query).status_code == 404
    assert "CN-SPECIAL-DEATH" not in sign_in(propagandist).get(reverse(LIST)).content.decode()
    page = sign_in(clerk).get(reverse(LIST), query)
    assert page.status_code == 200
    assert "没有启用" in page.content.decode()


@pytest.mark.parametrize("key", ["benefit-candidates", "benefit-candidates-sensitive"])
def test_sensitive_people_leave_by_no_other_list(village, propagandist, clerk, key):
    make_bereaved(village)
    query = QueryDict("policy=CN-SPECIAL-DEATH")
    rows = LISTS[key].queryset

    assert not rows(Asked(propagandist, query, {}, TODAY)).exists()
    own_list = key.endswith("sensitive")
    assert rows(Asked(clerk, query, {}, TODAY)).exists() == own_list


def test_other_places_are_not_in_it(couple, far_village, other_village, propagandist, sign_in):
    make_old_couple(far_village)
    make_old_couple(other_village)

    assert [name for name, _ in listed(sign_in(propagandist))] == ["陶有田", "宋桂兰"]


def test_attested_policy_says_that_they_are_candidates(couple, county, clerk, sign_in):
    switch_on("YN-MEDICAL", county)

    text = sign_in(clerk).get(reverse(LIST), {"policy": "YN-MEDICAL"}).content.decode()

    assert "候选人" in text
    assert "类别" in text


def test_wrong_day_is_said_and_lists_nobody(couple, clerk, sign_in):
    page = sign_in(clerk).get(reverse(LIST), {"as_of": "不是日期"})

    assert page.context["list"].total == 0
    assert "不是一个日期" in page.content.decode()


def test_unknown_policy_is_no_page(couple, clerk, sign_in):
    assert sign_in(clerk).get(reverse(LIST), {"policy": "XX"}).status_code == 404


def test_list_asks_as_often_for_many(
    couple, village, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    assert_query_count_does_not_grow(
        lambda: client.get(reverse("subsidies:eligibility-list")),
        lambda: [make_old_couple(village) for _ in range(5)],
    )


def test_family_stands_once_and_is_on_the_roll_through_any_of_it(village, county, clerk, sign_in):
    switch_on("LOCAL-DIBAO", county)
    pairs = [make_old_couple(village, f"0000{n}") for n in range(3)]
    for head, _ in pairs[:2]:
        LowIncomeSpell.objects.create(household=head.household)
    make_enrolment(pairs[0][1], "LOCAL-DIBAO")  # the wife's name, in a home that qualifies
    make_enrolment(pairs[2][1], "LOCAL-DIBAO")  # in one that does not
    client = sign_in(clerk)

    assert listed(client) == [("陶有田", "on"), ("陶有田", "open")]
    assert listed(client, state="lost") == [("宋桂兰", "lost")]
    assert figures(client)["符合条件"] == 2
