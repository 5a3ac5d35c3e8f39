"""A village proposes on its own pages; the township accepts, alone or many at once, or sends back."""

import json
from datetime import date

import pytest
from django.urls import reverse

from households.models import ChangeRequest, LifeEvent, Resident
from households.request_list import COLUMNS
from tests.factories.households import make_household, make_resident

pytestmark = pytest.mark.django_db
DESK = "/registry/requests/"


@pytest.fixture
def person(village):
    return make_resident(make_household(village), "张三", relation="其他")


def propose(client, person, kind="divorce", **data):
    """Walk through form and check page as the browser does."""
    url = f"/registry/residents/{person.pk}/propose/{kind}/"
    data = {"happened_on": "2018-9-1", "note": "来电告知"} | data
    check = client.post(url, data | {"step": "check"})
    seal = check.context.get("seal") if check.context else None
    return client.post(url, data | {"step": "save", "seal": seal or ""}, follow=True)


def accept(client, asked):
    """Accept what the page shows now."""
    shown = client.get(f"{DESK}{asked.pk}/").context["proposal"]
    return client.post(f"{DESK}{asked.pk}/accept/", {"seal": shown.seal()})


def propose_outflow(client, person):
    url = f"/registry/households/{person.household_id}/propose/outflow/"
    form = client.get(url).context["form"]
    data = {"happened_on": "2018-9-1", "members": [str(person.pk)]}
    assert "members" in form.fields
    check = client.post(url, data | {"step": "check"})
    return client.post(url, data | {"step": "save", "seal": check.context["seal"]}, follow=True)


def test_village_proposes_and_nothing_changes_yet(person, propagandist, sign_in):
    page = propose_outflow(sign_in(propagandist), person).content.decode()
    assert "等镇办受理" in page
    person.refresh_from_db()
    assert person.residence == "常住"
    assert ChangeRequest.objects.get().kind == "outflow"


def test_clerk_sees_what_it_would_change_and_accepts(person, propagandist, clerk, sign_in):
    propose_outflow(sign_in(propagandist), person)
    asked = ChangeRequest.objects.get()
    client = sign_in(clerk)
    page = client.get(f"{DESK}{asked.pk}/").content.decode()
    assert "流出" in page
    assert "张三" in page
    accept(client, asked)
    person.refresh_from_db()
    asked.refresh_from_db()
    assert (person.residence, asked.state, asked.decided_by) == ("流出", "accepted", clerk)
    assert asked.event == LifeEvent.objects.get()


def test_many_are_accepted_at_once_and_the_odd_ones_reported(
    person, propagandist, clerk, sign_in, village
):
    others = [make_resident(make_household(village), f"李{n}") for n in range(3)]
    client = sign_in(propagandist)
    for one in (person, *others):
        propose_outflow(client, one)
    Resident.objects.filter(pk=person.pk).update(residence="流入")
    client = sign_in(clerk)
    url = reverse("lists:act-confirm", args=["requests", "accept"])
    page = client.post(url, {"all": "1"}).content.decode()
    assert "4份" in page
    assert "居住状态：常住→流出" in page
    page = client.post(url, {"all": "1", "step": "do"}, follow=True).content.decode()
    assert "现在已不能这样登记" in page
    assert Resident.objects.filter(residence="流出").count() == 3
    assert ChangeRequest.objects.waiting().get().household == person.household


def test_details_are_proposed_masked_and_only_what_differs_is_written(
    person, propagandist, clerk, sign_in
):
    Resident.objects.filter(pk=person.pk).update(bank="老银行")
    url = f"/registry/residents/{person.pk}/propose/edit/"
    account = "6222020000001234567"
    answer = sign_in(propagandist).post(
        url, {"bank": "老银行", "bank_account": account}, follow=True
    )
    assert account not in answer.content.decode()
    asked = ChangeRequest.objects.get()
    Resident.objects.filter(pk=person.pk).update(bank="新银行")
    client = sign_in(clerk)
    assert account not in client.get(f"{DESK}{asked.pk}/").content.decode()
    accept(client, asked)
    person.refresh_from_db()
    assert (person.bank, person.bank_account) == ("新银行", account)


def test_proposal_that_changes_nothing_is_refused(person, propagandist, sign_in):
    url = f"/registry/residents/{person.pk}/propose/edit/"
    page = sign_in(propagandist).post(url, {}).content.decode()
    assert "没有改动任何内容" in page
    assert not ChangeRequest.objects.exists()


def test_village_reads_why_it_came_back(person, propagandist, clerk, sign_in):
    propose_outflow(sign_in(propagandist), person)
    asked = ChangeRequest.objects.get()
    client = sign_in(clerk)
    page = client.post(f"{DESK}{asked.pk}/reject/", {"reason": ""})
    assert "错误：" in page.content.decode()
    client.post(f"{DESK}{asked.pk}/reject/", {"reason": "日期不对，是8月"})
    client = sign_in(propagandist)
    assert "日期不对，是8月" in client.get(f"{DESK}{asked.pk}/").content.decode()
    assert "申请被退回" in client.get("/").content.decode()


def test_village_withdraws_its_own_request(person, propagandist, sign_in):
    client = sign_in(propagandist)
    propose_outflow(client, person)
    asked = ChangeRequest.objects.get()
    client.post(f"{DESK}{asked.pk}/withdraw/")
    asked.refresh_from_db()
    assert asked.state == "withdrawn"


def test_another_village_sees_neither_list_nor_page(
    person, propagandist, other_propagandist, sign_in
):
    propose_outflow(sign_in(propagandist), person)
    asked = ChangeRequest.objects.get()
    client = sign_in(other_propagandist)
    assert client.get(f"{DESK}{asked.pk}/").status_code == 404
    assert "张三" not in client.get(DESK).content.decode()
    assert client.get(f"/registry/residents/{person.pk}/propose/edit/").status_code == 404


def test_clerk_cannot_propose_nor_a_village_accept(person, propagandist, clerk, sign_in):
    assert sign_in(clerk).get(f"/registry/residents/{person.pk}/propose/edit/").status_code == 403
    propose_outflow(sign_in(propagandist), person)
    asked = ChangeRequest.objects.get()
    assert sign_in(propagandist).post(f"{DESK}{asked.pk}/accept/").status_code == 403


def test_home_counts_what_waits_for_the_clerk(person, propagandist, clerk, sign_in):
    propose_outflow(sign_in(propagandist), person)
    page = sign_in(clerk).get("/").content.decode()
    assert "村级申请待受理" in page


def test_desk_costs_the_same_for_many(
    village, propagandist, clerk, sign_in, assert_query_count_does_not_grow
):
    def grow():
        one = make_resident(make_household(village), "王五")
        ChangeRequest.objects.create(
            kind="outflow", village=village, resident=one, content="{}", requested_by=propagandist,
            happened_on=date(2018, 9, 1),
        )  # fmt: skip

    grow()
    client = sign_in(clerk)
    assert_query_count_does_not_grow(lambda: client.get(DESK), grow)


def test_pages_offer_a_village_to_propose_and_a_clerk_to_record(
    person, propagandist, clerk, sign_in
):
    own = f"/registry/residents/{person.pk}/propose/edit/"
    page = sign_in(propagandist).get(person.get_absolute_url()).content.decode()
    assert "提出变动" in page
    assert own in page
    page = sign_in(propagandist).get(person.household.get_absolute_url()).content.decode()
    assert f"/registry/households/{person.household_id}/propose/outflow/" in page
    page = sign_in(clerk).get(person.get_absolute_url()).content.decode()
    assert "登记变动" in page
    assert own not in page


def test_arrival_into_a_new_household_is_proposed_and_accepted(
    village, propagandist, clerk, sign_in
):
    client = sign_in(propagandist)
    url = "/registry/requests/new/move_in/"
    fields = client.get(url).context["form"].fields
    data = {
        "happened_on": "2018-9-1", "household_choice": "new", "number": "00077",
        "village": str(village.pk),
        "name": "赵新来", "sex": "男", "birth_date": "2010-1-1", "relation": "户主",
        "hukou": "农业", "residence": "常住", "marital": "未婚", "ethnicity": "汉",
    }  # fmt: skip
    assert {"name", "relation"} <= fields.keys()
    check = client.post(url, data | {"step": "check"})
    assert check.context["form"].errors == {}
    client.post(url, data | {"step": "save", "seal": check.context["seal"]})
    asked = ChangeRequest.objects.get()
    accept(sign_in(clerk), asked)
    came = Resident.objects.get(name="赵新来")
    assert (came.household.number, came.village) == ("00077", village)


def test_only_what_the_form_asked_is_kept(person, propagandist, sign_in):
    """A field that comes to mean something later must not have been filled in beforehand."""
    Resident.objects.filter(pk=person.pk).update(marital="初婚")
    propose(sign_in(propagandist), person, new_head="1", happened_at="x")
    content = json.loads(ChangeRequest.objects.get().content)
    assert content == {"happened_on": ["2018-9-1"], "note": ["来电告知"]}


def test_question_that_has_come_up_since_is_named(person, propagandist, clerk, sign_in):
    other = make_resident(person.household, "李四", relation="户主")
    propose(sign_in(propagandist), person, kind="death")
    Resident.objects.filter(pk=other.pk).update(relation="配偶")
    Resident.objects.filter(pk=person.pk).update(relation="户主")
    asked = ChangeRequest.objects.get()
    page = sign_in(clerk).get(f"{DESK}{asked.pk}/").content.decode()
    assert "“新户主”现在必须填写" in page


def test_what_would_happen_now_must_be_what_the_clerk_saw(person, propagandist, clerk, sign_in):
    propose_outflow(sign_in(propagandist), person)
    asked = ChangeRequest.objects.get()
    client = sign_in(clerk)
    seen = client.get(f"{DESK}{asked.pk}/").context["proposal"].seal()
    Resident.objects.filter(pk=person.pk).update(name="张三丰")
    page = client.post(f"{DESK}{asked.pk}/accept/", {"seal": seen}).content.decode()
    assert "重新核对" in page
    assert ChangeRequest.objects.waiting().exists()


def test_task_of_what_came_back_goes_once_it_is_asked_again(person, propagandist, clerk, sign_in):
    propose_outflow(sign_in(propagandist), person)
    asked = ChangeRequest.objects.get()
    sign_in(clerk).post(f"{DESK}{asked.pk}/reject/", {"reason": "日期不对"})
    client = sign_in(propagandist)
    assert "申请被退回" in client.get("/").content.decode()
    propose_outflow(client, person)
    assert "申请被退回" not in client.get("/").content.decode()


def test_village_may_have_a_number_checked_while_it_proposes(propagandist, reviewer, sign_in):
    url = reverse("households:id-number-check")
    assert sign_in(propagandist).post(url, {"id_number": "1"}).status_code == 200
    assert sign_in(reviewer).post(url, {"id_number": "1"}).status_code == 403


def test_check_page_does_not_name_a_spouse_of_another_village(
    village, other_village, propagandist, clerk, sign_in
):
    wife = make_resident(make_household(village), "李芳", sex="女", marital="初婚")
    husband = make_resident(make_household(other_village), "某某甲", marital="初婚")
    for one, other in ((wife, husband), (husband, wife)):
        one.spouse, one.spouse_id_number = other, other.id_number
        one.spouse_id_number_digest = other.id_number_digest
        one.save()
    url = f"/registry/residents/{wife.pk}/propose/divorce/"
    data = {"happened_on": "2018-9-1", "step": "check"}
    page = sign_in(propagandist).post(url, data).content.decode()
    assert "李芳" in page
    assert "某某甲" not in page
    url = f"/registry/residents/{wife.pk}/events/divorce/"
    assert "某某甲" in sign_in(clerk).post(url, data).content.decode()


def test_desk_and_file_head_who_asked_alike(person, propagandist, clerk, sign_in):
    propose_outflow(sign_in(propagandist), person)
    table = sign_in(clerk).get(DESK).context["list"].table
    heads = {heading.label for heading in table.headings()}
    assert {column.label for column in COLUMNS if column.shown} <= heads
