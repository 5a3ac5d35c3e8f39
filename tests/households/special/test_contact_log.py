"""The contact log: the form and its words, who corrects what, months explained, parts of the archive."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households.models import ContactRecord, FamilyDocument, FollowUp, MissedMonth
from households.services import special_log
from households.special import contact_log
from tests.conftest import TODAY
from tests.factories.special import (
    make_archive,
    make_contact,
    make_need,
    make_person,
    make_record,
    picture,
)

pytestmark = pytest.mark.django_db
CREATE = "households:special-record-create"


@pytest.fixture
def term(village, propagandist):
    return make_contact(
        make_archive(village), make_person(village, user=propagandist, name="林霞丹")
    )


def posted(client, term, **values):
    values = {
        "contact": term.pk, "happened_on": "2018-10-09", "channel": "入户", "purpose": "日常联系",
        "request": "", "outcome": "",
    } | values  # fmt: skip
    return client.post(reverse(CREATE, args=[term.family_id]), values)


def words(response) -> str:
    assert response.status_code == 200
    return str(response.context["form"].errors)


# Recording --------------------------------------------------------------------------------------


def test_form_proposes_own_term_today_and_a_fortnight(sign_in, propagandist, term):
    make_contact(term.family)
    form = sign_in(propagandist).get(reverse(CREATE, args=[term.family_id])).context["form"]
    assert form.only_term == term  # somebody else's term is not offered
    assert form.initial["happened_on"] == TODAY
    assert form.initial["due_on"] == date(2018, 10, 24)


def test_channel_is_chosen_never_proposed(sign_in, propagandist, term):
    client = sign_in(propagandist)
    form = client.get(reverse(CREATE, args=[term.family_id])).context["form"]
    assert form["channel"].value() is None
    assert form["purpose"].value() == "日常联系"
    assert "请选择怎样联系的" in posted(client, term, channel="").content.decode()
    assert not ContactRecord.objects.exists()


def test_clerk_chooses_among_all_contacts(sign_in, clerk, term):
    other = make_contact(term.family)
    form = sign_in(clerk).get(reverse(CREATE, args=[term.family_id])).context["form"]
    assert set(form.terms) == {term, other}


def test_contact_records_a_visit_with_its_needs(sign_in, propagandist, term):
    response = posted(
        sign_in(propagandist), term, needs=["就医", "护理"], request="希望有人陪同复诊",
        outcome="已联系市医院",
    )  # fmt: skip
    assert response.status_code == 302
    record = ContactRecord.objects.get()
    assert (record.contact, record.recorded_by) == (term, propagandist)
    assert (record.happened_on, record.recorded_on) == (TODAY, TODAY)
    assert (record.request, record.outcome) == ("希望有人陪同复诊", "已联系市医院")
    needs = FollowUp.objects.order_by("pk")
    assert [n.kind for n in needs] == ["就医", "护理"]
    assert {(n.owner, n.due_on, n.record) for n in needs} == {
        (term.person, date(2018, 10, 24), record)
    }
    event = AuditEvent.objects.get(type="special.contacted")
    assert "复诊" not in str(event.changes)


def test_owner_and_day_of_a_need_are_chosen(sign_in, propagandist, term):
    other = make_contact(term.family)
    posted(
        sign_in(propagandist), term, needs=["住房"], request="屋顶漏雨", owner=other.pk,
        due_on="2018-10-12",
    )  # fmt: skip
    need = FollowUp.objects.get()
    assert (need.owner, need.due_on) == (other.person, date(2018, 10, 12))


def test_no_need_opens_none(sign_in, propagandist, term):
    posted(sign_in(propagandist), term, needs=["没有"])
    assert ContactRecord.objects.count() == 1
    assert not FollowUp.objects.exists()


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"happened_on": "2018-10-10"}, "happened_on", "不能晚于今天"),
        ({"happened_on": "2018-01-01"}, "happened_on", "不在林霞丹担任这一户联系人的期间"),
        ({"happened_on": "2018-10-08"}, "happened_on", "已有一条联系记录"),
        ({"happened_on": "前天"}, "happened_on", "不是一个日期"),
        ({"needs": ["就医", "没有"]}, "needs", "不能和别的需求一起选"),
        ({"needs": ["就医"]}, "request", "请写明这一户需要什么帮助"),
        ({"needs": ["就医"], "request": "复诊", "due_on": "2018-10-01"}, "due_on", "不能早于"),
        ({"channel": "写信"}, "channel", ""),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_is_kept(
    sign_in, propagandist, term, values, field, message
):
    make_record(term, date(2018, 10, 8))
    response = posted(sign_in(propagandist), term, **values)
    assert message in words(response)
    assert field in response.context["form"].errors
    assert ContactRecord.objects.count() == 1
    assert not FollowUp.objects.exists()


def test_contact_of_another_family_cannot_be_posted(sign_in, propagandist, term, village):
    stranger = make_archive(village, contacts=1).contacts.get()
    response = posted(sign_in(propagandist), term, contact=stranger.pk)
    assert "contact" in response.context["form"].errors
    assert posted(sign_in(propagandist), stranger).status_code == 404


def test_photo_goes_into_the_archive_with_its_record(
    sign_in, propagandist, term, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    photo = SimpleUploadedFile("a.jpg", picture(), "image/jpeg")
    assert posted(sign_in(propagandist), term, photo=photo).status_code == 302
    document = FamilyDocument.objects.get()
    assert (document.kind, document.record) == ("photo", ContactRecord.objects.get())


def test_form_sent_twice_records_once(sign_in, propagandist, term):
    client = sign_in(propagandist)
    token = "a" * 43
    first, second = (posted(client, term, once=token) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert ContactRecord.objects.count() == 1


def test_visit_leaves_nothing_behind_when_a_need_is_refused(propagandist, term):
    values = {"channel": "入户", "purpose": "日常联系", "needs": ["就医"], "today": TODAY}
    with pytest.raises(RuleViolation, match="办结期限"):
        special_log.record_visit(
            by=propagandist, contact=term, happened_on=TODAY, request="复诊",
            due_on=date(2018, 1, 1), **values,
        )  # fmt: skip
    assert not ContactRecord.objects.exists()
    assert not AuditEvent.objects.filter(type="special.contacted").exists()


def test_family_without_contacts_says_what_to_do(sign_in, clerk, village):
    family = make_archive(village)
    text = sign_in(clerk).get(reverse(CREATE, args=[family.pk])).content.decode()
    assert "请先安排联系人" in text


def test_choosing_a_family_leads_to_its_form(sign_in, clerk, village):
    family = make_archive(village)
    start = reverse("households:special-record-start")
    client = sign_in(clerk)
    assert "戴飞飞、董丽怡" in client.get(start).content.decode()
    response = client.get(start, {"family": family.pk})
    assert response["Location"] == reverse(CREATE, args=[family.pk])
    assert "form" in client.get(start, {"family": "0"}).context


# Correcting -------------------------------------------------------------------------------------


def edited(client, record, **values):
    values = {
        "happened_on": f"{record.happened_on}", "channel": "电话", "purpose": "日常联系",
        "request": "补写", "outcome": "", "row_version": record.row_version,
    } | values  # fmt: skip
    return client.post(reverse("households:special-record-edit", args=[record.pk]), values)


def test_who_recorded_and_the_clerk_correct(sign_in, propagandist, clerk, reviewer, term):
    own = make_record(term, date(2018, 10, 8), recorded_by=propagandist)
    assert edited(sign_in(propagandist), own).status_code == 302
    own.refresh_from_db()
    assert (own.channel, own.request) == ("电话", "补写")
    assert edited(sign_in(clerk), own).status_code == 302
    assert edited(sign_in(reviewer), own).status_code == 403
    others = make_record(term, date(2018, 10, 7), recorded_by=clerk)
    assert edited(sign_in(propagandist), others).status_code == 403
    assert edited(sign_in(clerk), make_record(term, date(2018, 10, 6))).status_code == 302


def test_two_corrections_at_once_meet_on_the_conflict_page(sign_in, clerk, term):
    record = make_record(term, date(2018, 10, 8))
    client = sign_in(clerk)
    assert edited(client, record, request="甲").status_code == 302
    response = edited(client, record, request="乙")
    assert response.status_code == 409
    record.refresh_from_db()
    assert record.request == "甲"


def test_correction_outside_the_term_is_refused_with_words(sign_in, clerk, term):
    record = make_record(term, date(2018, 10, 8))
    assert "不能晚于今天" in words(edited(sign_in(clerk), record, happened_on="2018-10-10"))


def test_voided_record_counts_no_more_and_stays_readable(sign_in, clerk, reviewer, term):
    record = make_record(term, date(2018, 10, 8), request="要陪诊")
    make_need(term, record=record)
    address = reverse("households:special-record-void", args=[record.pk])
    assert sign_in(reviewer).post(address, {"reason": "错了"}).status_code == 403
    client = sign_in(clerk)
    assert "1项需求仍在跟办" in client.get(address).content.decode()
    assert "请填写作废原因" in client.post(address, {"reason": ""}).content.decode()
    assert client.post(address, {"reason": "登记错了家庭"}).status_code == 302
    assert not ContactRecord.objects.counted().exists()
    text = client.get(
        reverse("households:special-month-detail", args=[term.family_id, "2018-10"])
    ).content.decode()
    assert "<del>要陪诊</del>" in text
    assert "作废：登记错了家庭" in text
    assert client.get(address).status_code == 404


# Months -----------------------------------------------------------------------------------------


def explained(client, family, month="2018-09", **values):
    values = {"because": "住院或在外地就医", "note": ""} | values
    address = reverse("households:special-month-explain", args=[family.pk, month])
    return client.post(address, values)


def test_missed_month_is_explained_once_and_again(sign_in, propagandist, term):
    client = sign_in(propagandist)
    assert explained(client, term.family, note="昆明").status_code == 302
    assert MissedMonth.objects.get().reason == "住院或在外地就医：昆明"
    explained(client, term.family, because="其他", note="家里办丧事")
    assert MissedMonth.objects.get().reason == "家里办丧事"


@pytest.mark.parametrize(
    ("month", "values", "message"),
    [
        ("2018-10", {}, "不用说明"),
        ("2018-08", {}, "不用说明"),
        ("2017-12", {}, "不用说明"),
        ("2018-09", {"because": "其他"}, "请写明原因"),
        ("2018-09", {"because": "忘了"}, "没有这个选项"),
    ],
    ids=str,
)
def test_month_that_needs_no_words_takes_none(sign_in, propagandist, term, month, values, message):
    make_record(term, date(2018, 8, 3))
    response = explained(sign_in(propagandist), term.family, month, **values)
    assert message in response.content.decode()
    assert not MissedMonth.objects.exists()


@pytest.mark.parametrize("month", ["2018", "2018-13", "2018Q3", "nine", "2018-9"])
def test_month_that_is_none_is_not_found(sign_in, propagandist, term, month):
    address = reverse("households:special-month-detail", args=[term.family_id, month])
    assert sign_in(propagandist).get(address).status_code == 404


def test_month_page_shows_its_records_only_and_is_recorded(sign_in, propagandist, term):
    make_record(term, date(2018, 9, 3), request="九月的事")
    make_record(term, date(2018, 8, 31), request="八月的事")
    response = sign_in(propagandist).get(
        reverse("households:special-month-detail", args=[term.family_id, "2018-09"])
    )
    assert [line.record.request for line in response.context["lines"]] == ["九月的事"]
    assert AuditEvent.objects.filter(type="special.viewed").count() == 1


def test_late_form_asks_for_the_day(sign_in, propagandist, term):
    address = reverse(CREATE, args=[term.family_id])
    response = sign_in(propagandist).get(f"{address}?month=2018-09")
    assert "happened_on" not in response.context["form"].initial
    assert "2018年9月没有联系记录" in response.content.decode()
    assert sign_in(propagandist).get(f"{address}?month=soon").status_code == 404


# The archive's parts ----------------------------------------------------------------------------


def test_archive_shows_log_and_needs_and_prints_them(sign_in, clerk, term):
    make_record(term, date(2018, 9, 3), request="旧的")
    voided = make_record(term, date(2018, 9, 4), request="错的")
    voided.voided_at, voided.voided_by, voided.void_reason = "2018-09-05T08:00Z", clerk, "错了"
    voided.save()
    make_record(term, date(2018, 10, 3), request="新的")
    make_need(term, closed_on=TODAY, outcome="办好了", need="办完的")
    make_need(term, need="在办的")
    family = term.family
    lines = contact_log.log_context(clerk, family, TODAY)["lines"]
    assert [line.record.request for line in lines] == ["新的", "错的", "旧的"]
    assert [line.may_correct for line in lines] == [True, False, True]
    (log,) = contact_log.log_paper(clerk, family, TODAY)
    assert [row[4] for row in log.rows] == ["新的", "旧的"]
    (needs,) = contact_log.needs_paper(clerk, family, TODAY)
    assert [row[2] for row in needs.rows] == ["在办的", "办完的"]
    text = sign_in(clerk).get(family.get_absolute_url()).content.decode()
    for shown in ("新的", "<del>错的</del>", "在办的", "办好了"):
        assert shown in text


def test_archive_shows_the_newest_two_years_of_the_log(clerk, term):
    for day in range(1, 27):
        make_record(term, date(2018, 9, day))
    context = contact_log.log_context(clerk, term.family, TODAY)
    assert (len(context["lines"]), context["has_more"]) == (contact_log.SHOWN, True)
    assert len(contact_log.log_paper(clerk, term.family, TODAY)[0].rows) == 26


# Needs ------------------------------------------------------------------------------------------


def test_need_is_opened_passed_on_and_closed(sign_in, propagandist, term):
    client = sign_in(propagandist)
    other = make_contact(term.family)
    address = reverse("households:special-need-create", args=[term.family_id])
    values = {
        "kind": "住房", "need": "屋顶漏雨", "opened_on": "2018-10-09", "owner": term.pk,
        "due_on": "2018-10-20",
    }  # fmt: skip
    assert client.post(address, values).status_code == 302
    need = FollowUp.objects.get()
    assert (need.kind, need.owner, need.record) == ("住房", term.person, None)
    passing = reverse("households:special-need-pass", args=[need.pk])
    assert client.post(passing, {"owner": other.pk, "due_on": "2018-10-25"}).status_code == 302
    need.refresh_from_db()
    assert (need.owner, need.due_on) == (other.person, date(2018, 10, 25))
    closing = reverse("households:special-need-close", args=[need.pk])
    assert client.post(closing, {"closed_on": "2018-10-09", "outcome": "修好了"}).status_code == 302
    need.refresh_from_db()
    assert (need.closed_on, need.outcome) == (TODAY, "修好了")
    assert "已经办结" in words(client.post(closing, {"closed_on": "2018-10-09", "outcome": "又"}))


@pytest.mark.parametrize(
    ("act", "values", "message"),
    [
        ("close", {"closed_on": "2018-10-10", "outcome": "好"}, "不能晚于今天"),
        ("close", {"closed_on": "2018-10-08", "outcome": "好"}, "不能早于提出日期"),
        ("pass", {"due_on": "2018-10-08"}, "不能早于今天"),
    ],
    ids=str,
)
def test_need_refuses_days_that_cannot_be(sign_in, propagandist, term, act, values, message):
    need = make_need(term)
    address = reverse(f"households:special-need-{act}", args=[need.pk])
    values = values if act == "close" else {"owner": term.pk} | values
    assert message in words(sign_in(propagandist).post(address, values))
    need.refresh_from_db()
    assert need.closed_on is None


def test_need_is_passed_to_contacts_of_the_family_only(sign_in, clerk, term, village):
    need = make_need(term)
    stranger = make_archive(village, contacts=1).contacts.get()
    address = reverse("households:special-need-pass", args=[need.pk])
    response = sign_in(clerk).post(address, {"owner": stranger.pk, "due_on": "2018-10-20"})
    assert "owner" in response.context["form"].errors


NEEDS = "households:special-need-list"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["later", "over", "soon"]),
        ({"state": "soon"}, ["soon"]),
        ({"state": "overdue"}, ["over"]),
        ({"state": "late"}, []),
        ({"state": "closed"}, ["done"]),
        ({"state": "all"}, ["done", "later", "over", "soon"]),
        ({"state": "orphan"}, ["later"]),
        ({"mine": "1"}, ["over", "soon"]),
        ({"kind": "住房"}, ["soon"]),
        ({"state": "nonsense"}, []),
    ],
    ids=str,
)
def test_needs_are_found_by_their_conditions(sign_in, propagandist, term, asked, found):
    early = {"opened_on": date(2018, 9, 1)}
    gone = make_contact(term.family, ended_on=date(2018, 9, 30))
    make_need(term, need="soon", kind="住房", due_on=date(2018, 10, 16))
    make_need(term, need="over", due_on=date(2018, 9, 29), **early)
    make_need(gone, need="later", due_on=date(2018, 10, 17))
    make_need(gone, need="done", due_on=date(2018, 9, 9), closed_on=TODAY, outcome="好", **early)
    context = sign_in(propagandist).get(reverse(NEEDS), asked).context
    assert sorted(row.record.need for row in context["list"].table.rows) == found


def test_needs_of_other_families_stay_unseen(sign_in, other_propagandist, other_clerk, term):
    make_need(term)
    for user in (other_propagandist, other_clerk):
        assert sign_in(user).get(reverse(NEEDS)).context["list"].total == 0


def test_list_of_needs_costs_the_same_for_any_number(
    sign_in, clerk, term, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    make_need(term)
    assert_query_count_does_not_grow(
        lambda: client.get(reverse("households:special-need-list")),
        lambda: [make_need(term) for _ in range(5)],
    )
