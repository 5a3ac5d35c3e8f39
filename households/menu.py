"""The registry's places in the menu and its block on the home page."""

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import todos
from fpadmin.ui.menu import Card, MenuEntry, register_card, register_entry
from fpadmin.ui.todos import TodoSource
from households import selectors, side_by_side


def load() -> None:
    """Register menu entries and the home card. Called once, by ready()."""
    register_entry(
        MenuEntry(
            key="registry",
            label="居民与家庭",
            url_name="households:resident-list",
            permission=Permission.REGISTRY_VIEW,
            icon="people",
            order=20,
            separated=True,
        )
    )
    register_entry(
        MenuEntry(
            key="residents",
            label="居民",
            url_name="households:resident-list",
            permission=Permission.REGISTRY_VIEW,
            group="registry",
            order=21,
            active=("households:resident", "households:birth"),
        )
    )
    register_entry(
        MenuEntry(
            key="households",
            label="家庭",
            url_name="households:household-list",
            permission=Permission.REGISTRY_VIEW,
            group="registry",
            order=22,
            active=("households:household",),
        )
    )
    register_entry(
        MenuEntry(
            key="ledger",
            label="总人口账",
            url_name="households:ledger-detail",
            permission=Permission.RETURNS_VIEW,
            group="registry",
            order=24,
            active=("households:ledger",),
        )
    )
    register_entry(
        MenuEntry(
            key="requests",
            label="村级申请",
            url_name="households:request-list",
            permission=Permission.REGISTRY_VIEW,
            group="registry",
            order=25,
            active=(
                "households:request",
                "households:resident-propose",
                "households:household-propose",
            ),
        )
    )
    register_entry(
        MenuEntry(
            key="village-changes",
            label="区划调整",
            url_name="households:village-change-list",
            permission=Permission.REGIONS_MANAGE,
            icon="diagram-3",
            order=73,
            active=("households:village-change",),
        )
    )
    register_entry(
        MenuEntry(
            key="events",
            label="变动",
            url_name="households:event-list",
            permission=Permission.REGISTRY_VIEW,
            group="registry",
            order=23,
            active=("households:event", "households:arrival"),
        )
    )
    register_entry(
        MenuEntry(
            key="duplicates",
            label="疑似重复",
            url_name="households:duplicate-list",
            permission=Permission.REGISTRY_EDIT,
            group="registry",
            order=26,
            active=("households:duplicate", "households:merge"),
            count=side_by_side.waiting,
        )
    )
    todos.register(TodoSource("duplicates", Permission.REGISTRY_VIEW, side_by_side.todos, order=40))
    register_card(
        Card(
            key="registry",
            label="居民与家庭",
            permission=Permission.REGISTRY_VIEW,
            figures=_figures,
            order=20,
        )
    )


def _figures(user, day) -> list[tuple[str, int, str]]:
    residents = reverse("households:resident-list")
    figures = selectors.registry_figures(user, day)
    return [
        ("在册居民", figures["living"], residents),
        ("流入", figures["inflow"], f"{residents}?residence=流入"),
        ("流出", figures["outflow"], f"{residents}?residence=流出"),
        ("65岁及以上", figures["aged_65"], f"{residents}?aged=65"),
        ("家庭", figures["households"], reverse("households:household-list")),
    ]
