"""The shell in a real browser: no accessibility fault, no policy message, and its few scripts."""

import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SIZES = {"desktop": (1366, 768), "phone": (360, 740), "zoomed": (320, 640)}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def chromium():
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)))
    # Playwright's event loop runs in this thread; Django would refuse the database beside it.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, live_server, sign_in):
    """open_page(path, user, size) → a page that keeps what its console says in `page.said`."""
    contexts = []

    def opened(path, user=None, size="desktop", **options):
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        for cookie in sign_in(user).cookies.values() if user else ():
            context.add_cookies(
                [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
            )
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(live_server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()


def faults(page) -> list[str]:
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [f"{fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["/", "/help/", "/display/", "/components/", "/audit/", "/none/"])
def test_pages_have_no_fault_and_fit_the_screen(open_page, clerk, settings, path, size):
    settings.DEBUG = path == "/components/"
    page = open_page(path, clerk, size)
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert [text for text in page.said if "status of 40" not in text] == []


@pytest.mark.parametrize("path", ["/accounts/sign-in/", "/help/", "/none/"])
def test_pages_before_sign_in_have_no_fault(open_page, db, path):
    page = open_page(path, size="phone")
    assert faults(page) == []
    assert [text for text in page.said if "status of 404" not in text] == []


def test_large_text_and_high_contrast_fit_and_have_no_fault(open_page, clerk):
    clerk.text_size, clerk.high_contrast = "a2", True
    clerk.save()
    page = open_page("/", clerk, "phone")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert faults(page) == []


def test_first_tab_skips_the_menu(open_page, clerk):
    page = open_page("/", clerk)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到主要内容"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_menu_drawer_opens_and_escape_closes_it(open_page, clerk):
    page = open_page("/", clerk, "phone")
    assert not page.is_visible("#menu")
    page.click("button[aria-label=打开菜单]")
    page.wait_for_selector("#menu.show")
    page.keyboard.press("Escape")
    page.wait_for_selector("#menu", state="hidden")
    assert page.said == []


def test_form_is_sent_once_and_says_that_work_is_under_way(open_page, clerk):
    page = open_page("/display/", clerk)
    sent = []
    page.route("**/display/", lambda route: sent.append(route.request.method))  # never answered
    label = page.evaluate(
        """() => new Promise(done => {
            const form = document.querySelector("main form");
            const button = form.querySelector("button[type=submit]");
            form.requestSubmit(button);
            setTimeout(() => form.requestSubmit(button), 300);
            setTimeout(() => done(button.textContent), 600);
        })"""
    )
    assert label == "处理中…"
    assert sent == ["POST"]


def test_enter_while_composing_does_not_submit(open_page, clerk):
    page = open_page("/help/", clerk)
    page.focus("#help-q")
    composing = page.context.new_cdp_session(page)
    composing.send(
        "Input.imeSetComposition", {"text": "密", "selectionStart": 1, "selectionEnd": 1}
    )
    page.evaluate(
        """() => document.querySelector('#help-q').form.addEventListener(
            'submit', () => { window.sent = true; })"""
    )
    prevented = page.evaluate(
        """() => !document.querySelector('#help-q').dispatchEvent(new KeyboardEvent(
            'keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"""
    )
    assert prevented
    composing.send("Input.insertText", {"text": "密码"})
    assert not page.evaluate("Boolean(window.sent)")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "q=" in page.url


def test_errors_take_the_focus_and_lead_to_their_field(open_page, clerk, settings):
    settings.DEBUG = True
    page = open_page("/components/", clerk)
    assert page.evaluate("document.activeElement.hasAttribute('data-fp-focus')")
    assert page.title().startswith("错误：")
    page.click(".fp-errs a >> nth=0")
    assert page.evaluate("document.activeElement.id") == "id_died_on"


def test_password_can_be_shown_and_hidden(open_page, db):
    page = open_page("/accounts/sign-in/")
    page.click("text=显示")
    assert page.get_attribute("input[name=password]", "type") == "text"
    page.click("text=隐藏")
    assert page.get_attribute("input[name=password]", "type") == "password"


def test_settings_can_be_saved_without_scripts(open_page, clerk):
    page = open_page("/display/", clerk, java_script_enabled=False)
    page.check("input[value=a2]")
    page.click("main button[type=submit] >> nth=0")
    clerk.refresh_from_db()
    assert clerk.text_size == "a2"
