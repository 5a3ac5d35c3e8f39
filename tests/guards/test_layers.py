"""Imports point downwards, and nobody imports the settings module."""

import subprocess
import sys
from pathlib import Path

from tests.guards.source import PACKAGES, ROOT

BIN = Path(sys.executable).parent


def lint_imports(directory: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BIN / "lint-imports", "--no-cache"], cwd=directory, capture_output=True, text=True
    )


def ruff_settings(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BIN / "ruff", "check", "--no-cache", "--select", "TID251", *arguments],
        cwd=ROOT, input=text, capture_output=True, text=True,
    )  # fmt: skip


def write_packages(directory: Path, **files: str) -> None:
    """The product's packages, empty but for `files`, under the product's own contract."""
    (directory / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for package in PACKAGES:
        (directory / package).mkdir()
        (directory / package / "__init__.py").write_text("")
    for package, text in files.items():
        (directory / package / "sample.py").write_text(text)


def test_arrows_point_down():
    outcome = lint_imports(ROOT)
    assert outcome.returncode == 0, outcome.stdout


def test_guard_passes_arrows_that_point_down(tmp_path):
    write_packages(tmp_path, subsidies="import households\n", households="import fpadmin\n")
    outcome = lint_imports(tmp_path)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_guard_finds_the_platform_importing_an_app(tmp_path):
    write_packages(tmp_path, fpadmin="import households\n")
    outcome = lint_imports(tmp_path)
    assert outcome.returncode != 0
    assert "fpadmin.sample -> households" in outcome.stdout


def test_guard_finds_siblings_importing_each_other(tmp_path):
    write_packages(tmp_path, mobility="import subsidies\n")
    outcome = lint_imports(tmp_path)
    assert outcome.returncode != 0
    assert "mobility.sample -> subsidies" in outcome.stdout


def test_nobody_imports_the_settings_module():
    outcome = ruff_settings(*PACKAGES, "tests")
    assert outcome.returncode == 0, outcome.stdout


def test_guard_finds_an_import_of_the_settings_module():
    outcome = ruff_settings(
        "--stdin-filename", "fpadmin/sample.py", "-", text="from fpadmin.settings import DEBUG\n"
    )
    assert "TID251" in outcome.stdout
