"""The command that takes the README's pictures."""

import re
import subprocess
import sys

import pytest

from fpadmin.accounts.demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from fpadmin.imports.models import ImportBatch
from fpadmin.ui.management.commands.screenshots import SHOTS
from tests.e2e import office
from tests.factories.accounts import make_region, make_user
from tests.factories.workbooks import run_import
from tests.guards.source import ROOT

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.django_db(transaction=True),
]


def screenshots(*arguments) -> subprocess.CompletedProcess:
    """In a process of its own: Playwright already runs in this one."""
    return subprocess.run(
        [sys.executable, "manage.py", "screenshots", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def demonstration(db):
    """The demo's accounts in a small township."""
    for code, name in office.VILLAGES.items():
        make_region(code, name)
    for account in DEMO_ACCOUNTS:
        user = make_user(account.role, make_region(account.region_code), account.username)
        user.set_password(DEMO_PASSWORD)
        user.save()
    township = make_region(office.TOWNSHIP)
    everybody = office.people()
    run_import("residents", office.residents_workbook(everybody), township, good_rows=True)
    run_import("births", office.births_workbook(everybody), township, good_rows=True)


def test_pictures_are_small_and_the_demonstration_stays_as_it_was(
    background, demonstration, live_server, tmp_path
):
    result = screenshots(live_server.url, "--out", tmp_path)

    assert result.returncode == 0, result.stderr
    pictures = {file.stem: file.stat().st_size for file in tmp_path.glob("*.png")}
    assert pictures.keys() == {shot.name for shot in SHOTS}
    assert max(pictures.values()) < 120_000
    assert [batch.state for batch in ImportBatch.objects.all()] == ["discarded"]


def test_readme_shows_only_pictures_that_the_command_takes():
    names = {f"{shot.name}.png" for shot in SHOTS}
    kept = {file.name for file in (ROOT / "docs/screens").iterdir()}
    shown = set(re.findall(r"docs/screens/([\w-]+\.png)", (ROOT / "README.md").read_text("utf-8")))
    assert kept == names
    assert shown != set()
    assert shown <= kept


def test_address_where_nobody_answers_is_named():
    result = screenshots("http://127.0.0.1:9/")
    assert result.returncode == 1
    assert "http://127.0.0.1:9/" in result.stderr
    assert "Traceback" not in result.stderr
