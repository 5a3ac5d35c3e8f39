"""What is typed into a long form isn't lost: with the tab, with the session, with half a word."""

from datetime import date

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.urls import reverse
from playwright.sync_api import Page, expect

from fpadmin.entry.models import Draft
from households.models import Household, Resident
from tests.e2e.conftest import sign_in_by_form
from tests.e2e.looking import accessibility_faults as faults
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.households import make_household, make_resident

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
CREATE = "/registry/households/new/"


@pytest.fixture
def head(village):
    household = make_household(village, "00016")
    return make_resident(household, "段光超", birth_date=date(1983, 6, 1), marital="初婚")


def half_filled(page: Page, text: str = "庄科二组") -> None:
    page.goto(CREATE)
    page.get_by_label("户编号").fill("00021")
    page.get_by_label("地址").fill(text)


def kept(page: Page) -> None:
    expect(page.locator(".fp-save")).to_contain_text("自动保存")


def bar(page: Page):
    return page.locator("[data-fp-draft-bar]")


def age_session(page: Page, minutes: int) -> None:
    """As if nobody had asked for anything since `minutes`."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    session = SessionStore(cookies[django_settings.SESSION_COOKIE_NAME])
    session["seen_at"] -= minutes * 60
    session.save()


# Drafts -----------------------------------------------------------------------------------------


def test_text_of_a_lost_tab_comes_back_in_another_browser(sign_in_as, clerk, village):
    lost = sign_in_as(clerk)
    half_filled(lost)
    kept(lost)
    lost.context.close()

    page = sign_in_as(clerk)
    page.goto(CREATE)
    expect(bar(page)).to_be_focused()
    assert faults(page) == []
    expect(page.get_by_label("地址")).to_have_value("")
    bar(page).get_by_role("link", name="恢复").click()
    expect(page.get_by_label("地址")).to_have_value("庄科二组")
    expect(page.get_by_label("户编号")).to_have_value("00021")
    expect(page.locator("main")).to_contain_text("还没有保存")
    page.get_by_label("村（社区）").select_option("庄科村")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("main")).to_contain_text("已登记")
    assert Household.objects.get().address == "庄科二组"
    page.goto(CREATE)
    expect(bar(page)).to_have_count(0)
    assert Draft.objects.count() == 0


def test_leaving_keeps_what_was_typed_a_moment_ago_and_asks_first(sign_in_as, clerk, village):
    page = sign_in_as(clerk)
    half_filled(page)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("link", name="取消").click()
    expect(page.get_by_role("heading", name="家庭", exact=True)).to_be_visible()
    assert asked == ["beforeunload"]
    page.goto(CREATE)
    expect(bar(page)).to_be_visible()


def test_new_text_is_neither_kept_over_a_draft_nor_lost_with_it(sign_in_as, clerk, village):
    """Before 恢复 or 丢弃 nothing is kept; after 丢弃 the page goes on with what it holds."""
    first = sign_in_as(clerk)
    half_filled(first, "旧的")
    kept(first)
    first.context.close()
    page = sign_in_as(clerk)
    half_filled(page, "新的")

    bar(page).get_by_role("link", name="丢弃").click()

    expect(bar(page)).to_have_count(0)
    expect(page.get_by_label("地址")).to_have_value("新的")
    kept(page)
    other = sign_in_as(clerk)
    other.goto(CREATE + "?draft=restore")
    expect(other.get_by_label("地址")).to_have_value("新的")


def test_drafts_go_without_scripts(sign_in_as, clerk, village):
    """A refused form is kept by the server; restoring and discarding are links."""
    page = sign_in_as(clerk, java_script_enabled=False)
    half_filled(page)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("heading", name="有1处需要修改")).to_be_visible()
    page.goto(CREATE)
    bar(page).get_by_role("link", name="恢复").click()
    expect(page.get_by_label("地址")).to_have_value("庄科二组")
    page.goto(CREATE)
    bar(page).get_by_role("link", name="丢弃").click()
    page.get_by_role("button", name="丢弃草稿").click()
    expect(bar(page)).to_have_count(0)
    assert Draft.objects.count() == 0


# The end of the session -------------------------------------------------------------------------


def test_form_sent_after_the_session_ended_comes_back_with_its_text(open_browser, clerk, village):
    page = open_browser()
    sign_in_by_form(page, clerk.username)
    expect(page.get_by_role("heading", name="今日工作")).to_be_visible()
    half_filled(page)
    age_session(page, 31)

    page.get_by_role("button", name="保存").click()  # at once: no autosave has run

    sign_in_by_form_here(page, clerk.username)
    expect(bar(page)).to_be_visible()
    bar(page).get_by_role("link", name="恢复").click()
    expect(page.get_by_label("地址")).to_have_value("庄科二组")
    assert Household.objects.count() == 0


def test_page_asks_before_the_session_ends_and_covers_itself_after(open_browser, clerk, village):
    page = open_browser()
    page.clock.install()
    sign_in_by_form(page, clerk.username)
    half_filled(page)
    page.clock.run_for(2_000)
    kept(page)
    question = page.get_by_role("alertdialog")
    page.get_by_label("地址").focus()

    age_session(page, 29)
    page.clock.run_for(27 * 60_000)
    expect(question).to_have_count(0)
    page.clock.run_for(2 * 60_000)
    expect(question).to_be_visible()
    expect(question).to_contain_text("秒后自动退出")
    expect(page.get_by_role("button", name="继续工作")).to_be_focused()
    assert faults(page) == []
    page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    expect(page.get_by_label("地址")).to_be_focused()

    age_session(page, 29)
    page.clock.run_for(29 * 60_000)
    expect(question).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("Escape")  # whoever presses it is there
    expect(question).to_have_count(0)
    expect(page.get_by_label("地址")).to_be_focused()

    age_session(page, 31)
    # By the minute: the page may read the answer to Esc, which puts the end off, only after the
    # first of them.
    for _ in range(32):
        page.clock.run_for(60_000)
        if question.is_visible():
            break
    expect(question).to_contain_text("登录已过期")
    expect(page.get_by_role("link", name="重新登录")).to_be_focused()
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="重新登录")).to_be_focused()
    page.keyboard.press("Enter")
    sign_in_by_form_here(page, clerk.username)
    bar(page).get_by_role("link", name="恢复").click()
    expect(page.get_by_label("地址")).to_have_value("庄科二组")


def test_way_out_of_the_question_signs_out(sign_in_as, clerk):
    page = sign_in_as(clerk)
    page.clock.install()
    page.goto("/")
    age_session(page, 29)
    page.clock.run_for(29 * 60_000)
    page.get_by_role("alertdialog").get_by_role("button", name="退出").click()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()


def sign_in_by_form_here(page: Page, username: str) -> None:
    """On the sign-in page that the visit was led to."""
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    page.get_by_label("登录名").fill(username)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()


# Two clerks -------------------------------------------------------------------------------------


def test_conflict_shows_three_values_and_puts_the_rest_together(sign_in_as, clerk, township, head):
    """Both changed 文化程度; one 就业状况, the other 备注: everything is kept, nothing unseen."""
    Resident.objects.filter(pk=head.pk).update(education="小学")
    other = make_user("clerk", township, "other", name="杨建平")
    mine, theirs = sign_in_as(clerk), sign_in_as(other)
    address = reverse("households:resident-edit", args=[head.pk])
    for page, values in (
        (mine, {"文化程度": "初中", "就业状况": "务农", "银行账号": "6222000011112222"}),
        (theirs, {"文化程度": "高中", "备注": "外出打工", "银行账号": "6222000033334444"}),
    ):
        page.goto(address)
        for label, value in values.items():
            page.get_by_label(label).fill(value)
        page.get_by_role("button", name="下一步：核对").click()
    theirs.get_by_role("button", name="保存", exact=True).click()
    expect(theirs.locator("main")).to_contain_text("已保存")
    mine.get_by_role("button", name="保存", exact=True).click()

    news = mine.get_by_role("alert")
    expect(news).to_contain_text("杨建平（other）在20")
    expect(news).to_be_focused()
    assert faults(mine) == []
    both = mine.get_by_role("row", name="文化程度")
    assert both.get_by_role("cell").all_inner_texts() == ["小学", "初中", "高中"]
    expect(both.get_by_role("radio", name="初中")).to_be_checked()
    note = mine.get_by_role("row", name="备注")
    expect(note.get_by_role("radio", name="外出打工")).to_be_checked()
    expect(mine.get_by_role("row", name="就业状况")).to_have_count(0)
    account = mine.get_by_role("row", name="银行账号")
    assert account.get_by_role("cell").all_inner_texts() == ["—", "尾号2222", "尾号4444"]
    account.get_by_role("radio", name="尾号4444").check()
    mine.get_by_role("alert").focus()
    mine.keyboard.press("Tab")
    expect(both.get_by_role("radio", name="初中")).to_be_focused()
    mine.keyboard.press("ArrowRight")
    expect(both.get_by_role("radio", name="高中")).to_be_checked()
    mine.get_by_role("button", name="按选择保存").click()

    expect(mine.locator("main")).to_contain_text("已保存")
    head.refresh_from_db()
    assert (head.education, head.employment, head.note) == ("高中", "务农", "外出打工")
    assert head.bank_account == "6222000033334444"


# The input method -------------------------------------------------------------------------------


def compose(page: Page, text: str) -> None:
    """The input method is at work: `text` stands underlined in the field, not yet chosen."""
    page.context.new_cdp_session(page).send(
        "Input.imeSetComposition",
        {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
    )


def test_enter_that_picks_a_word_submits_nothing(sign_in_as, clerk, village):
    page = sign_in_as(clerk)
    page.goto(CREATE)
    sent = []
    page.on("request", lambda r: sent.append(r.url) if r.is_navigation_request() else None)
    page.get_by_label("地址").focus()
    compose(page, "zhuang ke")
    page.keyboard.press("Enter")
    expect(page.get_by_label("地址")).to_have_value("zhuang ke")
    page.keyboard.insert_text("庄科")
    expect(page.get_by_label("地址")).to_be_focused()
    assert sent == []

    page.keyboard.press("Enter")  # the word is chosen: now it does

    expect(page.get_by_role("heading", name="有2处需要修改")).to_be_visible()


def test_old_input_methods_are_known_by_their_key_code(sign_in_as, clerk, village):
    """229 without isComposing: the key is held back from the form and from every hot key."""
    page = sign_in_as(clerk)
    page.goto(CREATE)
    held = page.evaluate(
        """() => {
            const seen = [];
            document.addEventListener("keydown", event => seen.push(event.key));
            return ["Enter", "Escape", "x"].map(key => {
                const event = new KeyboardEvent(
                    "keydown", {key, keyCode: 229, bubbles: true, cancelable: true});
                document.querySelector("[name=address]").dispatchEvent(event);
                return [key, event.defaultPrevented, seen.includes(key)];
            });
        }"""
    )
    assert held == [["Enter", True, False], ["Escape", False, False], ["x", False, False]]
