"""Every page of every role: reachable, accessible, in Chinese, as wide as the screen, without a fault."""

import re

import pytest
import yaml
from django.urls import resolve, reverse
from playwright.sync_api import Page, expect

from fpadmin.accounts.permissions import Role
from households.models import Resident
from tests.e2e.conftest import watch
from tests.e2e.looking import faults_of
from tests.e2e.starts import READERS, starts_of
from tests.e2e.township_at_work import STATION, make_township
from tests.factories.accounts import make_region, make_user
from tests.guards.source import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
MATRIX = yaml.safe_load((ROOT / "tests/guards/matrix.yaml").read_text(encoding="utf-8"))["routes"]
# Answers that are no page: files, and a part that htmx puts into one.
NO_PAGE = {
    "imports:template-download", "reporting:figure-export", "reporting:version-download", "healthz",
    "jobs:job-progress", "jobs:job-download", "accounts:session-left",
    "households:special-document-file", "subsidies:notice-photo-file",
    "subsidies:application-paper-file",
}  # fmt: skip
# Widths at which axe looks, the slowest part by far. What readers see is among the clerk's pages.
AXE_AT = {Role.PROPAGANDIST: (360,), Role.REVIEWER: (), Role.COUNTY: (1366,)}


@pytest.fixture
def full(db, settings, tmp_path, run_jobs_now):
    """A township at work: people, births, batches in every state, jobs, returns, events."""
    settings.MEDIA_ROOT = tmp_path
    return make_township(run_jobs_now)


def crawl(page: Page, start: list[str], axe_at: tuple[int, ...]) -> tuple[set[str], list[str]]:
    """Each kind of page once, each of `start` in any case; the names of what was seen, and faults."""
    todo, asked, seen, faults = list(start), set(), set(), []
    while todo:
        address = todo.pop(0)
        name = resolve(address.partition("?")[0]).view_name
        if name in NO_PAGE or address in asked or (name in seen and address not in start):
            continue
        asked.add(address)
        seen.add(name)
        response = page.goto(address)
        if response.status != 200:
            faults.append(f"{address}: {response.status}")
        faults += [f"{address}: {fault}" for fault in faults_of(page, axe_at=axe_at)]
        todo += page.eval_on_selector_all(
            "a[href^='/']", "links => links.map(a => a.getAttribute('href').split('#')[0])"
        )
    return seen, faults


def pages_of(role: Role) -> set[str]:
    """Names of the pages that the access matrix gives this role."""
    # One's own jobs alone can be cancelled, and a reader has none here.
    not_met = NO_PAGE | ({"jobs:job-cancel"} if role in READERS else set())
    return {
        name
        for name, row in MATRIX.items()
        if role in row.get("roles", ())
        and row.get("get", 200) == 200
        and role not in row.get("except", {})
    } - not_met


@pytest.mark.parametrize("role", Role)
def test_every_page_of_a_role_is_sound(full, sign_in_as, role):
    user = full[role]
    page = sign_in_as(user)

    seen, faults = crawl(page, starts_of(role, user), AXE_AT.get(role, (1366, 360)))

    assert faults == []
    assert pages_of(role) - seen == set()


@pytest.mark.parametrize(
    ("role", "name", "arguments"),
    [
        (Role.CLERK, "households:resident-create", ()),
        (Role.CLERK, "households:household-create", ()),
        (Role.CLERK, "households:birth-create", (Resident,)),
        (Role.CLERK, "imports:batch-create", ()),
        (Role.ADMINISTRATOR, "accounts:account-create", ()),
        (Role.ADMINISTRATOR, "accounts:region-create", ()),
        (Role.AUDITOR, "accounts:password-change", ()),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value else "",
)
def test_form_left_empty_says_what_is_missing_and_takes_the_focus(
    full, sign_in_as, role, name, arguments
):
    page = sign_in_as(full[role])
    page.goto(reverse(name, args=[model.objects.first().pk for model in arguments]))

    page.locator("main form:not([role=search]) button[type=submit]").first.click()

    expect(page).to_have_title(re.compile("^错误："))
    summary = page.locator("[data-fp-focus]")
    expect(summary).to_contain_text("处需要修改")
    expect(summary).to_be_focused()
    assert faults_of(page) == []


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUDITOR, Role.ADMINISTRATOR])
def test_lists_of_an_office_that_begins_are_sound(db, sign_in_as, role):
    user = make_user(role, make_region(STATION.get(role, "539981")))
    page = sign_in_as(user)
    lists = [n for n in pages_of(role) if n.endswith("-list") and "args" not in MATRIX[n]]
    faults = []
    for name in sorted(lists):
        page.goto(reverse(name))
        faults += [f"{name}: {fault}" for fault in faults_of(page)]
    assert lists != []
    assert faults == []


def test_look_finds_each_fault(open_browser):
    page = open_browser()
    page.set_content(
        "<html lang=en><title></title><main><p>Please save</p><img src='data:,'>"
        "<p style='color:#aaa;background:#fff'>看不清</p><div style='width:1400px'>宽</div></main>"
    )
    found = " ".join(faults_of(page))
    for words in (
        "Chinese",
        "no title",
        "'Please', 'save'",
        "image-alt",
        "color-contrast",
        "too wide",
    ):
        assert words in found, words


def test_watch_sees_scripts_policies_and_requests_that_go_wrong(chromium, live_server):
    context = chromium.new_context(base_url=live_server.url)
    seen = watch(context, live_server.url)
    page = context.new_page()
    page.goto(reverse("accounts:sign-in"))
    assert seen == []
    page.evaluate("() => { console.error('oops'); }")
    page.evaluate("() => { document.body.setAttribute('style', 'color: red'); }")
    page.goto("about:blank")
    page.evaluate("() => fetch('http://127.0.0.1:1/').catch(() => null)")
    page.wait_for_function("() => true")
    context.close()
    said = " ".join(seen)
    for words in ("oops", "Content Security Policy", "leaves the server"):
        assert words in said, said
