"""The auditor reads every key of an event's changes in Chinese."""

import ast

from django.apps import apps

from fpadmin.audit.log import CHANGE_LABELS
from tests.guards.source import python_files, relative, unexplained

EXEMPT: dict[str, str] = {}


def keys_in(text: str) -> set[str]:
    """Literal keys of `changes=` dictionaries and of `changes[...]`."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.keyword) and node.arg == "changes":
            found |= {
                key.value
                for one in ast.walk(node.value)
                if isinstance(one, ast.Dict)
                for key in one.keys
                if isinstance(key, ast.Constant)
            }
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id == "changes"
            and isinstance(node.slice, ast.Constant)
        ):
            found.add(node.slice.value)
    return found


def named() -> set[str]:
    fields = {f.name for model in apps.get_models() for f in model._meta.concrete_fields}
    return fields | set(CHANGE_LABELS)


def test_every_key_of_changes_has_words():
    known = named()
    found = [
        f"{relative(path)}:{key}"
        for path in python_files()
        for key in keys_in(path.read_text(encoding="utf-8")) - known
    ]
    assert unexplained(found, EXEMPT) == []


def test_guard_sees_a_key_without_words():
    sample = """
log.record("x", by=by, changes={"brand_new": 1} if new else {})
changes["newer_still"] = [None, 1]
"""
    assert keys_in(sample) == {"brand_new", "newer_still"}
    assert not keys_in(sample) & named()
