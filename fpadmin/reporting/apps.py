"""App configuration."""

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "fpadmin.reporting"
    label = "reporting"
    verbose_name = "报表"

    def ready(self):
        from fpadmin.accounts.permissions import Permission
        from fpadmin.audit.log import register_types
        from fpadmin.jobs import kinds
        from fpadmin.reporting import invariants, runs, selectors
        from fpadmin.ui import todos
        from fpadmin.ui.menu import Card, MenuEntry, register_card, register_entry

        invariants.load()
        register_types(
            {
                "return.made": "生成报表",
                "return.downloaded": "下载报表",
                "figure.exported": "导出数字的名单",
                "figures.computed": "命令计算指标",
                "figure.listed": "命令列出名单",
            },
            {
                "return": "报表",
                "format": "格式",
                "figure": "指标",
                "figures": "指标",
                "span": "期间",
            },
        )
        kinds.register(kinds.JobKind("make-return", "生成报表", runs.run, Permission.RETURNS_MAKE))
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
        todos.register(
            todos.TodoSource("returns", Permission.RETURNS_MAKE, selectors.todos, order=30)
        )
