"""The main job in a browser: an office's own Excel files in, one registry, a return out."""

import io
import re
from pathlib import Path

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.e2e import office
from tests.e2e.conftest import sign_in_by_form
from tests.factories.accounts import make_region, make_user

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.django_db(transaction=True),
]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CLOSING = 11  # 期末 among the cells of the monthly return, the place left out
OWN_PASSWORD = "Wo-de.2018mima"


@pytest.fixture
def county(db):
    """安宁市 and nothing below it: the township is the first thing that comes in."""
    make_region("53", "云南省")
    make_region("5399", "昆明市")
    return make_region("539981", "安宁市")


def test_office_files_become_a_registry_and_a_return(
    background, open_browser, sign_in_as, county, administrator, auditor
):
    everybody = office.people()
    admin = sign_in_as(administrator)
    upload(admin, "行政区划", "区划.xlsx", office.regions_workbook())
    confirm(admin)
    expect(admin.locator("main")).to_contain_text("新增3行")
    password = make_clerk(admin)

    page = open_browser()
    sign_in_by_form(page, "luoxm", password)
    set_own_password(page, password)
    wrong = everybody[(office.WRONG_HOUSEHOLD - 1) * 3 + 1]
    upload(page, "居民登记表", "花名册.xlsx", office.residents_workbook(everybody))
    sees_the_wrong_row(page)
    mended = mend(download(page, "下载标出错误的原文件"), wrong.number)
    upload(page, "居民登记表", "花名册（改好）.xlsx", mended)
    expect(figure(page, "新增")).to_contain_text("60")
    confirm(page)
    expect(page.locator("main")).to_contain_text("新增60行，更新0行")

    someone, household = finds(page, wrong)
    reveals(page, wrong)
    edits(page)

    upload(page, "生育登记表", "生育.xlsx", office.births_workbook(everybody))
    confirm(page)
    expect(page.locator("main")).to_contain_text("新增20行")

    upload(page, "居民登记表", "花名册（改好）.xlsx", mended)
    expect(page.locator("main")).to_contain_text("60行都与登记资料一致，没有要写入的内容")
    expect(page.locator("main")).to_contain_text("这个文件已于")
    expect(page.get_by_role("button", name="确认导入")).to_have_count(0)

    every_figure_opens_its_people(page)
    version = makes_a_version(page)
    check_return(download(page, "Excel"))

    stranger = make_user("propagandist", make_region("539981100201", "远处村"))
    sees_nothing(sign_in_as(stranger, "phone"), [someone, household, version])
    audits(sign_in_as(auditor))


# Import -----------------------------------------------------------------------------------------


def upload(page: Page, kind: str, name: str, content: bytes) -> None:
    """Upload a workbook and wait until the check in the background is over."""
    page.goto(reverse("imports:batch-list"))
    page.get_by_role("link", name="上传工作簿").first.click()
    page.get_by_label("类别").select_option(kind)
    page.get_by_label("文件").set_input_files(
        {"name": name, "mimeType": XLSX, "buffer": content},
    )
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_role("heading", name=f"导入预览：{kind}")).to_be_visible()


def confirm(page: Page) -> None:
    """Have it written, and wait until the background has done it."""
    page.get_by_role("button", name="确认导入").click()
    expect(page.get_by_role("heading", name="导入完成")).to_be_visible()


def figure(page: Page, label: str):
    """The box of one of the figures above a preview."""
    return page.get_by_role("group", name="检查结果").locator(":scope > *", has_text=label)


def sees_the_wrong_row(page: Page) -> None:
    """Counts of new and wrong rows; the wrong one at the place that Excel shows."""
    expect(figure(page, "新增")).to_contain_text("59")
    expect(figure(page, "错误")).to_contain_text("1 行")
    row = page.locator("#wrong tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("G24　第24行")
    expect(row).to_contain_text("公民身份号码")


def mend(content: bytes, number: str) -> bytes:
    """The office's own file as it came back, its one marked cell put right."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.active
    headings = [cell.value for cell in sheet[4]]
    assert (headings[:2], headings[-1]) == (["序号", "姓 名"], "错误说明")
    reasons = headings.index("错误说明") + 1
    explained = [
        cell.row for cell in next(sheet.iter_cols(reasons, reasons, 5)) if cell.value is not None
    ]
    marked = [
        cell.coordinate
        for row in sheet.iter_rows(min_row=5, max_col=reasons - 1)
        for cell in row
        if cell.fill.fill_type == "solid"
    ]
    assert (24 in explained, "G24" in marked) == (True, True)
    assert "校验" in sheet.cell(24, reasons).value
    assert sheet["G24"].value != number
    sheet["G24"] = number
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def download(page: Page, button: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_text(button, exact=True).first.click()
    assert waiting.value.suggested_filename.endswith(".xlsx")
    return Path(waiting.value.path()).read_bytes()


# Accounts ---------------------------------------------------------------------------------------


def make_clerk(page: Page) -> str:
    """The administrator makes the clerk's account; its one-time password."""
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="账号").click()
    page.get_by_role("link", name="新建账号").click()
    page.get_by_label("登录名").fill("luoxm")
    page.get_by_label("姓名").fill("罗晓梅")
    page.get_by_label("角色").select_option("经办")
    page.get_by_label("所属区划").fill(office.TOWNSHIP)
    page.get_by_role("button", name="建立账号").click()
    return page.locator("#temporary-password").inner_text()


def set_own_password(page: Page, password: str) -> None:
    expect(page.get_by_role("heading", name="请先设自己的密码")).to_be_visible()
    page.get_by_label("现在的密码").fill(password)
    page.get_by_label("新密码", exact=True).fill(OWN_PASSWORD)
    page.get_by_label("再输一遍新密码").fill(OWN_PASSWORD)
    page.get_by_role("button", name="保存新密码").click()
    expect(page.get_by_role("heading", name="今日工作")).to_be_visible()


# Registry ---------------------------------------------------------------------------------------


def finds(page: Page, person: office.Person) -> tuple[str, str]:
    """By name from the top bar, then the household and back; the two addresses."""
    page.get_by_role("searchbox", name="查找居民或家庭").fill(person.name)
    page.keyboard.press("Enter")
    title = page.get_by_role("heading", level=1)
    expect(title).to_contain_text(person.name)
    someone = page.url
    page.get_by_role("link", name=f"户编号{person.household}").click()
    expect(title).to_contain_text("户")
    household = page.url
    page.get_by_role("table", name="家庭成员").get_by_role("link", name=person.name).first.click()
    expect(title).to_contain_text(person.name)
    assert page.url == someone
    return someone, household


def reveals(page: Page, person: office.Person) -> None:
    """The number in clear with a reason, and covered again."""
    assert person.number not in page.content()
    number = page.locator("[id^=masked-][id$=-id_number]")
    number.get_by_label("显示完整公民身份号码").click()
    number.get_by_label("用途", exact=True).select_option(index=1)
    number.get_by_role("button", name="显示").click()
    expect(number).to_contain_text(person.number)
    number.get_by_role("button", name="遮住").click()
    expect(number).not_to_contain_text(person.number)


def edits(page: Page) -> None:
    page.get_by_role("link", name="修改", exact=True).click()
    page.get_by_label("文化程度").fill("高中")
    page.get_by_role("button", name="下一步：核对").click()
    expect(page.get_by_role("row", name="文化程度").locator("ins")).to_have_text("高中")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("main")).to_contain_text("高中")


# Returns ----------------------------------------------------------------------------------------


def every_figure_opens_its_people(page: Page) -> None:
    """A click on the month's births, then every other figure of the return."""
    page.get_by_role("link", name="报表", exact=True).first.click()
    page.get_by_role("link", name="月报", exact=True).first.click()
    page.get_by_role("link", name="查看人口与出生情况月报2018年9月").click()
    row = page.locator("tr.fp-sum")
    expect(row.get_by_role("cell").nth(CLOSING)).to_have_text("60")
    row.get_by_role("link", name=str(office.BORN_IN_SEPTEMBER), exact=True).first.click()
    expect(page.locator("main tbody tr")).to_have_count(office.BORN_IN_SEPTEMBER)
    page.go_back()

    drills = page.locator("a.fp-drill").evaluate_all("links => links.map(a => [a.href, a.text])")
    figures = page.locator("table.fp-heads tbody td").all_inner_texts()
    assert len(drills) == len([text for text in figures if text != "0"]) > 0
    for address, said in drills:
        page.goto(address)
        assert page.locator(".fp-bar-top strong").inner_text() == said, address
    page.goto(
        reverse("reporting:return-detail", args=["population-monthly", office.TOWNSHIP, "2018-09"])
    )


def makes_a_version(page: Page) -> str:
    page.get_by_role("button", name="生成第1版").click()
    expect(page.locator("main")).to_contain_text("已生成第1版")
    return page.url


def check_return(content: bytes) -> None:
    """Title, place, period and unit above, two lines of heads, numbers as numbers, the foot."""
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    lines = [[cell for cell in row if cell is not None] for row in sheet.values]
    assert lines[0] == ["人口与出生情况月报（2018年9月）"]
    assert lines[1] == ["填报单位：禄脿街道", "期间：2018-09-01至2018-09-30", "单位：人"]
    assert {"期初", "本月出生", "死亡", "期末"} <= set(lines[2])
    assert "一孩" in lines[3]
    figures = {line[0]: line[1:] for line in lines[4:7]}
    assert list(figures) == ["合计", "庄科村", "安丰营村"]
    assert all(type(number) is int for row in figures.values() for number in row)
    assert (figures["合计"][0], figures["合计"][1], figures["合计"][CLOSING]) == (56, 4, 60)
    villages = zip(figures["庄科村"], figures["安丰营村"], strict=True)
    assert figures["合计"] == [one + other for one, other in villages]
    assert lines[8] == ["填报人：罗晓梅", "负责人：", f"日期：{timezone.localdate()}"]


# Others -----------------------------------------------------------------------------------------


def sees_nothing(page: Page, addresses: list[str]) -> None:
    """A village worker of another township: an empty list, and nothing behind a known address."""
    page.goto(reverse("households:resident-list"))
    expect(page.locator("main")).to_contain_text("还没有记录")
    for address in addresses:
        response = page.goto(address)
        assert (response.status, "罗" in page.locator("main").inner_text()) == (404, False)


def audits(page: Page) -> None:
    """What happened is written down, without numbers, and the chain holds."""
    page.goto(reverse("audit:event-list") + "?per_page=100")
    table = page.locator("main tbody").inner_text()
    for words in ("登录", "上传工作簿", "生成报表", "罗晓梅"):
        assert words in table
    assert re.search(r"\d{17}[\dX]", table) is None
    page.goto(reverse("audit:chain-verify"))
    page.get_by_role("button", name="开始核验").click()
    expect(page.locator("main")).to_contain_text("没有发现改动")
