"""Accounts, roles and regions in the menu."""

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.menu import MenuEntry, register_entry


def load() -> None:
    """Register the menu entries. Called once, by ready()."""
    register_entry(
        MenuEntry(
            key="accounts",
            label="账号",
            url_name="accounts:account-list",
            permission=Permission.ACCOUNTS_MANAGE,
            icon="person-badge",
            order=70,
            active=("accounts:account",),
        )
    )
    register_entry(
        MenuEntry(
            key="roles",
            label="角色与锁定",
            url_name="accounts:role-list",
            permission=Permission.ROLES_MANAGE,
            icon="person-gear",
            order=71,
            active=("accounts:role", "accounts:permission"),
        )
    )
    register_entry(
        MenuEntry(
            key="regions",
            label="行政区划",
            url_name="accounts:region-list",
            permission=Permission.REGIONS_VIEW,
            icon="diagram-3",
            order=72,
            active=("accounts:region",),
        )
    )
