"""App configuration."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "fpadmin.imports"
    label = "imports"
    verbose_name = "数据导入"

    def ready(self):
        from django.urls import reverse

        from fpadmin.accounts import workbooks
        from fpadmin.accounts.permissions import Permission
        from fpadmin.audit import log
        from fpadmin.imports import invariants, runs, selectors
        from fpadmin.jobs.kinds import JobKind
        from fpadmin.jobs.kinds import register as register_job
        from fpadmin.ui import todos
        from fpadmin.ui.menu import MenuEntry, register_entry

        workbooks.load()
        invariants.load()
        log.register_types(
            {
                "import.uploaded": "上传工作簿",
                "import.checked": "检查工作簿",
                "import.check-again": "重新检查工作簿",
                "import.refused": "工作簿不能读取",
                "import.confirmed": "确认导入",
                "import.committed": "导入写入登记资料",
                "import.finished": "导入完成",
                "import.discarded": "放弃导入",
                "import.purged": "清除导入文件",
                "import.file-asked": "要标出错误的工作簿",
                "import.file-opened": "下载导入的工作簿",
            },
            {
                "kind": "类别",
                "rows": "行数",
                "created": "新增",
                "updated": "更新",
                "unchanged": "无变化",
                "refused": "错误行",
                "on": "变动日期",
                "good_rows": "只导入正确的行",
                "only_wrong": "只要错误的行",
                "code": "代码",
            },
        )
        for key, label, run in (
            ("import-check", "检查工作簿", runs.check),
            ("import-commit", "写入登记资料", runs.commit),
            ("import-returned", "标出错误的工作簿", runs.make_returned),
        ):
            register_job(
                JobKind(
                    key, label, run, Permission.IMPORT, queue="imports",
                    page=lambda params: reverse("imports:batch-detail", args=[params["batch"]]),
                )
            )  # fmt: skip
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
        todos.register(todos.TodoSource("imports", Permission.IMPORT, selectors.todos, order=20))
