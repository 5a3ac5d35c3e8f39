"""Ticks over several pages, the file of them, and the same list on a phone and without scripts."""

import io

import openpyxl
import pytest
import pyzipper
from django.urls import reverse
from playwright.sync_api import Page, expect

from households.models import Household
from tests.e2e.looking import faults_of
from tests.factories.accounts import make_region
from tests.factories.households import make_household, make_resident

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
RESIDENTS, HOUSEHOLDS = "households:resident-list", "households:household-list"


@pytest.fixture
def people(village):
    """Fifty residents of ten households: three pages."""
    return [
        make_resident(household, f"成员{n:02}{m}", relation="其他" if m else "户主")
        for n in range(10)
        for household in [make_household(village, f"{n + 1:05}")]
        for m in range(5)
    ]


def tick(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("checkbox", name=f"选中{name}").check()


def bar(page: Page):
    return page.get_by_role("form", name="批量操作")


def test_ticks_survive_paging_and_sorting_and_end_in_a_file(background, sign_in_as, clerk, people):
    page = sign_in_as(clerk)
    page.goto(reverse(RESIDENTS))
    expect(bar(page)).to_be_hidden()
    tick(page, "成员000", "成员001")
    page.get_by_role("link", name="下一页").click()
    expect(bar(page)).to_contain_text("已选2人")
    tick(page, "成员040")
    page.get_by_role("link", name="下一页").click()
    tick(page, "成员094")
    page.get_by_role("link", name="姓名").click()
    expect(bar(page)).to_contain_text("已选4人")
    expect(page.get_by_role("checkbox", name="选中成员000")).to_be_checked()
    assert faults_of(page) == []

    page.get_by_role("button", name="导出所选").click()
    expect(page.get_by_label("勾选的4人")).to_be_checked()
    page.get_by_label("用途").select_option("核对信息")
    page.get_by_role("button", name="导出", exact=True).click()
    page.get_by_role("button", name="显示密码").click()
    password = page.locator(".fp-password").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="下载").click()
    assert download.value.suggested_filename.startswith("禄脿街道_居民_2018-10-09_")
    with pyzipper.AESZipFile(download.value.path()) as archive:
        archive.setpassword(password.encode())
        content = archive.read(archive.namelist()[0])
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    names = [sheet.cell(row, 1).value for row in range(6, sheet.max_row + 1)]
    assert names == ["成员000", "成员001", "成员040", "成员094"]


def test_other_conditions_begin_without_ticks_and_back_keeps_the_state(sign_in_as, clerk, people):
    page = sign_in_as(clerk)
    page.goto(f"{reverse(RESIDENTS)}?sort=-name&per_page=20")
    tick(page, "成员094")
    page.get_by_role("link", name="下一页").click()
    page.get_by_role("link", name="成员050").click()
    page.go_back()
    expect(bar(page)).to_contain_text("已选1人")
    assert "sort=-name" in page.url
    page.goto(f"{reverse(RESIDENTS)}?sex=男")
    expect(bar(page)).to_be_hidden()
    page.get_by_role("checkbox", name="选中本页全部").check()
    expect(bar(page)).to_contain_text("已选20人")
    page.get_by_label("选中全部50人").check()
    expect(bar(page)).to_contain_text("已选全部人")
    page.get_by_role("button", name="清除").click()
    expect(bar(page)).to_be_hidden()


def test_all_results_are_regrouped_and_the_ticks_forgotten(sign_in_as, clerk, village, people):
    make_region(f"{village.code}01", "一组")
    page = sign_in_as(clerk)
    page.goto(f"{reverse(HOUSEHOLDS)}?village={village.pk}")
    tick(page, "00001户")
    page.get_by_label("选中全部10户").check()
    page.get_by_role("button", name="批量改小组").click()
    assert faults_of(page) == []
    page.get_by_label("改到小组").select_option("庄科村　一组")
    page.get_by_role("button", name="下一步：核对").click()
    expect(page.get_by_role("heading", name="将改动10户")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("button", name="确认批量改小组").click()
    expect(page.get_by_text("已办理10户。")).to_be_visible()
    assert faults_of(page) == []
    page.goto(f"{reverse(HOUSEHOLDS)}?village={village.pk}")  # as by the menu: no way back is taken
    expect(bar(page)).to_be_hidden()
    assert Household.objects.filter(group__name="一组").count() == 10


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_pages_of_lists_have_no_fault(size, sign_in_as, clerk, people):
    page = sign_in_as(clerk, size)
    for address in (
        reverse(RESIDENTS),
        reverse("lists:column-choice", args=["residents"]),
        reverse("exports:export-create", args=["residents"]),
        reverse("exports:export-list"),
        reverse("households:resident-print"),
        reverse("households:household-print"),
    ):
        page.goto(address)
        assert faults_of(page) == [], address


def test_ticks_of_a_page_are_sent_without_scripts(sign_in_as, clerk, people):
    page = sign_in_as(clerk, java_script_enabled=False)
    page.goto(reverse(RESIDENTS))
    tick(page, "成员000", "成员011")
    page.get_by_role("button", name="打印名册").click()
    expect(page.get_by_role("row", name="成员000")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(3)
    page.goto(f"{reverse('lists:column-choice', args=['residents'])}?sex=男")
    page.get_by_label("手机").check()
    page.get_by_label("标记").uncheck()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("columnheader", name="手机")).to_be_visible()
    assert "sex=" in page.url
