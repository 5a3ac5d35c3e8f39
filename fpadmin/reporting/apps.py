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
        from fpadmin.reporting import invariants, menu, runs, selectors, services
        from fpadmin.ui import todos

        invariants.load()
        menu.load()
        register_types(services.EVENT_TYPES, services.CHANGE_LABELS)
        kinds.register(kinds.JobKind("make-return", "生成报表", runs.run, Permission.RETURNS_MAKE))
        todos.register(
            todos.TodoSource("returns", Permission.RETURNS_MAKE, selectors.todos, order=30)
        )
