"""Every route names the permission it needs, or says why nobody need sign in."""

import re

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from fpadmin.accounts.permissions import Permission, requires
from tests.guards.routes import routes
from tests.guards.source import unexplained

PUBLIC = {
    "accounts:sign-in": "the way in",
    "help": "who cannot sign in finds the office to call",
    "healthz": "a load balancer has no account",
}


def faults(found) -> list[str]:
    problems = []
    for route in found:
        where = route.name or route.view.__qualname__
        if not re.fullmatch(r"(?:[a-z_]+:)?[a-z0-9]+(?:-[a-z0-9]+)*", route.name):
            problems.append(f"{where}: name the route app:model-action")
        permission = getattr(route.view, "required_permission", None)
        if permission is not None and permission not in set(Permission):
            problems.append(f"{where}: {permission!r} is no permission")
        if permission is None:
            problems.append(where)
        elif getattr(route.view, "login_required", True) is False:
            problems.append(f"{where}: needs no account and a permission at once")
    return problems


def public(found) -> set[str]:
    return {r.name for r in found if getattr(r.view, "login_required", True) is False}


def test_every_route_names_a_permission_or_is_public_for_a_reason():
    assert unexplained(faults(routes()), PUBLIC) == []
    assert public(routes()) == PUBLIC.keys()


def test_guard_finds_a_view_without_permission_and_an_unnamed_route():
    def bare(request):
        return None

    @requires(Permission.AUDIT_VIEW)
    def guarded(request):
        return None

    sample = [
        path("a/", bare, name="thing-list"),
        path("b/", guarded, name="thing-detail"),
        path("c/", guarded),
        path("d/", guarded, name="thing_edit"),
        path("e/", login_not_required(bare), name="open"),
    ]
    found = faults(routes(sample))
    assert [f.partition(":")[0] for f in found if "thing-list" in f] == ["thing-list"]
    assert not any("thing-detail" in f for f in found)
    assert sum("name the route" in f for f in found) == 2
    assert public(routes(sample)) == {"open", "thing-list"}  # one function, one attribute


def test_guard_finds_a_stale_exemption():
    assert unexplained([], {"gone": "a reason"}) == [
        "gone: exempt for nothing, delete the exemption"
    ]
