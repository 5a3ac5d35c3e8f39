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
            active=("households:special-family", "households:special-contact"),
        )
    )
    register_entry(
        MenuEntry(
            key="special-candidates",
            label="建档核对",
            url_name="households:special-candidate-list",
            permission=Permission.SPECIAL_LIST,
            group="special",
            order=38,
            active=("households:special-candidate", "households:special-doubt"),
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
    register_entry(
        MenuEntry(
            key="special-care",
            label="就医与照护",
            url_name="households:special-care",
            permission=Permission.SPECIAL_LIST,
            group="special",
            order=36,
        )
    )
    register_entry(
        MenuEntry(
            key="special-rounds",
            label="节日慰问",
            url_name="households:special-round-list",
            permission=Permission.SPECIAL_VIEW,
            group="special",
            order=36,
            active=("households:special-round", "households:special-visit"),
        )
    )
    register_entry(
        MenuEntry(
            key="special-people",
            label="联系人",
            url_name="households:special-person-list",
            permission=Permission.SPECIAL_LIST,
            group="special",
            order=34,
            active=("households:special-person",),
        )
    )
    register_entry(
        MenuEntry(
            key="special-rules",
            label="联系要求",
            url_name="households:special-rule-list",
            permission=Permission.SPECIAL_RULE_VIEW,
            group="special",
            order=39,
            active=("households:special-rule",),
        )
    )
