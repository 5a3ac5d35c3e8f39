"""The project's own files, and the comparison that every guard ends in."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("fpadmin", "households", "subsidies", "sexratio", "mobility", "eldercare")


def python_files(*packages: str) -> Iterator[Path]:
    """Python files of the named packages (all of the product by default), migrations left out."""
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def templates() -> Iterator[Path]:
    return iter(sorted((ROOT / "templates").rglob("*.html")))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def unexplained(found: Iterable[str], exempt: Mapping[str, str]) -> list[str]:
    """Faults that no exemption explains, and exemptions that explain nothing any more."""
    found = set(found)
    stale = [f"{key}: exempt for nothing, delete the exemption" for key in exempt.keys() - found]
    unreasoned = [f"{key}: an exemption needs a reason" for key, why in exempt.items() if not why]
    return sorted(found - exempt.keys()) + sorted(stale) + unreasoned


def with_parents(tree: ast.AST) -> ast.AST:
    """The tree, each node knowing its `parent`."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node
    return tree


def enclosing_function(node: ast.AST) -> str:
    """The name of the innermost function or class around `node`, else "module"."""
    while node := getattr(node, "parent", None):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return node.name
    return "module"


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a chain of names and attributes; calls in between are read through."""
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
