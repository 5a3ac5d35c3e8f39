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
        from fpadmin.audit.log import register_types
        from fpadmin.imports import invariants, menu, runs, selectors, services
        from fpadmin.jobs.kinds import JobKind
        from fpadmin.jobs.kinds import register as register_job
        from fpadmin.ui import todos

        workbooks.load()
        invariants.load()
        menu.load()
        register_types(services.EVENT_TYPES, services.CHANGE_LABELS)
        for key, label, run in (
            ("import-check", "检查工作簿", runs.check),
            ("import-commit", "写入登记资料", runs.commit),
            ("import-undo", "撤销导入", runs.take_back),
            ("import-returned", "标出错误的工作簿", runs.make_returned),
        ):
            register_job(
                JobKind(
                    key, label, run, Permission.IMPORT, queue="imports",
                    page=lambda params: reverse("imports:batch-detail", args=[params["batch"]]),
                )
            )  # fmt: skip
        todos.register(todos.TodoSource("imports", Permission.IMPORT, selectors.todos, order=20))
