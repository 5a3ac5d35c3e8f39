"""App configuration."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "fpadmin.jobs"
    label = "jobs"
    verbose_name = "后台任务"

    def ready(self):
        from fpadmin.accounts.permissions import Permission
        from fpadmin.audit.log import register_types
        from fpadmin.jobs import invariants, kinds, presenters, runs
        from fpadmin.ui import todos
        from fpadmin.ui.menu import MenuEntry, register_entry

        invariants.load()
        register_types(
            {
                "job.requested": "提交后台任务",
                "job.cancelled": "取消后台任务",
                "job.retried": "重试后台任务",
                "job.finished": "后台任务结束",
                "job.recovered": "后台任务中断后重新排队",
                "job.result_opened": "下载任务结果",
                "invariants.checked": "核对数据",
            },
            {"broken": "不成立的项目"},
        )
        kinds.register(
            kinds.JobKind("check-invariants", "核对数据", runs.run, Permission.JOBS_MANAGE)
        )
        register_entry(
            MenuEntry(
                key="jobs",
                label="任务",
                url_name="jobs:job-list",
                permission=Permission.JOBS_VIEW,
                icon="hourglass-split",
                order=80,
                active=("jobs:",),
            )
        )
        todos.register(todos.TodoSource("jobs", Permission.JOBS_VIEW, presenters.todos, order=10))
