"""A contact on a phone records a visit with a need; the office sees both, another village neither."""

import re
from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from households.models import ContactRecord, FollowUp
from tests.e2e.looking import faults_of
from tests.factories.special import make_archive, make_contact, make_person, make_record

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def term(village, propagandist):
    """Contacted every month until September, May left out."""
    person = make_person(village, "林霞丹", user=propagandist)
    term = make_contact(make_archive(village), person)
    for month in (1, 2, 3, 4, 6, 7, 8, 9):
        make_record(term, date(2018, month, 4), channel="电话", request=f"{month}月一切都好")
    return term


def pick(page, words: str) -> None:
    """Tap one of the big choices."""
    page.locator(".fp-pick label", has_text=re.compile(f"^\\s*{words}\\s*$")).click()


def test_visit_on_a_phone_reaches_the_office(
    term, sign_in_as, propagandist, other_propagandist, clerk
):
    phone = sign_in_as(propagandist, "phone")
    phone.goto(reverse("home"))
    phone.get_by_role("link", name="特殊家庭本月联系", exact=True).click()
    expect(phone.get_by_role("heading", name="我的任务")).to_be_visible()
    phone.get_by_role("link", name="戴飞飞、董丽怡").click()
    expect(phone.get_by_text("上次联系")).to_be_visible()
    assert faults_of(phone) == []
    phone.set_viewport_size({"width": 360, "height": 740})
    pick(phone, "入户")
    pick(phone, "生病探望")
    pick(phone, "就医")
    phone.get_by_label("诉求").fill("希望有人陪同到市医院复诊")
    phone.get_by_role("button", name="保存").click()
    expect(phone.get_by_text("1项需求开始跟办")).to_be_visible()
    expect(phone.get_by_role("heading", name="我的任务")).to_be_visible()
    expect(phone.get_by_text("需求跟办　就医")).to_be_visible()
    record = ContactRecord.objects.get(happened_on=date(2018, 10, 9))
    assert (record.purpose, record.recorded_by) == ("生病探望", propagandist)

    desk = sign_in_as(clerk)
    desk.goto(reverse("households:special-matrix"))
    expect(desk.get_by_role("link", name="10月9日，生病探望")).to_be_visible()
    expect(desk.get_by_role("link", name="5月没有联系")).to_be_visible()
    expect(desk.get_by_text("希望有人陪同到市医院复诊")).to_be_visible()
    assert faults_of(desk) == []
    desk.get_by_role("link", name="10月9日，生病探望").click()
    expect(desk.get_by_role("heading", name="2018年10月的联系")).to_be_visible()
    desk.goto(reverse("households:special-need-list"))
    desk.get_by_role("link", name="办结戴飞飞、董丽怡的需求").click()
    desk.get_by_label("办理结果").fill("10月12日已陪同复诊")
    desk.get_by_role("button", name="办结").click()
    expect(desk.get_by_text("需求已办结。")).to_be_visible()
    assert FollowUp.objects.get().outcome == "10月12日已陪同复诊"

    elsewhere = sign_in_as(other_propagandist, "phone")
    for name in ("special-matrix", "special-need-list", "special-my-tasks"):
        elsewhere.goto(reverse(f"households:{name}"))
        assert "戴飞飞" not in elsewhere.content()
    form = reverse("households:special-record-create", args=[term.family_id])
    assert elsewhere.goto(form).status == 404


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2018-10-10", "联系日期不能晚于今天"),
        ("2018-1-1", "不在林霞丹担任这一户联系人的期间"),
        ("2018年9月4日", "已有一条联系记录"),
    ],
)
def test_wrong_day_is_told_at_its_field_and_the_typed_words_stay(
    term, sign_in_as, propagandist, day, words
):
    phone = sign_in_as(propagandist, "phone")
    phone.goto(reverse("households:special-record-create", args=[term.family_id]))
    phone.get_by_label("联系日期").fill(day)
    pick(phone, "电话")
    phone.get_by_label("诉求").fill("都好")
    phone.get_by_role("button", name="保存").click()
    summary = phone.locator("[data-fp-focus]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text(words)
    expect(phone.get_by_label("诉求")).to_have_value("都好")
    assert ContactRecord.objects.count() == 8


def test_month_that_was_missed_is_explained_in_two_taps(term, sign_in_as, clerk):
    desk = sign_in_as(clerk)
    desk.goto(reverse("home"))
    desk.get_by_role("link", name="特殊家庭漏联系，没有补记也没有说明", exact=True).click()
    desk.get_by_role("link", name="5月没有联系").click()
    pick(desk, "全家外出，联系不上")
    desk.get_by_role("button", name="保存").click()
    expect(desk.get_by_role("link", name="5月没有联系，原因：全家外出")).to_be_visible()
    desk.goto(reverse("home"))
    expect(desk.get_by_text("特殊家庭漏联系")).to_have_count(0)
