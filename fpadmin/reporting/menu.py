"""The returns in the menu and the block of figures on the home page."""

from fpadmin.accounts.permissions import Permission
from fpadmin.reporting import selectors
from fpadmin.ui.menu import Card, MenuEntry, register_card, register_entry


def load() -> None:
    """Register menu entries and the home card. Called once, by ready()."""
    view = Permission.RETURNS_VIEW
    for entry in (
        MenuEntry(
            "returns", "报表", "reporting:return-list", view, icon="table", order=70,
            separated=True,
        ),
        MenuEntry(
            "returns-all", "报表总览", "reporting:return-list", view, group="returns", order=1,
            active=("reporting:return-detail", "reporting:version", "reporting:figure"),
        ),
        MenuEntry(
            "returns-month", "月报", "reporting:return-monthly", view, group="returns", order=2
        ),
        MenuEntry(
            "returns-year", "年报", "reporting:return-annual", view, group="returns", order=3
        ),
        MenuEntry(
            "returns-indicators", "指标", "reporting:indicator-list", view, group="returns",
            order=4,
        ),
    ):  # fmt: skip
        register_entry(entry)
    register_card(Card("figures", "出生与死亡", view, selectors.card_figures, order=60))
