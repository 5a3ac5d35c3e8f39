"""The special families' places in the menu. The group's own line is 特殊家庭."""

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.menu import MenuEntry, register_entry


def load() -> None:
    """Register menu entries. Called once, by ready()."""
    register_entry(
        MenuEntry(
            key="special",
            label="特殊家庭",
            url_name="households:special-family-list",
            permission=Permission.SPECIAL_VIEW,
            icon="house-heart",
            order=30,
        )
    )
    register_entry(
        MenuEntry(
            key="special-families",
            label="家庭档案",
            url_name="households:special-family-list",
            permission=Permission.SPECIAL_VIEW,
            group="special",
            order=31,
            active=("households:special-family",),
        )
    )
    register_entry(
        MenuEntry(
            key="special-reviews",
            label="档案复核",
            url_name="households:special-review-list",
            permission=Permission.SPECIAL_LIST,
            group="special",
            order=39,
            active=("households:special-review",),
        )
    )
