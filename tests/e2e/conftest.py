"""Real browsers on a live server; real workers where a story asks for them.

Every browser is watched: what its console complains about, a request that leaves this server and
an answer of 500 make the test fail, whatever it was about.
"""

import os
import shutil
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from kombu.exceptions import OperationalError
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from redis.exceptions import RedisError

from fpadmin.celery import app
from fpadmin.jobs import processes
from tests.conftest import TODAY
from tests.database import database_url
from tests.factories.accounts import PASSWORD

SIZES = {"desktop": (1366, 768), "phone": (360, 740)}
PATIENCE = 30_000  # milliseconds: the machine may be busy with the rest of the suite
# Chrome tells of every page that isn't found; the tests look at the status themselves.
STATUS_OF_PAGE = "Failed to load resource: the server responded with a status of 4"


def watch(context: BrowserContext, origin: str) -> list[str]:
    """A list that fills with everything a page of ours must never do."""
    seen: list[str] = []

    def console(message):
        if message.type in ("error", "warning") and not message.text.startswith(STATUS_OF_PAGE):
            seen.append(f"console: {message.text}")

    def request(request):
        if not request.url.startswith((f"{origin}/", "data:", "blob:")):
            seen.append(f"leaves the server: {request.url}")

    def response(response):
        part_of_page = not response.request.is_navigation_request()
        if response.status >= 500 or (response.status >= 400 and part_of_page):
            seen.append(f"{response.status}: {response.url}")

    context.on("console", console)
    context.on("request", request)
    context.on("response", response)
    context.on("weberror", lambda error: seen.append(f"script: {error.error}"))
    return seen


@pytest.fixture(scope="package")
def chromium():
    """The system's own Chromium; tests reset nothing in it but open contexts of their own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)))
    # Playwright's event loop runs in this thread; Django would refuse the database beside it.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_browser(chromium: Browser, live_server):
    """open_browser(size) → the page of a browser of its own: own cookies, watched to the end."""
    opened: list[tuple[BrowserContext, list[str]]] = []

    def new(size: str = "desktop", **options) -> Page:
        width, height = SIZES[size]
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            locale="zh-CN",
            **options,
        )
        context.set_default_timeout(PATIENCE)
        opened.append((context, watch(context, live_server.url)))
        return context.new_page()

    yield new
    for context, _ in opened:
        context.close()
    assert [fault for _, seen in opened for fault in seen] == []


@pytest.fixture
def sign_in_as(open_browser, sign_in, live_server):
    """sign_in_as(user, size) → a page of a browser that carries the user's session."""

    def signed_in(user, size: str = "desktop", **options) -> Page:
        page = open_browser(size, **options)
        page.context.add_cookies(
            [
                {"name": cookie.key, "value": cookie.value, "url": live_server.url}
                for cookie in sign_in(user).cookies.values()
            ]
        )
        return page

    return signed_in


@pytest.fixture(scope="module")
def background(django_db_setup, tmp_path_factory):
    """A real broker and a real Celery worker on the test database, as in production."""
    folder: Path = tmp_path_factory.mktemp("background")
    environment = {
        "DATABASE_URL": database_url(),
        "FPADMIN_TODAY": TODAY.isoformat(),
        "PYTHONPATH": os.getcwd(),
    }
    socket = Path(settings.CELERY_BROKER_URL.removeprefix("redis+socket://"))
    children = []
    for name, command in (
        ("broker", processes.broker_command(socket)),
        ("default", processes.worker_command("default", 1)),
        ("imports", processes.worker_command("imports", 1)),
    ):
        children.append(
            processes.start(command, environment=environment, log=folder / f"{name}.log")
        )
    _wait_for_broker()
    yield folder
    processes.stop(children[1:], patience=5)
    processes.stop(children, patience=3)


def _wait_for_broker() -> None:
    """Until this process can send: what it sends before that, only the sweeper would send again."""
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            with app.pool.acquire(block=True) as connection:
                connection.default_channel.client.ping()
                return
        except (OperationalError, RedisError, OSError):
            assert time.monotonic() < deadline, "the broker does not answer"
            time.sleep(0.05)


def sign_in_by_form(page: Page, username: str, password: str = PASSWORD) -> None:
    """As a person does it; leaves the page that comes after."""
    page.goto(reverse("accounts:sign-in"))
    page.get_by_label("登录名").fill(username)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录").click()
