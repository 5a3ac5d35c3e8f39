"""Pages carry no inline code, no unescaped text and nothing from another server."""

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

FORBIDDEN = {
    "unescaped text": re.compile(r"\|\s*safe\b|\bautoescape\s+off\b|\|\s*safeseq\b"),
    "inline style": re.compile(r"<style\b|\sstyle\s*=", re.I),
    "inline script": re.compile(r"<script\b(?![^>]*\ssrc\s*=)|javascript:", re.I),
    "inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "another server": re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[a-z0-9.-]+\.[a-z]{2,}", re.I),
    "arithmetic": re.compile(r"\|\s*add:|widthratio"),
}
FORBIDDEN_IN_STATIC = {"another server": FORBIDDEN["another server"]}
# path:function → why the string it marks safe cannot carry a user's text
MARKED_SAFE = {"fpadmin/ui/sprite.py:sprite": "files of a pinned package, no input"}
EXEMPT: dict[str, str] = {}


def faults(text: str, path: str, forbidden=FORBIDDEN) -> list[str]:
    text = re.sub(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}", "", text, flags=re.S)
    return [f"{path}: {what}" for what, pattern in forbidden.items() if pattern.search(text)]


def marked_safe_in(text: str, path: str) -> list[str]:
    return [
        f"{path}:{enclosing_function(node)}"
        for node in ast.walk(with_parents(ast.parse(text)))
        if isinstance(node, ast.Call)
        and dotted(node.func).rpartition(".")[2] in {"mark_safe", "SafeString"}
    ]


def test_templates_hold_no_inline_code_and_nothing_foreign():
    found = []
    for path in templates():
        found += faults(path.read_text(encoding="utf-8"), relative(path))
    for path in (ROOT / "fpadmin" / "ui" / "static").rglob("*"):
        if path.suffix in {".css", ".js", ".svg", ".html", ".json", ".webmanifest"}:
            found += faults(path.read_text(encoding="utf-8"), relative(path), FORBIDDEN_IN_STATIC)
    assert unexplained(found, EXEMPT) == []


def test_python_marks_nothing_safe_without_a_reason():
    found = []
    for path in python_files():
        found += marked_safe_in(path.read_text(encoding="utf-8"), relative(path))
    assert unexplained(found, MARKED_SAFE) == []


def test_guard_finds_each_forbidden_form():
    bad = {
        "unescaped text": "{{ name|safe }}",
        "inline style": '<p style="color:red">',
        "inline script": "<script>alert(1)</script>",
        "inline handler": '<a href="#" onclick="x()">',
        "another server": '<script src="https://cdn.example.com/x.js"></script>',
        "arithmetic": "{{ n|add:1 }}",
    }
    for what, text in bad.items():
        assert faults(text, "t.html") == [f"t.html: {what}"], what
    good = '<script src="{% static "x.js" %}" defer></script>{# style="" #}<p class="on">{{ a }}'
    assert faults(good, "t.html") == []


def test_guard_finds_marked_safe():
    assert marked_safe_in("def tag(x):\n    return mark_safe(x)\n", "a.py") == ["a.py:tag"]
