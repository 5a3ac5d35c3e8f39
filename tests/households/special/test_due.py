"""What is due: each line of the home page leads to exactly what it counts."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from fpadmin.accounts.models import User
from fpadmin.ui import todos
from households.models import CareRule, ContactPerson, MissedMonth
from households.special import due
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.special import make_archive, make_contact, make_need, make_person, make_record

pytestmark = pytest.mark.django_db
CONTACT = "特殊家庭本月联系"
MINE_OVER, MINE_SOON = "我负责的需求已逾期", "我负责的需求快到期"
MISSED, OVER = "特殊家庭漏联系，没有补记也没有说明", "特殊家庭需求逾期未办结"


def lines(user, day=TODAY) -> dict[str, todos.Todo]:
    return {todo.label: todo for todo in todos.todos_for(user, day)}


def shown(client, todo) -> int:
    """How many rows the page behind the line shows."""
    context = client.get(todo.url).context
    if "matrix" in context:
        return len(context["matrix"].rows)
    if "groups" in context:
        return sum(len(group.tasks) for group in context["groups"])
    return context["list"].total


def own_term(village, user: User, **archive):
    return make_contact(
        make_archive(village, **archive), person_of(village, user), date(2018, 1, 2)
    )


def person_of(village, user: User):
    return ContactPerson.objects.filter(user=user).first() or make_person(village, user=user)


@pytest.fixture
def at_work(village, propagandist, clerk):
    """Three own families, one contacted this month; needs in every state; a stranger's family."""
    terms = [own_term(village, propagandist) for _ in range(3)]
    for month in range(1, 10):
        for term in terms:
            make_record(term, date(2018, month, 5))
    make_record(terms[0], date(2018, 10, 3))
    make_need(terms[0], due_on=TODAY + timedelta(days=7))
    make_need(terms[0], due_on=TODAY)
    make_need(terms[0], due_on=TODAY + timedelta(days=8))
    make_need(terms[1], opened_on=date(2018, 9, 1), due_on=TODAY - timedelta(days=1))
    make_need(
        terms[1],
        opened_on=date(2018, 9, 1),
        due_on=date(2018, 9, 2),
        closed_on=TODAY,
        outcome="好了",
    )
    stranger = make_archive(village, contacts=1, opened_on=date(2018, 10, 1))
    make_need(stranger.contacts.get())
    return terms


def test_contact_sees_own_families_and_needs_and_each_line_shows_these(
    at_work, sign_in, propagandist
):
    found = lines(propagandist)
    assert {label: found[label].count for label in (CONTACT, MINE_OVER, MINE_SOON)} == {
        CONTACT: 2, MINE_OVER: 1, MINE_SOON: 2,
    }  # fmt: skip
    assert not {MISSED, OVER} & found.keys()
    client = sign_in(propagandist)
    for label in (CONTACT, MINE_OVER, MINE_SOON):
        assert shown(client, found[label]) == found[label].count, label


@pytest.mark.parametrize(
    ("day", "word"),
    [(date(2018, 10, 24), "本月待联系"), (date(2018, 10, 25), "本周内到期")],
    ids=str,
)
def test_month_ends_within_the_week(at_work, propagandist, day, word):
    assert lines(propagandist, day)[CONTACT].word == word


def test_voided_contact_leaves_the_family_due(at_work, propagandist, clerk):
    record = at_work[0].records.get(happened_on=date(2018, 10, 3))
    record.voided_at, record.voided_by, record.void_reason = "2018-10-04T08:00Z", clerk, "错了"
    record.save()
    assert lines(propagandist)[CONTACT].count == 3


def test_family_is_due_until_contacted_as_often_as_asked(at_work, propagandist, reviewer, township):
    CareRule.objects.create(
        region=township, from_on=date(2018, 10, 1), contacts_per_month=2, document="办法",
        set_by=reviewer,
    )  # fmt: skip
    assert lines(propagandist)[CONTACT].count == 3
    make_record(at_work[0], date(2018, 10, 4))
    assert lines(propagandist)[CONTACT].count == 2


def test_office_sees_missed_months_until_recorded_or_explained(sign_in, clerk, village):
    families = [make_archive(village, contacts=1, opened_on=date(2018, 9, 1)) for _ in range(3)]
    client = sign_in(clerk)
    todo = lines(clerk)[MISSED]
    assert todo.count == shown(client, todo) == 3
    make_record(families[0].contacts.get(), date(2018, 9, 30), recorded_on=TODAY)
    MissedMonth.objects.create(
        family=families[1], month=date(2018, 9, 1), reason="住院", noted_by=clerk
    )
    todo = lines(clerk)[MISSED]
    assert todo.count == shown(client, todo) == 1


def test_explained_month_that_counts_no_more_covers_no_other(clerk, village):
    """July was explained; then the archive turned out to be closed in July, June stays open."""
    family = make_archive(village, contacts=1, opened_on=date(2018, 6, 1))
    MissedMonth.objects.create(family=family, month=date(2018, 7, 1), reason="住院", noted_by=clerk)
    family.closed_on, family.close_reason = date(2018, 7, 20), "moved"
    family.save()
    assert lines(clerk)[MISSED].count == 1


@pytest.mark.parametrize(
    ("day", "count"), [(date(2018, 10, 10), 0), (date(2018, 10, 11), 1)], ids=str
)
def test_reviewer_sees_what_stays_missed_longer_than_the_rule_allows(
    sign_in, reviewer, village, settings, day, count
):
    """Ten days after 30 September the clerk still has the day."""
    settings.TODAY = day.isoformat()
    term = make_archive(village, contacts=1, opened_on=date(2018, 9, 1)).contacts.get()
    make_need(term, opened_on=date(2018, 9, 1), due_on=date(2018, 9, 30))
    found = lines(reviewer, day)
    assert [label in found for label in (MISSED, OVER)] == [bool(count)] * 2
    for label in found.keys() & {MISSED, OVER}:
        assert found[label].count == shown(sign_in(reviewer), found[label]) == 1


def test_office_looks_back_to_december_in_january(sign_in, clerk, village, settings):
    settings.TODAY = "2019-01-08"
    make_archive(village, contacts=1, opened_on=date(2018, 12, 1))
    todo = lines(clerk, date(2019, 1, 8))[MISSED]
    assert todo.count == shown(sign_in(clerk), todo) == 1


def test_clerk_sees_needs_overdue_of_everybody(sign_in, clerk, at_work):
    todo = lines(clerk)[OVER]
    assert todo.count == shown(sign_in(clerk), todo) == 1


def test_nobody_else_is_told_anything(at_work, county_user, other_propagandist, other_clerk):
    for user in (county_user, other_propagandist, other_clerk):
        assert not {CONTACT, MISSED, OVER, MINE_OVER, MINE_SOON} & lines(user).keys()


def test_leader_who_is_a_contact_sees_his_own_families_too(village, township):
    leader = make_user("reviewer", township, "leader")
    own_term(village, leader, opened_on=date(2018, 10, 1))
    make_archive(village, contacts=1, opened_on=date(2018, 10, 1))
    assert lines(leader)[CONTACT].count == 1


def test_asking_costs_the_same_for_any_number(
    at_work, village, propagandist, clerk, assert_query_count_does_not_grow
):
    def grow():
        make_need(own_term(village, propagandist), due_on=TODAY)

    for user in (propagandist, clerk):
        assert_query_count_does_not_grow(lambda user=user: due.todos_of(user, TODAY), grow)


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ("", ["已逾期　1件", "今天", "以后"]),
        ("?show=today", ["已逾期　1件", "今天"]),
        ("?show=week", ["已逾期　1件", "今天"]),
        ("?kind=contact", ["以后"]),
        ("?kind=need&show=today", ["已逾期　1件", "今天"]),
    ],
)
def test_tasks_stand_by_day_and_lead_to_their_forms(at_work, sign_in, propagandist, asked, titles):
    client = sign_in(propagandist)
    response = client.get(reverse("households:special-my-tasks") + asked)
    groups = response.context["groups"]
    assert [group.title for group in groups] == titles
    for group in groups:
        for task in group.tasks:
            assert client.get(task.url).status_code == 200


def test_tasks_count_each_tab(at_work, sign_in, propagandist):
    context = sign_in(propagandist).get(reverse("households:special-my-tasks")).context
    assert [count for _, _, count in context["tabs"]] == [2, 2, 6]


def test_tasks_of_who_is_no_contact_say_so(sign_in, clerk):
    text = sign_in(clerk).get(reverse("households:special-my-tasks")).content.decode()
    assert "您现在不是联系人" in text
