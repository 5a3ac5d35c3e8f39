"""Dates that matter: which, when, to whom they show, and that nobody is written to."""

from datetime import date, timedelta

import pytest
from django.core import mail
from django.urls import reverse

from fpadmin.ui.todos import todos_for
from households.models import DoctorContract, FamilyParent, HealthCheck, Resident, SpecialFamily
from households.special import dates_ahead, doctor_contracts
from households.special.dates_ahead import (
    ANNIVERSARY,
    CARD,
    CHECK,
    CONTRACT,
    ELDERLY,
    INSURANCE,
    SUPPORT,
    ahead,
)
from tests.conftest import TODAY
from tests.factories.special import make_archive, make_contact, make_person
from tests.factories.special_care import (
    make_anniversary,
    make_card,
    make_check,
    make_doctor_contract,
    make_insurance,
)

PAGE = "households:special-date-list"
LAST = date(2019, 9, 30)

pytestmark = pytest.mark.django_db


def born(family, husband: date, wife: date) -> None:
    first, second = family.parents.order_by("pk")
    Resident.objects.filter(pk=first.resident_id).update(birth_date=husband)
    Resident.objects.filter(pk=second.resident_id).update(birth_date=wife)


def found(kind, day=TODAY, last=LAST):
    return [
        (item.day, item.names) for item in ahead(SpecialFamily.objects.all(), day, last, (kind,))
    ]


@pytest.fixture
def family(village):
    """Neither parent completes 49 or 60 years within the year."""
    return make_archive(village)


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2018, 10, 9), date(2019, 9, 30)),
        (date(2018, 1, 31), date(2018, 12, 31)),
        (date(2018, 12, 1), date(2019, 11, 30)),
        (date(2020, 2, 29), date(2021, 1, 31)),
        (date(2019, 3, 5), date(2020, 2, 29)),
    ],
)
def test_twelve_months_end_with_the_twelfth(day, last):
    assert dates_ahead.last_day(day) == last


@pytest.mark.parametrize(
    ("month", "of_month", "day", "on"),
    [
        (10, 9, TODAY, TODAY),
        (10, 8, TODAY, date(2019, 10, 8)),
        (2, 29, TODAY, date(2019, 2, 28)),
        (2, 29, date(2020, 1, 1), date(2020, 2, 29)),
        (2, 29, date(2020, 3, 1), date(2021, 2, 28)),
        (2, 29, date(2019, 2, 28), date(2019, 2, 28)),
    ],
)
def test_day_of_remembrance_comes_back_every_year(month, of_month, day, on):
    assert dates_ahead.next_on(month, of_month, day) == on


@pytest.mark.parametrize(
    ("birth", "years", "on"),
    [
        (date(1969, 10, 9), 49, TODAY),
        (date(1960, 2, 29), 49, date(2009, 3, 1)),
        (date(1960, 2, 29), 60, date(2020, 2, 29)),
    ],
)
def test_birthday_of_a_leap_day_is_the_first_of_march(birth, years, on):
    assert dates_ahead.birthday(birth, years) == on


def test_couple_turns_to_the_support_on_the_wifes_day(family):
    born(family, date(1960, 12, 1), date(1970, 3, 4))
    assert found(SUPPORT) == [(date(2019, 3, 4), "戴飞飞、董丽怡")]
    family.kind = "手术并发症"
    family.save(update_fields=["kind"])
    assert found(SUPPORT) == []


def test_who_is_alone_turns_on_the_own_day(family):
    born(family, date(1970, 5, 6), date(1970, 3, 4))
    husband, wife = (p.resident for p in family.parents.order_by("pk"))
    wife.death_date = date(2018, 10, 1)
    wife.save(update_fields=["death_date"])
    assert found(SUPPORT) == [(date(2019, 5, 6), "戴飞飞")]
    assert husband.birth_date != date(2019, 5, 6)


@pytest.mark.parametrize(
    ("birth", "shows"),
    [
        (date(1969, 10, 8), False),  # yesterday
        (date(1969, 10, 9), True),  # today
        (date(1970, 9, 30), True),  # the last day
        (date(1970, 10, 1), False),
    ],
)
def test_support_shows_from_today_to_the_last_day(family, birth, shows):
    born(family, date(1950, 1, 1), birth)
    assert bool(found(SUPPORT)) is shows


def test_archive_that_came_after_a_closed_one_turns_once(village):
    family = make_archive(village)
    born(family, date(1950, 1, 1), date(1970, 3, 4))
    old = make_archive(village)
    for parent in family.parents.all():
        FamilyParent.objects.create(
            family=old, resident=parent.resident, started_on=date(2018, 1, 2)
        )
    SpecialFamily.objects.filter(pk=old.pk).update(closed_on=TODAY, close_reason="other")
    assert found(SUPPORT) == [(date(2019, 3, 4), "戴飞飞、董丽怡")]


def test_each_parent_turns_sixty(family):
    born(family, date(1958, 12, 1), date(1959, 3, 4))
    assert found(ELDERLY) == [(date(2018, 12, 1), "戴飞飞"), (date(2019, 3, 4), "董丽怡")]
    FamilyParent.objects.filter(resident__name="董丽怡").update(ended_on=TODAY)
    assert found(ELDERLY) == [(date(2018, 12, 1), "戴飞飞")]


@pytest.mark.parametrize(
    ("left", "tag"),
    [
        (0, ("warn", "7天内到期")),
        (7, ("warn", "7天内到期")),
        (8, ("warn", "30天内到期")),
        (30, ("warn", "30天内到期")),
        (31, ("wait", "60天内到期")),
        (60, ("wait", "60天内到期")),
        (61, None),
    ],
)
def test_what_expires_is_marked_by_the_days_left(family, left, tag):
    until = TODAY + timedelta(days=left)
    make_card(family, "A1", expires_on=until)
    make_doctor_contract(family, until=until)
    make_insurance(family, ends_on=until)
    items = ahead(SpecialFamily.objects.all(), TODAY, LAST, dates_ahead.EXPIRES)
    assert {(item.kind, item.day, item.tag) for item in items} == {
        (kind, until, tag) for kind in (CARD, CONTRACT, INSURANCE)
    }
    assert {item.about for item in items} == {"卡号A1", "街道卫生院", "人寿保险"}


def test_what_is_over_ended_or_followed_does_not_expire(family):
    soon = TODAY + timedelta(days=5)
    make_card(family, expires_on=TODAY - timedelta(days=1))
    make_card(family, expires_on=soon, ended_on=TODAY)
    make_card(family, expires_on=None)
    make_doctor_contract(family, until=soon, ended_on=TODAY)
    make_insurance(family, ends_on=soon)
    make_insurance(family, starts_on=soon, ends_on=soon + timedelta(days=365))
    make_insurance(family, starts_on=None, ends_on=None)
    assert [found(kind) for kind in dates_ahead.EXPIRES] == [[], [], []]


def test_contract_of_another_source_expires_too(family, monkeypatch):
    make_doctor_contract(family, until=TODAY, ended_on=TODAY)
    monkeypatch.setattr(
        doctor_contracts, "SOURCES", {"x": lambda day: DoctorContract.objects.all()}
    )
    monkeypatch.setattr(dates_ahead, "SOURCES", doctor_contracts.SOURCES)
    assert found(CONTRACT) == [(TODAY, "戴飞飞")]


def test_check_is_due_by_the_end_of_the_year(family):
    husband = family.parents.order_by("pk").first().resident
    make_check(family, date(2017, 12, 31), husband)
    assert found(CHECK) == [(date(2018, 12, 31), "戴飞飞、董丽怡")]
    make_check(family, date(2018, 1, 1), husband)
    assert found(CHECK) == [(date(2018, 12, 31), "董丽怡")]
    assert found(CHECK, last=date(2018, 12, 30)) == []


def test_closed_archive_has_no_dates(family):
    make_anniversary(family)
    assert found(ANNIVERSARY) == [(date(2018, 10, 15), "戴飞飞、董丽怡")]
    SpecialFamily.objects.filter(pk=family.pk).update(closed_on=TODAY, close_reason="other")
    assert ahead(SpecialFamily.objects.all(), TODAY, LAST) == []


# Page -------------------------------------------------------------------------------------------


@pytest.fixture
def contact(family, propagandist):
    make_contact(family, make_person(family.household.village, user=propagandist))
    return propagandist


def numbers(client, **conditions) -> set[str]:
    page = client.get(reverse(PAGE), conditions)
    return {item.household for _, items in page.context["months"] for item in items}


def test_contact_sees_the_dates_of_own_families(
    clerk, other_clerk, contact, county_user, family, village, sign_in
):
    other = make_archive(village)
    both = {family.household.number, other.household.number}
    assert numbers(sign_in(contact)) == {family.household.number}
    assert numbers(sign_in(clerk)) == both
    assert numbers(sign_in(clerk), mine="1") == set()
    assert numbers(sign_in(other_clerk)) == set()
    assert sign_in(county_user).get(reverse(PAGE)).status_code == 403


def test_page_stands_by_month_and_takes_conditions(clerk, family, other_village, sign_in):
    client = sign_in(clerk)
    make_card(family, "A1", expires_on=date(2018, 11, 20))
    make_card(family, "A2", expires_on=date(2019, 2, 1))
    make_anniversary(family, 2, 29)
    page = client.get(reverse(PAGE))
    assert [month for month, _ in page.context["months"]] == [
        date(2018, 11, 1), date(2018, 12, 1), date(2019, 2, 1),
    ]  # fmt: skip
    text = page.content.decode()
    assert "2019年2月" in text
    assert "温和提醒" in text
    assert "2019-02-28" in text
    page = client.get(reverse(PAGE), {"kind": "expiring", "within": "60"})
    assert page.context["count"] == 1
    page = client.get(reverse(PAGE), {"village": other_village.pk})
    assert page.context["count"] == 0
    assert "没有重要日期" in page.content.decode()
    page = client.get(reverse(PAGE), {"kind": "nothing"})
    assert page.context["count"] == 0


def test_dates_cost_the_same_for_many_families(
    clerk, family, village, sign_in, assert_query_count_does_not_grow
):
    def fill(one):
        born(one, date(1958, 12, 1), date(1970, 3, 4))
        make_card(one, expires_on=LAST)
        make_doctor_contract(one, until=LAST)
        make_insurance(one, ends_on=LAST)
        make_anniversary(one)

    fill(family)
    client = sign_in(clerk)

    def grow():
        for _ in range(4):
            fill(make_archive(village))

    assert_query_count_does_not_grow(
        lambda: client.get(reverse("households:special-date-list")), grow
    )
    assert client.get(reverse(PAGE)).context["count"] == 5 * 7


# Home -------------------------------------------------------------------------------------------


def lines(user) -> dict[str, object]:
    return {todo.label: todo for todo in todos_for(user, TODAY) if "special/dates" in todo.url}


def test_clerk_is_told_what_expires_within_thirty_days(clerk, contact, family, sign_in):
    make_card(family, expires_on=TODAY + timedelta(days=30))
    make_insurance(family, ends_on=TODAY + timedelta(days=31))
    (todo,) = lines(clerk).values()
    assert todo.count == 1
    assert sign_in(clerk).get(todo.url).context["count"] == 1
    assert lines(contact) == {}


@pytest.mark.parametrize(("left", "count"), [(0, 1), (14, 1), (15, 0)])
def test_contact_is_told_quietly_of_the_day_the_family_asked_for(
    contact, clerk, village, family, sign_in, left, count
):
    on = TODAY + timedelta(days=left)
    make_anniversary(family, on.month, on.day, title="忌日")
    make_anniversary(make_archive(village), on.month, on.day)
    told = lines(contact)
    assert len(told) == count
    assert lines(clerk) == {}
    home = sign_in(contact).get(reverse("home")).content.decode()
    assert ("温和提醒" in home) is bool(count)
    assert "忌日" not in home
    assert "戴飞飞" not in home
    for todo in told.values():
        assert sign_in(contact).get(todo.url).context["count"] == todo.count


def test_nothing_is_sent(contact, clerk, family, sign_in):
    make_anniversary(family)
    sign_in(contact).get(reverse("home"))
    sign_in(clerk).get(reverse(PAGE))
    assert mail.outbox == []
    assert not HealthCheck.objects.exists()
