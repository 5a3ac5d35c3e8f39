"""Shapes that the project's own files don't take: signals, catch-all modules, giant files, bare counts."""

import ast
import re

from tests.guards.source import (
    ROOT,
    dotted,
    enclosing_function,
    python_files,
    relative,
    templates,
    unexplained,
    with_parents,
)

SIGNALS = {
    "receiver", "Signal", "pre_init", "post_init", "pre_save", "post_save", "pre_delete",
    "post_delete", "m2m_changed",
}  # fmt: skip
CATCH_ALL = {"utils", "helpers", "common", "misc", "tools"}
MAX_LINES = 600
LONG_FILES: dict[str, str] = {}
COUNTS = {"assertNumQueries", "django_assert_num_queries", "django_assert_max_num_queries"}


def signals_in(text: str, path: str) -> list[str]:
    return [
        f"{path}:{alias.name}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
        if alias.name in SIGNALS or alias.name.endswith("db.models.signals")
    ] + [
        f"{path}:{dotted(node)}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr in SIGNALS
    ]


def bare_counts_in(text: str, path: str) -> list[str]:
    """Counts that are called outside `with`: they assert nothing."""
    problems = []
    for node in ast.walk(with_parents(ast.parse(text))):
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in COUNTS:
            in_with = isinstance(node.parent, ast.withitem)
            with_callable = len(node.args) > 1  # assertNumQueries(n, function)
            if not in_with and not with_callable:
                problems.append(f"{path}:{enclosing_function(node)}")
    return problems


def test_no_signals_carry_business():
    found = []
    for path in python_files():
        found += signals_in(path.read_text(encoding="utf-8"), relative(path))
    assert found == []


def test_guard_finds_signals():
    assert signals_in("from django.dispatch import receiver", "a.py") == ["a.py:receiver"]
    assert signals_in("from django.db.models.signals import post_save as p", "a.py") == [
        "a.py:post_save"
    ]
    assert signals_in("from django.db.models import signals\nsignals.post_save", "a.py") == [
        "a.py:signals.post_save"
    ]


def test_no_query_count_stands_bare():
    found = []
    for path in python_files("tests"):
        found += bare_counts_in(path.read_text(encoding="utf-8"), relative(path))
    assert found == []


def test_guard_finds_a_bare_query_count():
    assert bare_counts_in("def test_x(self):\n    self.assertNumQueries(3)\n", "t.py") == [
        "t.py:test_x"
    ]
    assert bare_counts_in("with self.assertNumQueries(3):\n    pass\n", "t.py") == []


def test_no_module_is_named_for_nothing():
    paths = [*python_files(), *python_files("tests")]
    assert [relative(p) for p in paths if p.stem in CATCH_ALL or p.parent.name in CATCH_ALL] == []
    assert "utils" in CATCH_ALL


def too_long(path: str, lines: int) -> list[str]:
    return [path] if lines > MAX_LINES else []


def test_no_file_is_longer_than_a_reader_can_hold():
    found = []
    scripts = (ROOT / "fpadmin" / "ui").rglob("*.js")
    for path in [*python_files(), *python_files("tests"), *templates(), *scripts]:
        found += too_long(relative(path), len(path.read_text(encoding="utf-8").splitlines()))
    assert unexplained(found, LONG_FILES) == []


def test_guard_finds_a_long_file():
    assert too_long("a.py", MAX_LINES) == []
    assert too_long("a.py", MAX_LINES + 1) == ["a.py"]


# Migrations -----------------------------------------------------------------------------------

UNNAMED = re.compile(r"_auto_\d|_and_more$|^\d{4}_migration$")


def migration_faults(app: str, names: list[str]) -> list[str]:
    """Migrations without a telling name, and numbers used twice."""
    numbers = [name[:4] for name in names]
    return [
        f"{app}.{name}: name it for what it changes"
        for name in names
        if UNNAMED.search(name) or not re.fullmatch(r"\d{4}_[a-z0-9_]+", name)
    ] + [
        f"{app}.{number}: used twice"
        for number in sorted(set(numbers))
        if numbers.count(number) > 1
    ]


def test_migrations_are_named_and_numbered_once():
    found = []
    for directory in sorted(ROOT.glob("*/migrations")) + sorted(ROOT.glob("*/*/migrations")):
        names = sorted(p.stem for p in directory.glob("[0-9]*.py"))
        assert names, directory
        found += migration_faults(directory.parent.name, names)
    assert found == []


def test_guard_finds_unnamed_and_doubled_migrations():
    assert migration_faults("a", ["0001_initial", "0002_spells_never_overlap"]) == []
    assert len(migration_faults("a", ["0002_auto_20181009_1200"])) == 1
    assert len(migration_faults("a", ["0002_alter_x_and_more"])) == 1
    assert migration_faults("a", ["0002_x", "0002_y"]) == ["a.0002: used twice"]


# Requirements ---------------------------------------------------------------------------------

PIN = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,]+\])?==[A-Za-z0-9.]+(;[^#]+)?\s+# \S.{5,}")


def requirement_faults(text: str) -> list[str]:
    """Lines that are no pin with a reason behind it."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith(("#", "-r ")) and not PIN.fullmatch(line)]


def test_every_requirement_is_pinned_and_says_why():
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert requirement_faults((ROOT / name).read_text(encoding="utf-8")) == []


def test_guard_finds_loose_and_unreasoned_requirements():
    assert requirement_faults("Django==5.2.19   # the framework\n") == []
    assert requirement_faults("Django>=5   # the framework\n") == ["Django>=5   # the framework"]
    assert requirement_faults("Django==5.2.19\n") == ["Django==5.2.19"]
