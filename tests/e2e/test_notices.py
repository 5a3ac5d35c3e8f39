"""A public notice: posted on a phone, photographed, objected to, waited out, handed on from a desk."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from subsidies.models import Application, Notice
from subsidies.notices.paper import PER_SHEET
from tests.e2e.looking import faults_of
from tests.factories.accounts import make_user
from tests.factories.benefits import make_old_couple, switch_on
from tests.factories.notices import make_applicant, make_notice, make_waiting
from tests.factories.special import picture

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
A4 = (595, 842)


@pytest.fixture
def applications(county, village, clerk):
    """Husband and wife, past the village's review."""
    switch_on("CN-RURAL", county)
    return [make_waiting(one, clerk) for one in make_old_couple(village)]


def look(page: Page, name: str) -> None:
    """The page has no fault on any screen; without scripts there is nothing to measure with."""
    if page.evaluate("() => 'htmx' in window"):
        assert faults_of(page) == [], name


def test_full_sheets_fill_a_page_each(county, village, clerk, sign_in_as):
    """With the longest words that a notice holds."""
    switch_on("CN-RURAL", county, document="安政办发〔2018〕108号" * 4)
    people = [make_applicant(village, clerk, f"买买提·艾力{n}") for n in range(2 * PER_SHEET)]
    notice = make_notice(people, clerk)
    desk = sign_in_as(clerk)
    desk.goto(reverse("subsidies:notice-print", args=[notice.pk]))

    assert pages_of(desk.pdf(prefer_css_page_size=True)) == (2, A4)


def pages_of(pdf: bytes) -> tuple[int, tuple[int, int]]:
    """How many pages a PDF has, and the size of the first in points."""
    boxes = re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)", pdf)
    return len(boxes), tuple(round(float(side)) for side in boxes[0])


def post_on_the_phone(page: Page) -> None:
    page.goto(reverse("home"))
    page.get_by_role("link", name="去张贴：申请待张贴公示").click()
    look(page, "choice")
    page.get_by_role("link", name="张贴公示：庄科村农村部分计划生育家庭奖励扶助").click()
    look(page, "form")
    expect(page.get_by_role("checkbox", name="陶有田")).to_be_checked()
    page.get_by_label("异议受理电话").fill("13800001111")
    page.get_by_role("button", name="张贴公示").click()
    expect(page.locator("main")).to_contain_text("请填办公室的固定电话")
    look(page, "refused")
    page.get_by_label("异议受理电话").fill("0871-68690000")
    page.get_by_label("张贴地点").fill("村委会公示栏")
    page.get_by_role("button", name="张贴公示").click()
    expect(page.locator("main")).to_contain_text("还剩7个工作日")
    look(page, "notice")
    page.get_by_role("link", name="上传照片").click()
    look(page, "photo form")
    page.get_by_label("照片", exact=True).set_input_files(
        {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": picture(size=(900, 1200))}
    )
    page.get_by_role("button", name="上传照片").click()
    photo = page.get_by_role("img", name="庄科村公示栏照片")
    expect(photo).to_be_visible()
    assert photo.evaluate("image => image.decode().then(() => image.naturalWidth)") == 900
    look(page, "with photo")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_notice_from_the_board_to_the_township(
    applications, township, clerk, propagandist, sign_in_as, settings, scripts
):
    post_on_the_phone(sign_in_as(propagandist, "phone", java_script_enabled=scripts))
    notice = Notice.objects.get()
    desk = sign_in_as(clerk, java_script_enabled=scripts)
    desk.goto(reverse("home"))
    desk.get_by_role("link", name="利益导向", exact=True).first.click()
    desk.get_by_role("link", name="公示", exact=True).first.click()
    expect(desk.locator("table")).to_contain_text("还剩7个工作日")
    look(desk, "list")
    desk.locator("tbody").get_by_role("link").first.click()
    desk.get_by_role("link", name="打印公示表").click()
    sheet = desk.locator(".fp-sheet")
    expect(sheet).to_contain_text("2018年10月9日至2018年10月18日（7个工作日）")
    expect(sheet).to_contain_text("每年960元")
    look(desk, "sheet")
    assert pages_of(desk.pdf(prefer_css_page_size=True)) == (1, A4)

    desk.goto(notice.get_absolute_url())
    desk.get_by_role("link", name="登记对陶有田的异议").click()
    look(desk, "objection form")
    desk.get_by_label("异议内容").fill("他家还有一个男孩没有登记。")
    desk.get_by_role("button", name="登记异议").click()
    expect(desk.locator("main")).to_contain_text("有异议还没有处理")
    look(desk, "with objection")
    other = sign_in_as(make_user("clerk", township, "other"), java_script_enabled=scripts)
    other.goto(notice.get_absolute_url())
    other.get_by_role("link", name="处理对陶有田的异议").click()
    look(other, "decision form")
    other.get_by_label("处理结果").select_option("upheld")
    other.get_by_label("核实情况").fill("入户核实，另有一子未登记。")
    other.get_by_role("button", name="保存处理结果").click()
    expect(other.locator("main")).to_contain_text("已撤下")

    settings.TODAY = "2018-10-19"
    assert desk.goto(reverse("subsidies:notice-print", args=[notice.pk])).status == 404
    desk.goto(reverse("home"))
    desk.get_by_role("link", name="去处理：公示期满待结束").click()
    desk.locator("tbody").get_by_role("link").first.click()
    look(desk, "over")
    desk.get_by_role("link", name="结束公示").click()
    look(desk, "end")
    desk.get_by_role("button", name="结束公示").click()
    expect(desk.locator("main")).to_contain_text("公示已结束，1份申请转乡镇初审")
    look(desk, "ended")
    states = dict(Application.objects.values_list("resident__name", "state"))
    assert states == {"陶有田": "returned", "宋桂兰": "township"}
