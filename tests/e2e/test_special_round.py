"""A round for a festival: made at the desk, ticked off on a phone, told by paper and log."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from fpadmin.audit.models import AuditEvent
from households.models import CareRound, ContactRecord
from tests.e2e.looking import faults_of
from tests.factories.special import make_archive, make_contact, make_person

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def family(village, propagandist):
    """An archive whose contacts are a leader and the village's own user."""
    family = make_archive(village, number="00011")
    make_contact(family, make_person(village, "史健国", kind="街道领导"))
    make_contact(family, make_person(village, "周美丽", user=propagandist))
    make_archive(village, number="00022", contacts=1)
    return family


def look(page: Page, name: str) -> None:
    """The page has no fault on any screen; without scripts there is nothing to measure with."""
    if page.evaluate("() => 'htmx' in window"):
        assert faults_of(page) == [], name


def make_the_round(page: Page) -> CareRound:
    page.goto(reverse("home"))
    page.get_by_role("link", name="特殊家庭", exact=True).first.click()
    page.get_by_role("link", name="节日慰问", exact=True).first.click()
    page.get_by_role("link", name="制定慰问").click()
    look(page, "form")
    page.get_by_label("节日", exact=True).select_option("中秋节")
    page.get_by_label("开始日期").fill("2018年9月10日")
    page.get_by_label("完成期限").fill("20181012")
    page.get_by_label("慰问品").fill("月饼一盒")
    page.get_by_label("慰问金（元/户）").fill("500")
    page.get_by_role("button", name="保存并列出名单").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2018年中秋节慰问")
    expect(page.locator(".fp-figures")).to_contain_text("1,000.00")
    look(page, "round")
    page.get_by_role("link", name="安排慰问人").click()
    look(page, "visitors")
    page.get_by_label("戴飞飞、董丽怡的慰问人").first.select_option(label="史健国（街道领导）")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("main")).to_contain_text("改动1户的慰问人")
    return CareRound.objects.get()


def tick_on_the_phone(page: Page) -> None:
    page.goto(reverse("home"))
    page.get_by_role("link", name="去登记：2018年中秋节慰问，我联系的家庭").click()
    look(page, "own families")
    expect(page.locator(".fp-job")).to_have_count(1)
    page.locator(".fp-job").click()
    look(page, "tick form")
    expect(page.get_by_label("周美丽（村居干部）")).to_be_checked()
    page.get_by_label("慰问日期").fill("2018-9-9")
    page.get_by_label("戴飞飞", exact=True).check()
    page.get_by_label("情况").fill("身体不错")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("main")).to_contain_text("不在活动期间")
    look(page, "question")
    page.get_by_label("慰问日期").fill("2018-9-20")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("main")).to_contain_text("已登记慰问")
    expect(page.locator("main")).to_contain_text("戴飞飞签收")
    expect(page.locator(".fp-job")).to_have_count(0)
    look(page, "done")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_round_from_the_list_to_the_receipt(family, clerk, propagandist, sign_in_as, scripts):
    desk = sign_in_as(clerk, java_script_enabled=scripts)
    care_round = make_the_round(desk)
    tick_on_the_phone(sign_in_as(propagandist, "phone", java_script_enabled=scripts))

    record = ContactRecord.objects.get()
    assert (record.contact.person.name, record.purpose, record.channel) == (
        "周美丽",
        "节日慰问",
        "入户",
    )
    desk.goto(care_round.get_absolute_url())
    expect(desk.locator(".fp-figures")).to_contain_text("1/2")
    desk.get_by_role("link", name="签收单", exact=True).first.click()
    expect(desk.locator(".fp-sheet")).to_have_count(1)
    slips = desk.locator(".fp-third")
    expect(slips).to_have_count(2)
    expect(slips.first).to_contain_text("2018年9月20日")
    expect(slips.first).not_to_contain_text("00022")  # a slip tells of its own family only
    look(desk, "receipt")
    for slip in slips.all():
        assert slip.evaluate("box => box.scrollHeight <= box.clientHeight + 1"), "cut off"
    desk.goto(care_round.get_absolute_url())
    desk.get_by_role("link", name="登记表").click()
    expect(desk.locator(".fp-sheet")).to_contain_text("庄科村合计　2户")
    expect(desk.locator(".fp-sheet")).to_contain_text("办公室留存")
    look(desk, "office list")
    assert AuditEvent.objects.filter(type="registry.printed").count() == 2
    desk.goto(reverse("households:special-matrix"))
    expect(desk.get_by_role("link", name="9月20日，节日慰问").first).to_be_visible()
    desk.goto(family.get_absolute_url())
    expect(desk.locator("#rounds")).to_contain_text("戴飞飞")
    expect(desk.locator("#log")).to_contain_text("慰问金500.00元。身体不错")
