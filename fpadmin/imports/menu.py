"""The import's places in the menu."""

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.menu import MenuEntry, register_entry


def load() -> None:
    """Register the menu entries. Called once, by ready()."""
    register_entry(
        MenuEntry(
            key="imports",
            label="导入与导出",
            url_name="imports:batch-list",
            permission=Permission.IMPORT,
            icon="arrow-down-up",
            order=80,
            separated=True,
        )
    )
    for key, label, url_name, active, order in (
        ("imports-batches", "数据导入", "imports:batch-list", ("imports:batch",), 10),
        ("imports-templates", "模板下载", "imports:template-list", ("imports:template",), 30),
    ):
        register_entry(
            MenuEntry(
                key=key, label=label, url_name=url_name, permission=Permission.IMPORT,
                group="imports", order=order, active=active,
            )
        )  # fmt: skip
