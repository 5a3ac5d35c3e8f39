"""The exports in the menu."""

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.menu import MenuEntry, register_entry


def load() -> None:
    """Register the menu entry, beside the imports. Called once, by ready()."""
    register_entry(
        MenuEntry(
            key="exports",
            label="数据导出",
            url_name="exports:export-list",
            permission=Permission.EXPORT,
            group="imports",
            order=20,
            active=("exports:",),
        )
    )
