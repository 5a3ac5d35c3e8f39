"""The jobs in the menu."""

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.menu import MenuEntry, register_entry


def load() -> None:
    """Register the menu entry. Called once, by ready()."""
    register_entry(
        MenuEntry(
            key="jobs",
            label="任务",
            url_name="jobs:job-list",
            permission=Permission.JOBS_VIEW,
            icon="hourglass-split",
            order=80,
            active=("jobs:",),
        )
    )
