"""What the timelines tell: events, what is known without one, and what was taken back."""

from datetime import date

import pytest
from django.urls import reverse

from households import selectors, services
from households.models import Resident
from households.timelines import timeline
from tests.factories.households import make_birth, make_household, make_resident

TODAY = date(2018, 10, 9)
DAY = date(2018, 9, 1)
pytestmark = pytest.mark.django_db


def record(clerk, kind, values, day=DAY, **more):
    return services.record_event(
        by=clerk, kind=kind, values=values, happened_on=day, today=TODAY, **more
    )


def of_person(user, resident):
    resident.refresh_from_db()
    births = selectors.births_of(user, [resident])
    spells = [spell for spell, _ in selectors.spells_of(user, resident)]
    return timeline([resident], spells, births, selectors.events_of_people(user, [resident]))


def of_home(user, household):
    members = selectors.membership_of(household, TODAY).members
    return timeline(
        members,
        selectors.spells_in(household),
        selectors.births_of(user, members),
        selectors.events_of_household(user, household, members),
    )


def titles(entries):
    return [(str(e.day), e.title) for e in entries]


def test_event_is_told_once_with_its_note_and_when_it_was_reported(family, clerk):
    girl = family[3]
    record(clerk, "outflow", {"members": [girl]}, note="昆明市")
    entries = of_person(clerk, girl)
    assert titles(entries) == [("2018-09-01", "流出：段小丽"), ("2010-03-03", "出生：段小丽")]
    assert entries[0].text == "昆明市，2018-10-09报告"


def test_event_that_was_taken_back_stays_with_its_undoing(family, clerk):
    girl = family[3]
    event = record(clerk, "outflow", {"members": [girl]})
    services.undo_event(by=clerk, event=event, today=TODAY, reason="登记错了")
    entries = of_person(clerk, girl)
    assert titles(entries)[0] == ("2018-09-01", "流出：段小丽")
    assert entries[0].undone == "2018-10-09撤销：登记错了"


def test_death_taken_back_leaves_no_death(family, clerk):
    girl = family[3]
    event = record(clerk, "death", {"resident": girl})
    assert titles(of_person(clerk, girl))[0] == ("2018-09-01", "死亡：段小丽")
    assert len(of_person(clerk, girl)) == 2
    services.undo_event(by=clerk, event=event, today=TODAY, reason="登记错了")
    assert [bool(e.undone) for e in of_person(clerk, girl)] == [True, False]


def test_what_is_known_without_an_event_is_told_too(family, clerk):
    head, wife, son, girl = family
    make_birth(wife, girl.birth_date, child_name="段小丽", child=girl)
    Resident.objects.filter(pk__in=[head.pk, wife.pk]).update(first_marriage_date=date(1995, 1, 1))
    assert titles(of_home(clerk, head.household)) == [
        ("2010-03-03", "出生：女孩段小丽"),
        ("1996-03-03", "出生：段小强"),
        ("1995-01-01", "结婚：段光超与李芳"),
    ]


def test_household_is_told_of_who_came_and_went_and_of_its_members_lives(family, village, clerk):
    head, wife, son, girl = family
    other = make_household(village)
    widow = make_resident(other, "王桂英", sex="女")
    record(
        clerk, "household_move", {"members": [girl], "target": other, "relations": {girl.pk: "女"}}
    )
    record(clerk, "divorce", {"resident": head}, day=date(2018, 9, 9))
    assert ("2018-09-01", "户间变动：段小丽") in titles(of_home(clerk, other))
    assert titles(of_home(clerk, head.household))[:2] == [
        ("2018-09-09", "离婚：段光超"), ("2018-09-01", "户间变动：段小丽"),
    ]  # fmt: skip
    assert "离婚" not in str(titles(of_home(clerk, other)))
    assert widow.name in str(titles(of_person(clerk, widow)))


def test_birth_by_event_stands_in_the_timeline_of_child_mother_and_father(family, clerk):
    head, wife, *_ = family
    birth = {
        "child_name": "段小宝", "sex": "男", "birth_date": DAY, "order": 2, "origin": "亲生",
        "within_policy": True, "hospital": "", "birth_certificate_no": "", "survival": "存活",
        "death_date": None, "disability_grade": "", "disability_date": None,
        "father_id_number": head.id_number,
    }  # fmt: skip
    child = {
        "name": "段小宝", "sex": "男", "birth_date": DAY, "relation": "子", "hukou": "农业",
        "residence": "常住", "hukou_region_code": "", "marital": "未婚",
        "mother_id_number": wife.id_number, "father_id_number": head.id_number,
    }  # fmt: skip
    values = {"parent": wife, "household": wife.household, "child": child, "birth": birth}
    event = record(clerk, "birth", values)
    for person in (event.resident, wife, head):
        assert ("2018-09-01", "出生：段小宝") in titles(of_person(clerk, person))
        assert len([t for t in titles(of_person(clerk, person)) if "段小宝" in t[1]]) == 1


def test_events_of_another_region_stay_there(family, clerk, other_clerk):
    girl = family[3]
    record(clerk, "outflow", {"members": [girl]})
    assert selectors.events_of_people(other_clerk, [girl]) == []


def test_pages_strike_through_what_was_taken_back(family, clerk, sign_in):
    girl = family[3]
    event = record(clerk, "outflow", {"members": [girl]})
    services.undo_event(by=clerk, event=event, today=TODAY, reason="登记错了")
    client = sign_in(clerk)
    for page in (girl.get_absolute_url(), girl.household.get_absolute_url()):
        body = client.get(page).content.decode()
        assert f'<del><a href="{event.get_absolute_url()}">流出：段小丽</a></del>' in body
        assert "2018-10-09撤销：登记错了" in body


@pytest.mark.parametrize("page", ["resident-detail", "household-detail"])
def test_page_costs_the_same_for_more_events(
    page, family, clerk, sign_in, assert_query_count_does_not_grow
):
    girl = family[3]
    record(clerk, "outflow", {"members": [girl]}, day=date(2018, 1, 1))
    key = girl.pk if page == "resident-detail" else girl.household_id
    address = reverse(f"households:{page}", args=[key])
    client = sign_in(clerk)

    def grow():
        for month in range(2, 8):
            kind = "outflow" if month % 2 else "return"
            record(clerk, kind, {"members": [girl]}, day=date(2018, month, 1))

    assert_query_count_does_not_grow(lambda: client.get(address), grow)
