"""A clerk records what happened in a village, and takes one of it back."""

from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from households.models import LifeEvent, Resident
from tests.e2e.looking import faults_of
from tests.factories.households import make_household, make_resident

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def family(village):
    household = make_household(village, "00016")
    head = make_resident(household, "段光超", marital="初婚", birth_date=date(1970, 1, 1))
    wife = make_resident(
        household, "李芳", sex="女", relation="配偶", marital="初婚", birth_date=date(1972, 2, 2)
    )
    for one, other in ((head, wife), (wife, head)):
        one.spouse, one.spouse_id_number = other, other.id_number
        one.spouse_id_number_digest = other.id_number_digest
        one.save()
    son = make_resident(
        household, "段小强", relation="子", birth_date=date(1995, 3, 3), father=head, mother=wife
    )
    other = make_household(village, "00020")
    make_resident(other, "王桂英", sex="女", marital="丧偶", birth_date=date(1968, 1, 1))
    bride = make_resident(other, "王小燕", sex="女", relation="女", birth_date=date(1996, 5, 5))
    return head, wife, son, bride


def open_menu(page: Page, resident, word: str) -> None:
    """From a person's page, the form of one kind of event."""
    page.goto(reverse("households:resident-detail", args=[resident.pk]))
    page.locator(".fp-menu > summary").click()
    page.locator(".fp-menu-box").get_by_role("link", name=word, exact=True).click()


def to_check(page: Page) -> None:
    page.get_by_role("button", name="下一步：核对").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("核对")


def save(page: Page, said: str) -> None:
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator("main")).to_contain_text(said)


def look(page: Page, name: str) -> None:
    """The page has no fault on any screen; without scripts there is nothing to measure with."""
    if page.evaluate("() => 'htmx' in window"):
        assert faults_of(page) == [], name


def marry(page: Page, groom, bride, *, scripts: bool) -> None:
    open_menu(page, groom, "结婚")
    look(page, "marriage form")
    page.get_by_label("结婚日期").fill("2018年5月20日")
    page.get_by_label("配偶公民身份号码").fill(bride.id_number)
    page.get_by_label("说明").click()
    if scripts:
        expect(page.locator("#spouse_id_number-found")).to_contain_text("王小燕")
    page.get_by_label("配偶搬到段小强的户").check()
    to_check(page)
    expect(page.locator("main")).to_contain_text("儿媳")
    look(page, "marriage check")
    save(page, "已登记：段小强结婚")
    look(page, "event")


def bear(page: Page, mother) -> None:
    open_menu(page, mother, "出生")
    look(page, "birth form")
    page.get_by_label("出生日期").fill("20180903")
    page.get_by_label("孩子姓名").fill("段小宝")
    page.get_by_label("男", exact=True).check()
    page.get_by_role("group", name="符合政策").get_by_label("是", exact=True).check()
    to_check(page)
    look(page, "birth check")
    save(page, "已登记：段小宝出生")


def move_out(page: Page, resident) -> None:
    open_menu(page, resident, "迁出")
    page.get_by_label("发生日期").fill("2018-9-20")
    page.get_by_label("去向").fill("昆明市五华区")
    look(page, "move form")
    to_check(page)
    save(page, "迁出")


def die(page: Page, resident, successor: str, *, scripts: bool) -> None:
    open_menu(page, resident, "死亡")
    page.get_by_label("死亡日期").fill("2018-10-01")
    page.get_by_role("button", name="下一步：核对").click()
    expect(page.get_by_role("alert")).to_contain_text("请选择新户主")
    if scripts:
        expect(page.get_by_role("alert")).to_be_focused()
    look(page, "death form with its error")
    page.get_by_label("新户主").select_option(label=successor)
    to_check(page)
    expect(page.locator("main")).to_contain_text("户主：段光超 → 段小强")
    look(page, "death check")
    save(page, "已登记：段光超死亡")


def take_back(page: Page) -> None:
    page.get_by_role("link", name="撤销这次变动").click()
    expect(page.locator("main")).to_contain_text("恢复为")
    look(page, "undo")
    page.get_by_label("撤销原因").fill("登记到别人名下")
    page.get_by_role("button", name="撤销这次变动").click()
    expect(page.locator("main")).to_contain_text("已撤销")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_clerk_records_a_marriage_a_birth_a_move_and_a_death_and_undoes_one(
    sign_in_as, clerk, family, scripts
):
    head, wife, son, bride = family
    page = sign_in_as(clerk, java_script_enabled=scripts)

    marry(page, son, bride, scripts=scripts)
    bear(page, bride)
    move_out(page, wife)
    die(page, head, "段小强（子，1995年生）", scripts=scripts)
    take_back(page)

    people = {p.name: p for p in Resident.objects.all()}
    assert (people["段光超"].death_date, people["段光超"].relation) == (None, "户主")
    assert people["李芳"].departed_on == date(2018, 9, 20)
    assert (people["王小燕"].relation, people["王小燕"].household_id) == ("儿媳", head.household_id)
    baby = people["段小宝"]
    assert (baby.relation, baby.mother_id, baby.father_id) == ("孙子女", bride.pk, son.pk)
    assert LifeEvent.objects.count() == 5
    page.goto(reverse("households:household-detail", args=[head.household_id]))
    expect(page.locator(".fp-time")).to_contain_text("登记到别人名下")
    look(page, "household")
    page.goto(reverse("households:event-list"))
    look(page, "ledger")


def test_forms_of_every_kind_stand_on_every_screen(sign_in_as, clerk, family):
    head, wife, son, bride = family
    page = sign_in_as(clerk)
    page.goto(reverse("households:resident-detail", args=[head.pk]))
    page.locator(".fp-menu > summary").click()
    look(page, "menu of a person")
    for kind in ("divorce", "correction"):
        page.goto(reverse("households:resident-event", args=[head.pk, kind]))
        look(page, kind)
    for kind in (
        "death", "move_in", "inflow", "outflow", "return", "split", "merge", "head_change",
        "household_move", "hukou_change",
    ):  # fmt: skip
        page.goto(reverse("households:household-event", args=[head.household_id, kind]))
        look(page, kind)
    page.goto(reverse("households:arrival-event", args=["move_in"]))
    page.get_by_role("button", name="下一步：核对").click()
    look(page, "arrival with its errors")
    Resident.objects.filter(pk=son.pk).update(departed_on=date(2018, 9, 1))
    page.goto(reverse("households:resident-detail", args=[son.pk]))
    look(page, "somebody who left")
