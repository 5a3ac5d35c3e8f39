"""App configuration."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "fpadmin.jobs"
    label = "jobs"
    verbose_name = "后台任务"

    def ready(self):
        from fpadmin.accounts.permissions import Permission
        from fpadmin.audit.log import register_types
        from fpadmin.jobs import invariants, kinds, menu, presenters, runs, services
        from fpadmin.ui import todos

        invariants.load()
        menu.load()
        register_types(services.EVENT_TYPES, services.CHANGE_LABELS)
        kinds.register(kinds.JobKind(runs.KIND, "核对数据", runs.run, Permission.JOBS_MANAGE))
        todos.register(todos.TodoSource("jobs", Permission.JOBS_VIEW, presenters.todos, order=10))
