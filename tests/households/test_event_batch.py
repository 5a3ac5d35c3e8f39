"""Events of many ticked residents: one per household, with a report of who could not."""

from datetime import date

import pytest
from django.urls import reverse

from households import event_batch
from households.models import EventKind, LifeEvent, Resident
from tests.factories.households import make_household, make_resident, make_spell

TODAY = date(2018, 10, 9)
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(clerk, sign_in):
    return sign_in(clerk)


@pytest.fixture
def people(family, village):
    """The family, and one who lives alone."""
    return [*family, make_resident(make_household(village), "罗独")]


def act(key):
    return reverse("lists:act-confirm", args=["residents", key])


def do(client, key, rows, step="do", **values):
    picked = ",".join(str(row.pk) for row in rows)
    data = {"picked": picked, "happened_on": "2018-9-1", "note": "", "step": step} | values
    return client.post(act(key), data, follow=True)


def test_many_flow_out_by_one_event_per_household(client, people):
    page = do(client, "outflow", people, note="深圳务工")

    assert page.status_code == 200
    assert set(Resident.objects.values_list("residence", flat=True)) == {"流出"}
    events = LifeEvent.objects.order_by("pk")
    assert [(e.kind, e.note, e.people.count()) for e in events] == [
        ("outflow", "深圳务工", 4), ("outflow", "深圳务工", 1),
    ]  # fmt: skip


def test_many_come_back_but_not_who_is_here(client, people):
    do(client, "outflow", people[:1])
    page = do(client, "return", people, happened_on="2018-10-1")
    assert "居住状态是常住" in page.content.decode()
    assert LifeEvent.objects.filter(kind="return").get().people.get().resident == people[0]


def test_hukou_of_many(client, people):
    nothing = do(client, "hukou-change", people, step="check", hukou="")
    assert "请选新的户口性质" in nothing.content.decode()
    do(client, "hukou-change", people, hukou="非农业")
    assert set(Resident.objects.values_list("hukou", flat=True)) == {"非农业"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"death_date": date(2018, 1, 1)}, "已于2018-01-01去世"),
        ({"departed_on": date(2018, 1, 1)}, "已于2018-01-01离册"),
        ({"birth_date": date(2018, 9, 2)}, "2018-09-02才出生"),
        ({"residence": "流入"}, "居住状态是流入"),
    ],
)
def test_who_cannot_flow_out_is_named_with_the_reason(client, people, change, words):
    Resident.objects.filter(pk=people[3].pk).update(**change)
    page = do(client, "outflow", people, step="check").content.decode()
    assert words in page
    assert not LifeEvent.objects.exists()


def test_day_before_the_last_change_is_refused(client, people):
    alone = people[4]
    alone.residencies.all().delete()
    make_spell(alone, started_on=date(2018, 9, 15))
    page = do(client, "outflow", [alone], step="check").content.decode()
    assert "2018-09-15已有变动" in page


def test_day_in_the_future_is_refused(client, people):
    page = do(client, "outflow", people, step="check", happened_on="2018-10-10")
    assert "只登记已经发生的事" in page.content.decode()


def test_household_that_the_service_refuses_is_reported_and_the_others_done(people, clerk):
    family, alone = people[:4], people[4]
    Resident.objects.filter(pk=family[0].pk).update(residence="流出")
    batch = event_batch.Batch(EventKind.OUTFLOW)
    values = {"happened_on": date(2018, 9, 1), "note": ""}
    refused = batch.apply(people, by=clerk, values=values, day=TODAY)
    assert set(refused) == {p.pk for p in family}
    assert LifeEvent.objects.get().resident == alone


def test_check_costs_the_same_for_more_people(
    people, clerk, village, assert_query_count_does_not_grow
):
    batch = event_batch.Batch(EventKind.OUTFLOW)
    values = {"happened_on": date(2018, 9, 1), "note": ""}
    rows = people[:1]

    def check():
        batch.check(rows, by=clerk, values=values, day=TODAY)

    assert_query_count_does_not_grow(check, lambda: rows.extend(people[1:]))


def test_batch_is_the_clerks(people, propagandist, sign_in):
    assert sign_in(propagandist).post(act("outflow"), {"picked": people[0].pk}).status_code == 403
