"""How clerks work: two at once, with a double click, without a mouse, without scripts."""

from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from households.models import Resident
from tests.e2e.conftest import sign_in_by_form
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.households import make_household, make_id_number, make_resident

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
# Whether the focused element can be seen: it has a ring, stands on the screen, nothing covers it.
FOCUS = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) return {name: "", ring: true, shown: true};
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const x = Math.max(0, box.left) + Math.min(box.width, innerWidth) / 2;
    const y = box.top + Math.min(box.height, innerHeight) / 2;
    const top = document.elementFromPoint(x, y);
    return {
        name: element.name || element.id || element.textContent.trim(),
        ring: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
            || style.boxShadow !== "none",
        shown: Boolean(top) && (element.contains(top) || top.contains(element)),
    };
}"""


@pytest.fixture
def household(village):
    return make_household(village, "00016")


@pytest.fixture
def head(household):
    return make_resident(household, "段光超", birth_date=date(1983, 6, 1), marital="初婚")


def edit(page: Page, resident: Resident, label: str, value: str) -> None:
    """Up to the page that shows what is about to be saved."""
    page.goto(reverse("households:resident-edit", args=[resident.pk]))
    page.get_by_label(label).fill(value)
    page.get_by_role("button", name="下一步：核对").click()


def save(page: Page) -> None:
    page.get_by_role("button", name="保存", exact=True).click()


def test_second_of_two_clerks_sees_both_versions_and_chooses(sign_in_as, clerk, township, head):
    mine, theirs = (
        sign_in_as(clerk),
        sign_in_as(make_user("clerk", township, "other", name="杨建平")),
    )
    edit(mine, head, "文化程度", "初中")
    edit(theirs, head, "文化程度", "高中")
    save(theirs)
    expect(theirs.locator("main")).to_contain_text("已保存")

    save(mine)

    expect(mine.get_by_role("heading", level=1)).to_contain_text("别人已经修改")
    expect(mine.get_by_role("alert")).to_contain_text("杨建平")
    expect(mine.get_by_role("alert")).to_be_focused()
    row = mine.get_by_role("row", name="文化程度")
    expect(row).to_contain_text("初中")
    expect(row).to_contain_text("高中")
    row.get_by_label("高中").check()
    mine.get_by_role("button", name="按选择保存").click()
    expect(mine.locator("main")).to_contain_text("高中")
    assert Resident.objects.get(pk=head.pk).education == "高中"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_double_click_on_save_registers_once(sign_in_as, clerk, head, scripts):
    """A baby without a number: nothing but the product keeps it from being there twice."""
    page = sign_in_as(clerk, java_script_enabled=scripts)
    page.goto(reverse("households:resident-create") + f"?household={head.household_id}")
    fill_newborn(page)
    page.get_by_role("button", name="下一步：核对").click()

    page.get_by_role("button", name="保存", exact=True).dblclick()

    expect(page.get_by_role("heading", level=1)).to_contain_text("段小满")
    assert Resident.objects.filter(name="段小满").count() == 1


def fill_newborn(page: Page) -> None:
    page.get_by_label("姓名", exact=True).fill("段小满")
    page.get_by_label("出生日期").fill("2018年9月3日")
    page.get_by_label("女", exact=True).check()
    page.get_by_label("与户主关系").select_option("女")
    page.get_by_label("户口性质").select_option("农业")
    page.get_by_label("居住状态").select_option("常住")
    page.get_by_label("婚姻状况").select_option("未婚")


def test_number_in_clear_covers_itself_after_a_minute(sign_in_as, clerk, head):
    page = sign_in_as(clerk)
    page.clock.install()
    page.goto(reverse("households:resident-detail", args=[head.pk]))
    page.get_by_label("显示完整公民身份号码").click()
    number = page.locator(f"#masked-{head.pk}-id_number")
    number.get_by_role("button", name="显示").click()
    expect(number).to_contain_text(head.id_number)

    page.clock.run_for(59_000)
    expect(number).to_contain_text(head.id_number)
    page.clock.run_for(2_000)

    expect(number).not_to_contain_text(head.id_number)
    expect(number).to_contain_text(head.id_number[-4:])


# Keyboard ---------------------------------------------------------------------------------------


def tab_to(page: Page, name: str) -> None:
    """Tab on until the element is reached; the focus must be seen at every stop on the way."""
    for _ in range(80):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        assert (at["ring"], at["shown"]) == (True, True), at
        if at["name"] == name:
            return
    raise AssertionError(f"Tab never came to {name}")


def test_everything_can_be_done_from_the_keyboard(open_browser, clerk, head):
    page = open_browser()
    page.goto(reverse("accounts:sign-in"))
    tab_to(page, "username")
    page.keyboard.type(clerk.username)
    tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="今日工作")).to_be_visible()

    tab_to(page, "居民与家庭")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="居民", exact=True)).to_be_visible()
    tab_to(page, "登记居民")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="登记居民")).to_be_visible()
    number = make_id_number(date(1990, 7, 8), "女")
    tab_to(page, "name")
    page.keyboard.insert_text("李文华")
    tab_to(page, "id_number")
    page.keyboard.type(number)
    page.keyboard.press("Tab")  # leaving the number fills birth date and sex
    expect(page.get_by_label("出生日期")).to_have_value("1990-07-08")
    expect(page.get_by_label("女", exact=True)).to_be_checked()
    choose(page, "village", "庄科村")
    tab_to(page, "number")
    page.keyboard.type(head.household.number)
    for name, value in (("relation", "配偶"), ("hukou", "农业"), ("residence", "常住")):
        choose(page, name, value)
    choose(page, "marital", "初婚")
    tab_to(page, "step")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="核对后登记")).to_be_visible()
    tab_to(page, "step")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("李文华")
    assert Resident.objects.get(name="李文华").household == head.household


def choose(page: Page, name: str, label: str) -> None:
    """Go down a drop-down, as a hand on the keyboard does."""
    tab_to(page, name)
    chosen = "() => document.activeElement.selectedOptions[0].textContent.trim()"
    for _ in range(40):
        if page.evaluate(chosen) == label:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{name} does not offer {label}")


# Without scripts --------------------------------------------------------------------------------


def test_core_work_goes_without_scripts(open_browser, clerk, head):
    page = open_browser(java_script_enabled=False)
    sign_in_by_form(page, clerk.username)
    expect(page.get_by_role("heading", name="今日工作")).to_be_visible()

    page.get_by_role("link", name="居民与家庭").first.click()
    page.get_by_role("link", name="登记居民").click()
    page.get_by_label("村（社区）").select_option("庄科村")
    page.get_by_label("户编号").fill(head.household.number)
    fill_newborn(page)
    page.get_by_role("button", name="下一步：核对").click()
    save(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("段小满")

    page.get_by_role("searchbox", name="查找居民或家庭").fill("段光超")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("段光超")
    summary = page.get_by_label("显示完整公民身份号码")
    summary.click()
    page.get_by_role("button", name="显示", exact=True).first.click()
    expect(page.locator("main")).to_contain_text(head.id_number)
    edit(page, head, "文化程度", "高中")
    save(page)
    expect(page.locator("main")).to_contain_text("已保存")
    assert Resident.objects.get(pk=head.pk).education == "高中"
