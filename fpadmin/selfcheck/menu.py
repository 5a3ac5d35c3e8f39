"""The self-check in the menu and among the open work."""

from fpadmin.accounts.permissions import Permission
from fpadmin.selfcheck import presenters
from fpadmin.ui.menu import MenuEntry, register_entry
from fpadmin.ui.todos import TodoSource
from fpadmin.ui.todos import register as register_todos


def load() -> None:
    """Register the entries and the source. Called once, by ready()."""
    register_entry(
        MenuEntry(
            key="findings",
            label="数据自检",
            url_name="selfcheck:finding-list",
            permission=Permission.REGISTRY_EDIT,
            icon="shield-check",
            order=78,
            active=("selfcheck:finding",),
        )
    )
    register_entry(
        MenuEntry(
            key="rules",
            label="数据自检",
            url_name="selfcheck:rule-list",
            permission=Permission.JOBS_MANAGE,
            icon="shield-check",
            order=82,
            active=("selfcheck:rule",),
        )
    )
    register_todos(TodoSource("findings", Permission.REGISTRY_EDIT, presenters.todos, order=45))
