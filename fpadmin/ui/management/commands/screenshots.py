"""The pictures of the README, taken of a running demonstration: see Command."""

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import openpyxl
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from fpadmin.accounts.demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from fpadmin.accounts.permissions import Role
from fpadmin.identity import check_character

DESKTOP, PHONE = (1366, 768), (360, 740)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS = 40


@dataclass(frozen=True)
class Shot:
    """One picture: who looks, where the way begins, and the links that lead on from there (CSS)."""

    name: str
    role: Role
    path: str
    links: tuple[str, ...] = ()
    size: tuple[int, int] = DESKTOP
    before: Callable | None = None  # acts on the page before the picture
    after: Callable | None = None  # puts away what `before` left in the demonstration


class Command(BaseCommand):
    """Signs in with the demonstration's accounts and writes one PNG per page.

    Leaves the demonstration as it was: the workbook that is uploaded for the preview is discarded.
    """

    help = "给正在运行的演示系统截图。"

    def add_arguments(self, parser):
        parser.add_argument("address", help="such as http://127.0.0.1:8000/")
        parser.add_argument("--out", type=Path, default=settings.BASE_DIR / "docs" / "screens")

    def handle(self, address, out, **options):
        try:
            from PIL import Image
            from playwright.sync_api import Error, sync_playwright
        except ImportError as error:
            raise CommandError(f"{error.name} is missing: pip install -r requirements-dev.txt")
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        if program is None:
            raise CommandError(f"No browser: install one of {', '.join(BROWSERS)}.")
        out.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            try:
                sessions = {shot.role: _session(browser, address, shot.role) for shot in SHOTS}
                for shot in SHOTS:
                    picture = Image.open(io.BytesIO(_take(browser, address, shot, sessions)))
                    file = out / f"{shot.name}.png"
                    picture.convert("RGB").quantize(256).save(file, optimize=True)
                    self.stdout.write(f"{file}  {file.stat().st_size // 1024} kB")
            except Error as error:
                raise CommandError(error.message)
            finally:
                browser.close()


def _session(browser, address: str, role: Role):
    """The cookies of the role's demonstration account, signed in once for all its pictures."""
    account = next(a for a in DEMO_ACCOUNTS if a.role == role)
    page = browser.new_page(base_url=address)
    page.goto("/")
    page.fill("input[name=username]", account.username)
    page.fill("input[name=password]", DEMO_PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_selector(".fp-side", state="attached")
    state = page.context.storage_state()
    page.context.close()
    return state


def _take(browser, address: str, shot: Shot, sessions: dict) -> bytes:
    width, height = shot.size
    page = browser.new_page(
        base_url=address,
        viewport={"width": width, "height": height},
        locale="zh-CN",
        storage_state=sessions[shot.role],
    )
    page.goto(shot.path)
    for link in shot.links:
        page.goto(page.locator(link).first.get_attribute("href"))
    if shot.before:
        shot.before(page)
    picture = page.screenshot()
    if shot.after:
        shot.after(page)
    page.context.close()
    return picture


def _upload(page) -> None:
    """An office's register with three wrong rows, up to its preview."""
    page.select_option("select[name=kind]", "residents")
    file = {"name": "庄科村2018年第三季度.xlsx", "mimeType": XLSX, "buffer": register()}
    page.set_input_files("input[name=file]", file)
    page.click("main form button[type=submit]")
    page.wait_for_selector("#wrong")


def _discard(page) -> None:
    page.goto(page.url + "discard/")
    page.click("main button.btn-stop")
    page.wait_for_selector("text=已放弃")


def register() -> bytes:
    """A workbook of people who move in: a title, an office's own headings, three rows wrong."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["庄科村2018年第三季度迁入人口登记"])
    sheet.append(
        ["村代码", "户号", "姓名", "身份证号", "与户主的关系", "户籍性质", "人口状态", "婚姻状况", "出生日期"]
    )  # fmt: skip
    village = next(a.region_code for a in DEMO_ACCOUNTS if a.role == Role.PROPAGANDIST)
    for n in range(ROWS):
        born = date(1962, 3, 5) + timedelta(days=173 * n)
        first = f"{village[:6]}{born:%Y%m%d}{901 + 2 * n:03d}"[:17]
        number = first + check_character(first)
        name = "罗杨李赵陈王张刘"[n % 8] + "建国志强文华光明"[2 * (n % 4) : 2 * (n % 4) + 2]
        row = [
            village,
            f"9{n:04d}",
            name,
            number,
            "户主",
            "农业",
            "常住",
            "未婚",
            f"{born:%Y-%m-%d}",
        ]
        sheet.append(row)
    last = sheet["D9"].value[-1]
    sheet["D9"] = sheet["D9"].value[:-1] + ("0" if last != "0" else "1")
    sheet["I17"] = "1990-2-30"
    sheet["A24"] = village[:9] + "999"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


MONTH = "main a[href*='/population-monthly/'][href$='/2018-09/']"
FAMILY = ("main tbody tr:nth-child(3) a",)
SHOTS = (
    Shot("home", Role.CLERK, "/"),
    Shot("residents", Role.CLERK, "/registry/residents/"),
    Shot("household", Role.CLERK, "/registry/households/", FAMILY),
    Shot("import", Role.CLERK, "/imports/new/", before=_upload, after=_discard),
    Shot("return", Role.CLERK, "/returns/monthly/", (MONTH,)),
    Shot("people-behind-a-figure", Role.CLERK, "/returns/monthly/", (MONTH, "a[href*='/births/']")),
    Shot("audit", Role.AUDITOR, "/audit/"),
    Shot("phone-home", Role.PROPAGANDIST, "/", size=PHONE),
    Shot("phone-residents", Role.PROPAGANDIST, "/registry/residents/", size=PHONE),
    Shot("phone-household", Role.PROPAGANDIST, "/registry/households/", FAMILY, PHONE),
)
