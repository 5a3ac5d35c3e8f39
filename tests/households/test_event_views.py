"""Pages of life events: forms, the check before recording, the event, taking it back."""

from datetime import date

import pytest
from django.http import QueryDict
from django.urls import reverse

from fpadmin.exports.runs import cells
from fpadmin.ui.listing import LISTS, Asked, rows_of
from households import services
from households.forms.events import event_form
from households.models import LifeEvent, Resident
from tests.factories.households import make_id_number, make_resident
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


# Events, people who left, records taken back ------------------------------------------------------


def record(clerk, kind, values, day=date(2018, 9, 1)):
    return services.record_event(by=clerk, kind=kind, values=values, happened_on=day, today=TODAY)


def test_event_page_says_what_changed_with_numbers_masked(family, clerk, sign_in):
    girl = family[3]
    number = make_id_number(girl.birth_date, "女")
    event = record(
        clerk, "correction", {"resident": girl, "person": {"name": "段晓丽", "id_number": number}}
    )
    body = sign_in(clerk).get(event.get_absolute_url()).content.decode()
    assert "段晓丽" in body
    assert number not in body
    assert f"539981********{number[-4:]}" in body
    assert "撤销这次变动" in body
    assert "打印户表" in body


def test_propagandist_sees_the_event_but_no_act(family, clerk, propagandist, sign_in):
    event = record(clerk, "outflow", {"members": [family[3]]})
    body = sign_in(propagandist).get(event.get_absolute_url()).content.decode()
    assert "流出" in body
    assert "撤销这次变动" not in body
    assert "登记变动" not in body


def test_undo_is_refused_with_a_link_to_the_later_event(family, clerk, sign_in):
    girl = family[3]
    first = record(clerk, "outflow", {"members": [girl]})
    later = record(clerk, "return", {"members": [girl]}, day=date(2018, 9, 5))
    client, address = sign_in(clerk), url("event-undo", first.pk)
    page = client.post(address, {"reason": "登记错了"})
    assert "请先撤销" in errors(page)["__all__"][0]
    assert later.get_absolute_url() in page.content.decode()
    assert LifeEvent.objects.count() == 2


def test_undone_event_is_not_undone_again(family, clerk, sign_in):
    event = record(clerk, "outflow", {"members": [family[3]]})
    services.undo_event(by=clerk, event=event, today=TODAY, reason="登记错了")
    page = sign_in(clerk).get(url("event-undo", event.pk), follow=True).content.decode()
    assert "已经撤销过了" in page


def test_page_of_somebody_who_left_says_so_and_offers_to_register_them_again(
    family, clerk, propagandist, sign_in
):
    girl = family[3]
    record(clerk, "move_out", {"members": [girl]})
    body = sign_in(clerk).get(girl.get_absolute_url()).content.decode()
    assert "已于2018年9月1日离册" in body
    assert of_person(girl, "move_in") in body
    body = sign_in(propagandist).get(girl.get_absolute_url()).content.decode()
    assert "已于2018年9月1日离册" in body
    assert of_person(girl, "move_in") not in body


def test_record_whose_registration_was_taken_back_says_so_and_is_no_member(family, clerk, sign_in):
    head = family[0]
    person = {
        "name": "赵新来", "sex": "男", "birth_date": date(1970, 1, 1), "relation": "其他",
        "id_number": make_id_number(date(1970, 1, 1)), "hukou": "农业", "residence": "常住",
        "hukou_region_code": "", "marital": "未婚",
    }  # fmt: skip
    event = record(clerk, "move_in", {"household": head.household, "person": person})
    services.undo_event(by=clerk, event=event, today=TODAY, reason="登记错了")
    client = sign_in(clerk)
    assert "登记已撤销" in client.get(event.resident.get_absolute_url()).content.decode()
    members = client.get(head.household.get_absolute_url()).context["members"]
    assert event.resident not in members


def test_registering_the_number_of_somebody_who_left_leads_to_the_move_in(family, clerk, sign_in):
    son = family[2]
    record(clerk, "move_out", {"members": [son]})
    client = sign_in(clerk)
    page = client.post(url("resident-create"), {"id_number": son.id_number, "step": "check"})
    assert "已于2018-09-01离册" in errors(page)["id_number"][0]
    assert of_person(son, "move_in") in page.content.decode()
    left = client.post(url("id-number-check"), {"id_number": son.id_number}).content.decode()
    assert of_person(son, "move_in") in left


def test_number_of_somebody_who_left_elsewhere_tells_nothing(family, clerk, other_clerk, sign_in):
    son = family[2]
    record(clerk, "move_out", {"members": [son]})
    page = sign_in(other_clerk).post(
        url("resident-create"), {"id_number": son.id_number, "step": "check"}
    )
    assert errors(page)["id_number"] == ["这个号码已在本系统登记，请联系镇办。"]
    assert "段小强" not in page.content.decode()


@pytest.mark.parametrize(
    ("change", "offered", "missing"),
    [
        (
            {},
            {"死亡", "迁出", "流出", "户间变动", "变更户主", "身份更正"},
            {"返回", "结婚", "迁入"},
        ),
        ({"residence": "流出"}, {"返回"}, {"流出"}),
        ({"death_date": date(2018, 1, 1)}, {"身份更正"}, {"死亡", "迁出"}),
        ({"departed_on": date(2018, 1, 1)}, {"迁入", "流入"}, {"死亡", "迁出"}),
        ({"birth_date": date(1990, 1, 1)}, {"出生", "结婚"}, {"离婚"}),
    ],
)
def test_menu_offers_what_makes_sense_today(family, clerk, sign_in, change, offered, missing):
    girl = family[3]
    Resident.objects.filter(pk=girl.pk).update(**change)
    menu = sign_in(clerk).get(girl.get_absolute_url()).context["event_menu"]
    words = {word for _, entries in menu for word, _ in entries}
    assert offered <= words
    assert not missing & words


def test_check_page_says_in_which_month_it_counts(family, clerk, sign_in):
    page = check(sign_in(clerk), of_person(family[3], "death"))
    assert page.context["counting"] == "计入2018年9月"
    page = check(sign_in(clerk), of_person(family[0], "divorce"))
    assert page.context["counting"] == ""


def test_form_of_another_user_is_judged_by_what_that_user_sees(family, clerk, other_clerk):
    """A village's proposal is the posted form, bound again for the clerk who decides."""
    number = make_id_number(date(1997, 1, 1), "女")
    bride = make_resident(family[0].household, "杨梅", sex="女", relation="其他", id_number=number)
    data = {"happened_on": "2018-09-01", "note": "", "spouse_id_number": number, "mover": ""}
    mine = event_form("marriage", data, user=clerk, today=TODAY, resident=family[2])
    theirs = event_form("marriage", data, user=other_clerk, today=TODAY, resident=family[2])
    assert mine.is_valid()
    assert theirs.is_valid()
    assert mine.event().values["spouse"] == bride
    assert "spouse" not in theirs.event().values


def test_file_of_the_ledger_holds_kind_person_days_and_state(family, clerk):
    head, wife, *_ = family
    gone = make_event(wife, kind="outflow")
    LifeEvent.objects.create(
        kind="undo", undoes=gone, resident=wife, household=wife.household, village=wife.village,
        happened_on=gone.happened_on, reported_on=TODAY,
    )  # fmt: skip
    make_event(head, happened_on=date(2018, 1, 1), recorded_by=clerk)
    spec = LISTS["events"]
    rows = rows_of(spec, Asked(clerk, QueryDict(), {}, TODAY))
    found = [
        row for part in cells(rows, list(spec.columns), clear=False, day=TODAY) for row in part
    ]
    states = [(row[0], row[1], row[8]) for row in found]
    assert states == [
        ("撤销", "李芳", ""),
        ("流出", "李芳", "已撤销"),
        ("户口变更", "段光超", "有效"),
    ]
    assert found[2][4:7] == (date(2018, 1, 1), TODAY, clerk.name)
