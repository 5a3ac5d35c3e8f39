"""The pages of 见面核实: who gets what, in which words, and what waits at home."""

from datetime import date

import pytest
from django.http import QueryDict
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.exports import runs
from fpadmin.ui.listing import LISTS, Asked
from fpadmin.ui.listing import rows_of as listed
from fpadmin.ui.todos import todos_for
from subsidies.meetings import due_list, my_meetings
from subsidies.models import EnrolmentChange, Meeting, PaymentLine
from tests.conftest import TODAY
from tests.factories.meetings import make_meeting, make_paid, make_payee_to_see

LIST, RECORDS = "subsidies:meeting-list", "subsidies:meeting-record-list"
FOUND = {"met_on": "2018-10-09", "is_alive": "alive", "delivered": "yes"}


def page(client, name, *args, query=""):
    return client.get(reverse(f"subsidies:{name}", args=args) + query)


def text(response) -> str:
    return response.content.decode()


def late(person, day=date(2018, 9, 28)):
    PaymentLine.objects.filter(beneficiary=person).update(see_by=day)


# The list


def test_phone_shows_each_person_once_the_late_first(payee, village, propagandist, sign_in):
    make_paid(payee, "YN-LUMP", slot="once")
    late(make_payee_to_see(village, "方逾期"))
    shown = text(page(sign_in(propagandist), "meeting-list"))
    assert shown.count(reverse("subsidies:meeting-create", args=[payee.pk])) == 1
    assert shown.index("方逾期") < shown.index("陶有田")
    assert "已逾期　1人" in shown
    assert "逾期4个工作日" in shown
    assert "还剩1个工作日" in shown


def test_payments_of_one_policy_are_told_apart_by_their_years(payee, propagandist, clerk, sign_in):
    make_paid(payee, year=2017)
    phone = sign_in(propagandist)
    asked = text(page(phone, "meeting-create", payee.pk))
    assert "奖励扶助</strong>　2017年度" in asked
    assert "奖励扶助</strong>　2018年度" in asked
    for client in (phone, sign_in(clerk)):
        assert "奖励扶助（2017、2018年度）" in text(page(client, "meeting-list"))


def test_list_of_the_office_names_no_policy_of_a_death(bereaved, payee, clerk, sign_in):
    shown = text(page(sign_in(clerk), "meeting-list"))
    assert bereaved.name in shown
    assert "惠民补贴" in shown
    assert "特别扶助" not in shown
    assert "农村部分计划生育家庭奖励扶助" in shown


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["方逾期", "陶有田"]), ("?state=overdue", ["方逾期"]), ("?policy=YN-LUMP", []),
        ("?paid=2018", ["方逾期", "陶有田"]), ("?paid=2017", []),
    ],
)  # fmt: skip
def test_conditions_of_the_list(payee, village, clerk, sign_in, query, names):
    late(make_payee_to_see(village, "方逾期"))
    found = page(sign_in(clerk), "meeting-list", query=query).context["list"]
    assert [one.name for one in found.page.object_list] == names


def test_numbers_of_a_village_lead_to_so_many_rows(payee, village, other_village, clerk, sign_in):
    late(make_payee_to_see(village, "方逾期"))
    make_payee_to_see(other_village)
    client = sign_in(clerk)
    row = page(client, "meeting-list").context["villages"][0]
    for number, query in ((row.waiting, ""), (row.overdue, "&state=overdue")):
        found = page(client, "meeting-list", query=f"?village={row.pk}&paid=2018{query}")
        assert found.context["list"].total == number


def test_file_of_the_list_has_words_and_no_amount(bereaved, payee, clerk):
    spec, asked = LISTS[due_list.KEY], Asked(clerk, QueryDict(), {}, TODAY)
    columns = [one for one in spec.columns if one.in_file]
    found = runs.cells(listed(spec, asked), columns, clear=False, day=TODAY)
    rows = [
        dict(zip([one.key for one in columns], row, strict=True)) for part in found for row in part
    ]
    assert {(row["name"], row["what"], row["state"]) for row in rows} == {
        ("陶有田", "农村部分计划生育家庭奖励扶助（2018年度）", "待见面"),
        (bereaved.name, "惠民补贴（2018年度）", "待见面"),
    }  # fmt: skip
    assert "yuan" not in rows[0]


@pytest.mark.parametrize("role", ["propagandist", "clerk"])
def test_list_asks_no_more_for_more_people(
    payee, village, role, request, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(request.getfixturevalue(role))

    def grow():
        for _ in range(4):
            make_paid(make_payee_to_see(village), "YN-LUMP", slot="once")

    client.get(reverse("subsidies:meeting-list"))
    assert_query_count_does_not_grow(lambda: client.get(reverse("subsidies:meeting-list")), grow)


def test_records_ask_no_more_for_more_meetings(
    payee, village, propagandist, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    make_meeting(propagandist, payee)

    def grow():
        for _ in range(4):
            make_meeting(propagandist, make_payee_to_see(village), delivered="no")

    client.get(reverse("subsidies:meeting-record-list"))
    assert_query_count_does_not_grow(
        lambda: client.get(reverse("subsidies:meeting-record-list")), grow
    )


# The form


def test_meeting_is_recorded_on_the_phone(payee, propagandist, sign_in):
    client = sign_in(propagandist)
    address = reverse("subsidies:meeting-create", args=[payee.pk])
    assert "960.00元" in text(client.get(address))
    answer = client.post(address, FOUND)
    assert answer["Location"] == reverse(LIST)
    meeting = Meeting.objects.get()
    assert (meeting.is_alive, meeting.delivered, meeting.met_on) == (True, "yes", TODAY)


def test_form_says_what_is_missing(payee, propagandist, sign_in):
    address = reverse("subsidies:meeting-create", args=[payee.pk])
    shown = text(
        sign_in(propagandist).post(address, FOUND | {"delivered": "", "met_on": "20181010"})
    )
    assert "见面日期不能晚于今天。" in shown
    assert not Meeting.objects.exists()


def test_death_is_told_and_not_registered(payee, propagandist, sign_in):
    client = sign_in(propagandist)
    address = reverse("subsidies:meeting-create", args=[payee.pk])
    shown = text(client.post(address, {"met_on": "2018-10-09", "is_alive": "dead"}, follow=True))
    assert "死亡登记请按户籍程序办理" in shown
    assert reverse("households:resident-propose", args=[payee.pk, "death"]) in shown
    assert "已提出退出，待审核" in shown
    payee.refresh_from_db()
    assert payee.death_date is None


def test_page_says_what_was_not_proposed(payee, propagandist, clerk, sign_in):
    EnrolmentChange.objects.create(
        enrolment=payee.enrolments.get(), kind="suspend", month=date(2018, 11, 1), note="核实",
        proposed_by=clerk, proposed_at="2018-10-01T00:00Z",
    )  # fmt: skip
    meeting = make_meeting(propagandist, payee, is_alive=False, delivered="")
    shown = text(sign_in(propagandist).get(meeting.get_absolute_url()))
    assert "已有其他变动待审核，没有提出退出" in shown


def test_worker_who_may_not_know_finds_nobody(bereaved, propagandist, sign_in):
    client = sign_in(propagandist)
    assert page(client, "meeting-create", bereaved.pk).status_code == 404
    assert bereaved.name not in text(page(client, "meeting-list"))


def test_contact_is_told_the_policy_and_where_needs_go(bereaved, contact, family, sign_in):
    shown = text(page(sign_in(contact), "meeting-create", bereaved.pk))
    assert "特别扶助" in shown
    assert reverse("households:special-need-create", args=[family.pk]) in shown


def test_page_of_a_meeting_hides_the_payment_one_may_not_know_of(
    bereaved, clerk, propagandist, sign_in
):
    make_paid(bereaved)
    meeting = make_meeting(clerk, bereaved)
    shown = text(sign_in(propagandist).get(meeting.get_absolute_url()))
    assert "农村部分计划生育家庭奖励扶助" in shown
    assert "特别扶助" not in shown


# Correcting and settling


def test_correction_through_the_page(payee, propagandist, sign_in):
    from fpadmin import dates

    meeting = make_meeting(propagandist, payee, now=dates.now())
    client = sign_in(propagandist)
    address = reverse("subsidies:meeting-correct", args=[meeting.pk])
    form = client.get(address).context
    client.post(
        address,
        FOUND | {"delivered": "no", "row_version": form["row_version"], "opened": form["opened"]},
    )
    meeting.refresh_from_db()
    assert meeting.delivered == "no"


def test_yesterdays_meeting_is_done_again_instead(payee, propagandist, sign_in, settings):
    meeting = make_meeting(propagandist, payee)
    settings.TODAY = "2018-10-10"
    client = sign_in(propagandist)
    shown = text(client.get(meeting.get_absolute_url()))
    assert "更正</a>" not in shown
    assert "再次见面" in shown
    answer = page(client, "meeting-correct", meeting.pk)
    assert answer["Location"] == meeting.get_absolute_url()


def test_clerk_writes_what_came_of_missing_money(payee, propagandist, clerk, sign_in):
    meeting = make_meeting(propagandist, payee, delivered="no")
    client = sign_in(clerk)
    client.post(reverse("subsidies:meeting-settle", args=[meeting.pk]), {"outcome": "银行已入账"})
    assert "银行已入账" in text(client.get(meeting.get_absolute_url()))


# The sheet


def test_sheet_of_a_village_tells_no_amount_and_no_death(
    bereaved, payee, village, propagandist, clerk, sign_in
):
    make_meeting(propagandist, payee, difficulties="看病远")
    answer = page(sign_in(clerk), "meeting-print", village.pk, query="?year=2018")
    shown = text(answer)
    assert "2018年见面记录表" in shown
    assert "看病远" in shown
    assert "惠民补贴" in shown
    assert "特别扶助" not in shown
    assert "960.00" not in shown
    assert answer["X-Robots-Tag"].startswith("noindex")
    assert AuditEvent.objects.get(type="meeting.printed").count == 2


def test_sheet_has_only_whom_one_may_know_of(bereaved, payee, village, propagandist, sign_in):
    shown = text(page(sign_in(propagandist), "meeting-print", village.pk))
    assert payee.name in shown
    assert bereaved.name not in shown


def test_sample_of_a_month_is_printed_with_its_number(payee, propagandist, clerk, sign_in):
    make_meeting(propagandist, payee, met_on=date(2018, 9, 20))
    client = sign_in(clerk)
    assert reverse("subsidies:meeting-sample") + "?month=2018-09" in text(
        page(client, "meeting-record-list")
    )
    shown = text(page(client, "meeting-sample", query="?month=2018-09"))
    assert "抽样编号：539981001-2018-09" in shown
    assert payee.name in shown
    assert "没有登记见面" in text(page(client, "meeting-sample", query="?month=2018-10"))
    assert AuditEvent.objects.filter(type="meeting.printed").count() == 2


def test_meeting_done_again_through_the_page(payee, propagandist, sign_in):
    first = make_meeting(propagandist, payee)
    client = sign_in(propagandist)
    address = reverse("subsidies:meeting-create", args=[payee.pk])
    assert "再次见面" in text(client.get(address))
    assert "已经登记了这位居民的见面" in text(client.post(address, FOUND))
    client.post(address, FOUND | {"earlier": first.pk})
    first.refresh_from_db()
    assert first.replaced_by is not None


# At home


def test_village_is_told_how_many_wait_and_how_many_are_late(payee, village, propagandist):
    late(make_payee_to_see(village))
    [todo] = my_meetings.items(propagandist, TODAY)
    assert (todo.count, todo.word, todo.hint) == (2, "逾期1人", "2人待见面核实，其中1人逾期。")
    assert todo.label in [one.label for one in todos_for(propagandist, TODAY)]
    assert my_meetings.waiting_count(propagandist) == 2


def test_clerk_is_told_of_what_is_amiss_and_gets_there(
    payee, village, propagandist, clerk, sign_in
):
    late(make_payee_to_see(village))
    make_meeting(propagandist, payee, delivered="no")
    make_meeting(propagandist, make_payee_to_see(village), is_alive=False, delivered="")
    client = sign_in(clerk)
    todos = my_meetings.items(clerk, TODAY)
    assert [one.count for one in todos] == [1, 1, 1]
    for todo in todos:
        assert client.get(todo.url).context["list"].total == todo.count


def test_death_is_off_the_list_when_it_is_registered(payee, propagandist, clerk):
    make_meeting(propagandist, payee, is_alive=False, delivered="")
    payee.death_date = TODAY
    payee.save()
    assert [one.count for one in my_meetings.items(clerk, TODAY)] == [0, 0, 0]
