"""发放记录: what people were paid, as their own pages show it."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from households import panels
from subsidies.models import PaymentLine
from subsidies.payments import of_person
from tests.conftest import TODAY
from tests.factories.households import make_resident
from tests.factories.meetings import make_meeting, make_paid, make_payee_to_see
from tests.factories.payments import bring_to, make_batch, make_payee

pytestmark = pytest.mark.django_db


def rows(user, *people):
    return [(one.text, one.hint, one.word) for one in of_person.rows(user, people, TODAY)]


def test_panel_tells_sum_months_state_and_days(payee, propagandist):
    make_meeting(propagandist, payee)
    make_paid(payee, year=2017, paid_on=date(2017, 9, 1), amount=Decimal("900.00"), see_by=None)
    make_paid(payee, year=2016, paid_on=date(2016, 9, 1), see_by=None)
    name = "农村部分计划生育家庭奖励扶助"
    assert rows(propagandist, payee) == [
        ("2018年已入账　960.00元", "", ""),
        (f"{name}　960.00元", "2018年度全年　2018-09-12入账　2018-10-09见面", "已入账"),
        ("2017年已入账　900.00元", "", ""),
        (f"{name}　900.00元", "2017年度全年　2017-09-01入账", "已入账"),
    ]
    assert len(of_person.payments_of(propagandist, [payee.pk])) == 3


def test_household_names_who_was_paid(payee, propagandist):
    wife = make_resident(payee.household, "宋桂兰", sex="女", relation="配偶")
    make_paid(wife)
    found = rows(propagandist, payee, wife)
    assert found[0][0] == "2018年已入账　1,920.00元"
    assert {hint.split("　")[0] for _, hint, _ in found[1:]} == {"陶有田", "宋桂兰"}


def test_what_failed_or_was_taken_back_is_in_no_sum(payee, propagandist):
    line = payee.payments.get()
    PaymentLine.objects.filter(pk=line.pk).update(state="recall_asked")
    assert rows(propagandist, payee)[0][0] == "2018年已入账　960.00元"
    PaymentLine.objects.filter(pk=line.pk).update(state="recovered")
    assert rows(propagandist, payee)[0][0] == "2018年已入账　0.00元"
    assert rows(propagandist, payee)[1][2] == "已追回"


def test_draft_is_nobodys_payment_yet(village, township, clerk, reviewer, county_user):
    person = make_payee(village).resident
    batch = make_batch(clerk, township)
    assert of_person.payments_of(clerk, [person.pk]) == []
    people = {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}
    bring_to("submitted", batch, **people)
    assert rows(clerk, person)[1][2] == "待发"


def test_sensitive_payment_is_for_who_may_know(bereaved, propagandist, clerk):
    assert rows(propagandist, bereaved) == []
    assert len(rows(clerk, bereaved)) == 2


def test_contact_is_told_of_it(bereaved, contact):
    assert len(rows(contact, bereaved)) == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"months": 0b111111, "month_count": 6}, "1月至6月"),
        ({"months": 0b100000, "month_count": 1}, "6月"),
        ({"months": 0b101, "month_count": 2}, "1月、3月"),
        ({"months": 0, "month_count": 0}, "补差"),
        ({"slot": "once"}, "一次性"),
    ],
)
def test_words_of_months(bereaved, values, words):
    line = bereaved.payments.get()
    for name, value in values.items():
        setattr(line, name, value)
    assert of_person.months_words(line) == words


def test_panel_asks_no_more_for_more_people(
    payee, village, clerk, assert_query_count_does_not_grow
):
    people = [payee]

    def grow():
        people.extend(make_payee_to_see(village) for _ in range(3))

    assert_query_count_does_not_grow(lambda: of_person.rows(clerk, people, TODAY), grow)


def test_page_of_a_person_has_every_year_and_the_panel_leads_there(
    payee, propagandist, other_propagandist, sign_in
):
    for year in (2016, 2017):
        make_paid(payee, year=year, paid_on=date(year, 9, 1), see_by=None)
    address = reverse("subsidies:payment-person", args=[payee.pk])
    shown = [one.url for one in panels.panels_for(propagandist, [payee], TODAY)]
    assert address in shown
    page = sign_in(propagandist).get(address).content.decode()
    assert [page.count(f"{year}年</h2>") for year in (2016, 2017, 2018)] == [1, 1, 1]
    assert sign_in(other_propagandist).get(address).status_code == 404
