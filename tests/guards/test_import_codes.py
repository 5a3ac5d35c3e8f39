"""docs/import-codes.md lists every code that an import can report, and no other."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    *(ROOT / "fpadmin" / "imports").rglob("*.py"),
    ROOT / "fpadmin" / "accounts" / "workbooks.py",
    ROOT / "fpadmin" / "identity.py",
    *(ROOT / "households").rglob("*_import*/*.py"),
    ROOT / "households" / "birth_import.py",
    ROOT / "households" / "places.py",
    *(ROOT / "subsidies").rglob("*_import/*.py"),
    ROOT / "subsidies" / "bank_returns" / "plan.py",
]
# Which argument of a call is a code.
CALLS = {
    "Unreadable": 0,
    "CellError": 0,
    "InvalidIdNumber": 0,
    "error": 2,
    "warn": 2,
    "hold_back": 2,
    "Issue": 2,
}
# Made from the link's name in the importers.
COMPOSED = {"spouse_not_registered", "father_not_registered", "mother_not_registered"}
# Findings of households/rules.py that the importers pass on.
FROM_RULES = {
    "birth_date_conflict", "birth_before_marriage", "death_before_birth", "father_age",
    "marriage_of_single", "marriage_under_age", "mother_age", "mother_unmarried", "sex_conflict",
}  # fmt: skip
FROM_PLACES = {"outside_office", "unknown_village"}


def codes_in(source: str) -> set[str]:
    """String constants given as codes in calls of CALLS."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        place = CALLS.get(name)
        if place is not None and len(node.args) > place:
            argument = node.args[place]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found.add(argument.value)
    return {code for code in found if re.fullmatch(r"[a-z_]+", code)}


def documented() -> set[str]:
    text = (ROOT / "docs" / "import-codes.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}


def test_every_code_is_documented_and_every_documented_code_exists():
    used = set().union(*(codes_in(path.read_text(encoding="utf-8")) for path in SOURCES))
    assert documented() == used | COMPOSED | FROM_RULES | FROM_PLACES


def test_guard_sees_a_new_code():
    assert codes_in('table.error(1, "name", "brand_new", "…")') == {"brand_new"}
    assert "brand_new" not in documented()
