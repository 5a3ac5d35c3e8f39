"""Pages of life events: forms, the check before recording, the event, taking it back."""

from datetime import date

import pytest
from django.urls import reverse

from households.models import LifeEvent, Resident
from tests.households.event_pages import check, errors, lines_of, of_home, of_person, save, url

TODAY = date(2018, 10, 9)
pytestmark = pytest.mark.django_db


def test_death_of_the_head_is_checked_recorded_and_undone(family, clerk, sign_in):
    head, wife, son, girl = family
    client, address = sign_in(clerk), of_person(head, "death")
    assert "新户主" in client.get(address).content.decode()

    page = check(client, address, new_head=son.pk)

    lines = lines_of(page)
    assert lines["段光超", "死亡日期"] == ("—", "2018-09-01")
    assert lines["李芳", "与户主关系"] == ("配偶", "母")
    assert lines["李芳", "婚姻状况"] == ("初婚", "丧偶")
    assert lines["段小强", "与户主关系"] == ("子", "户主")
    assert lines["段小丽", "与户主关系"] == ("女", "兄弟姐妹")
    assert not LifeEvent.objects.exists()

    done = save(client, address, page)

    event = LifeEvent.objects.get()
    assert done.redirect_chain[-1][0] == event.get_absolute_url()
    assert "已登记：段光超死亡" in done.content.decode()
    wife.refresh_from_db()
    assert (wife.relation, wife.marital) == ("母", "丧偶")

    confirm = client.get(url("event-undo", event.pk))
    assert "恢复为" in confirm.content.decode()
    refused = client.post(url("event-undo", event.pk), {"reason": ""})
    assert errors(refused) == {"reason": ["这个字段是必填项。"]}
    undone = client.post(url("event-undo", event.pk), {"reason": "登记到别人名下"}, follow=True)
    assert "登记到别人名下" in undone.content.decode()
    wife.refresh_from_db()
    assert (wife.relation, wife.marital) == ("配偶", "初婚")


def test_move_out_of_a_part_of_the_household(family, clerk, sign_in):
    head, wife, son, girl = family
    client, address = sign_in(clerk), of_home(head.household, "move_out")

    refused = check(client, address, members=[head.pk, girl.pk])
    assert errors(refused) == {
        "new_head": ["户主段光超不再在这一户，还有李芳、段小强，请选新户主。"]
    }
    page = check(client, address, members=[head.pk, girl.pk], new_head=wife.pk, note="昆明市")
    assert lines_of(page)["段光超", "是否在册"] == ("在册", "离册（2018-09-01起）")
    save(client, address, page)

    assert Resident.objects.get(pk=girl.pk).departed_on == date(2018, 9, 1)
    wife.refresh_from_db()
    son.refresh_from_db()
    assert (wife.relation, son.relation) == ("户主", "子")
    assert LifeEvent.objects.get().note == "昆明市"


# The ledger of events ---------------------------------------------------------------------------

LIST = "households:event-list"


def make_event(resident, **values):
    values = {
        "kind": "hukou_change",
        "happened_on": date(2018, 9, 1),
        "reported_on": TODAY,
    } | values
    return LifeEvent.objects.create(
        resident=resident, household=resident.household, village=resident.village, **values
    )


def test_event_list_costs_the_same_for_more_events(
    family, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    make_event(family[0])

    def grow():
        for day in range(1, 7):
            make_event(family[1], happened_on=date(2018, 8, day))

    assert_query_count_does_not_grow(lambda: client.get(reverse("households:event-list")), grow)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"段光超", "李芳", "段小强"}),
        ("?kind=outflow", {"李芳"}),
        ("?happened_from=2018-9-1", {"段光超", "段小强"}),
        ("?happened_to=20180831", {"李芳"}),
        ("?reported_from=2018-10-09", {"段光超", "段小强"}),
        ("?reported_to=2018年9月30日", {"李芳"}),
        ("?undone=yes", {"段小强"}),
        ("?undone=no", {"段光超", "李芳"}),
        ("?happened_from=昨天", set()),
    ],
)
def test_event_list_filters(family, clerk, sign_in, query, expected):
    head, wife, son, _ = family
    make_event(head)
    make_event(wife, kind="outflow", happened_on=date(2018, 5, 1), reported_on=date(2018, 5, 2))
    gone = make_event(son)
    LifeEvent.objects.create(
        kind="undo", undoes=gone, resident=head, household=head.household, village=head.village,
        happened_on=date(2000, 1, 1), reported_on=date(2000, 1, 1),
    )  # fmt: skip

    page = sign_in(clerk).get(reverse(LIST) + query)

    rows = [row.record for row in page.context["list"].table.rows]
    assert {r.resident.name for r in rows if r.kind != "undo"} == expected


def test_event_list_shows_the_own_region_only(family, clerk, other_clerk, sign_in):
    make_event(family[0])
    assert "段光超" in sign_in(clerk).get(reverse(LIST)).content.decode()
    assert "段光超" not in sign_in(other_clerk).get(reverse(LIST)).content.decode()


def test_event_pages_ask_to_sign_in_and_for_the_permission(
    family, clerk, propagandist, auditor, other_clerk, sign_in, client
):
    event = make_event(family[0])
    pages = [
        url("event-undo", event.pk), of_person(family[0], "death"),
        of_home(family[0].household, "move_out"),
    ]  # fmt: skip
    for address in [*pages, event.get_absolute_url(), reverse(LIST)]:
        assert client.get(address).status_code == 302
        assert sign_in(auditor).get(address).status_code == 403
    for address in pages:
        assert sign_in(propagandist).get(address).status_code == 403
        assert sign_in(other_clerk).get(address).status_code == 404
    assert sign_in(propagandist).get(event.get_absolute_url()).status_code == 200
    assert sign_in(other_clerk).get(event.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("kind", ["nonsense", "undo", "move_out"])
def test_kind_that_is_no_event_of_a_person_is_not_found(family, clerk, sign_in, kind):
    assert sign_in(clerk).get(of_person(family[0], kind)).status_code == 404
