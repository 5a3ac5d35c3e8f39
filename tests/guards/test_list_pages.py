"""Every list page has a test that its number of queries doesn't grow with its rows."""

import ast

from django.urls import NoReverseMatch, reverse

from tests.guards.routes import routes
from tests.guards.source import python_files, unexplained

FIXTURE = "assert_query_count_does_not_grow"
EXEMPT: dict[str, str] = {}


def strings_of_growth_tests(text: str) -> set[str]:
    """Strings in tests that take the query-growth fixture, and in the constants these name."""
    tree = ast.parse(text)
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and FIXTURE in {a.arg for a in node.args.args}:
            named = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            for part in [node, *(constants[name] for name in named & constants.keys())]:
                found |= {
                    n.value
                    for n in ast.walk(part)
                    if isinstance(n, ast.Constant) and isinstance(n.value, str)
                }
    return found


def untested(lists: list[str], tested: set[str]) -> list[str]:
    return [name for name in lists if not {name, _address(name)} & tested]


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return name


def test_every_list_page_has_a_query_growth_test():
    tested = set()
    for path in python_files("tests"):
        tested |= strings_of_growth_tests(path.read_text(encoding="utf-8"))
    lists = [route.name for route in routes() if route.name.endswith("-list")]
    assert unexplained(untested(lists, tested), EXEMPT) == []


def test_guard_finds_a_list_without_a_test():
    text = f"""
PAGE = "a:cat-list"
def test_cats({FIXTURE}): {FIXTURE}(lambda: get(PAGE), grow)
def test_dogs(client): client.get("a:dog-list")
"""
    tested = strings_of_growth_tests(text)
    assert untested(["a:cat-list", "a:dog-list"], tested) == ["a:dog-list"]
