"""Views, forms, filters and tables reach rows only through visible_to(user)."""

import ast

from tests.guards.source import (
    dotted,
    enclosing_function,
    python_files,
    relative,
    unexplained,
    with_parents,
)

MANAGERS = {"objects", "_default_manager", "_base_manager"}
SHORTCUTS = {"get_object_or_404", "get_list_or_404", "aget_object_or_404"}
EXEMPT: dict[str, str] = {}


def is_page_code(name: str, parent: str) -> bool:
    stem = name.removesuffix(".py")
    return stem.startswith("views") or parent == "views" or stem in ("filters", "forms", "tables")


def faults(text: str, path: str) -> list[str]:
    """`path:function:Model` of each manager used without visible_to and each bare shortcut."""
    problems = []
    for node in ast.walk(with_parents(ast.parse(text))):
        if isinstance(node, ast.Attribute) and node.attr in MANAGERS:
            top, methods = node, []
            while isinstance(getattr(top, "parent", None), ast.Attribute | ast.Call):
                parent = top.parent
                if isinstance(parent, ast.Attribute):
                    methods.append(parent.attr)
                elif parent.func is not top:
                    break
                top = parent
            if "visible_to" not in methods and methods[:1] != ["none"]:
                problems.append(f"{path}:{enclosing_function(node)}:{dotted(node.value)}")
        elif (
            isinstance(node, ast.Call)
            and dotted(node.func).rpartition(".")[2] in SHORTCUTS
            and node.args
            and isinstance(node.args[0], ast.Name)
            and node.args[0].id[0].isupper()
        ):
            problems.append(f"{path}:{enclosing_function(node)}:{node.args[0].id}")
    return problems


def test_page_code_reads_only_what_the_user_may_see():
    found = []
    for path in python_files():
        if is_page_code(path.name, path.parent.name):
            found += faults(path.read_text(encoding="utf-8"), relative(path))
    assert unexplained(found, EXEMPT) == []


def test_guard_finds_each_way_around_the_scope():
    sample = """
def page(request, pk):
    a = Resident.objects.filter(pk=pk)
    b = Resident.objects.for_list().visible_to(request.user)
    c = get_object_or_404(Household, pk=pk)
    d = get_object_or_404(Household.objects.visible_to(request.user), pk=pk)
    e = models.Resident._default_manager.count()
    f = wrap(Region.objects).visible_to(request.user)
    g = Region.objects.none()
"""
    assert sorted(faults(sample, "x/views.py")) == [
        "x/views.py:page:Household",
        "x/views.py:page:Region",
        "x/views.py:page:Resident",
        "x/views.py:page:models.Resident",
    ]


def test_guard_looks_at_page_code_only():
    assert is_page_code("views_resident.py", "households")
    assert is_page_code("resident.py", "views")
    assert is_page_code("filters.py", "households")
    assert not is_page_code("selectors.py", "households")
