"""App configuration."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "fpadmin.exports"
    label = "exports"
    verbose_name = "数据导出"

    def ready(self):
        from django.urls import reverse

        from fpadmin.accounts.permissions import Permission
        from fpadmin.audit.log import register_types
        from fpadmin.exports import invariants, menu, runs, selectors, services
        from fpadmin.jobs.kinds import JobKind, register
        from fpadmin.ui import todos

        invariants.load()
        menu.load()
        register_types(services.EVENT_TYPES, services.CHANGE_LABELS)
        register(
            JobKind(
                services.JOB, "导出名单", runs.make, Permission.EXPORT,
                page=lambda params: reverse("exports:export-detail", args=[params["export"]]),
            )
        )  # fmt: skip
        todos.register(
            todos.TodoSource("exports", Permission.EXPORT_APPROVE, selectors.todos, order=15)
        )
