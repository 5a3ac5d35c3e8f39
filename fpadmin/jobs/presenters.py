"""How a job is shown: its state in a word, its progress, and what may be done with it."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils import timezone

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission
from fpadmin.jobs import rules
from fpadmin.jobs.kinds import KINDS
from fpadmin.jobs.models import Job
from fpadmin.ui.todos import Todo

KIND_OF_STATE = {
    Job.State.QUEUED: "wait",
    Job.State.RUNNING: "run",
    Job.State.DONE: "ok",
    Job.State.FAILED: "bad",
    Job.State.CANCELLED: "off",
    Job.State.DEAD: "bad",
}


@dataclass(frozen=True)
class JobView:
    """What a page about one job needs to know. `page_url` leads to what came of it, "" if nowhere."""

    state: tuple[str, str]
    kind: str
    share: int
    seconds: int | None
    is_open: bool
    has_failed: bool
    can_cancel: bool
    can_retry: bool
    can_download: bool
    page_url: str


def job_view(job: Job, user: User) -> JobView:
    """The job as `user` sees it."""
    kind = KINDS.get(job.kind)
    steers = rules.may_steer(user, job)
    mine = job.requested_by_id == user.pk
    ended = job.finished_at and job.started_at
    return JobView(
        state=job_state(job),
        kind=kind.label if kind else job.kind,
        share=share(job),
        seconds=round((job.finished_at - job.started_at).total_seconds()) if ended else None,
        is_open=job.is_open,
        has_failed=job.state in (Job.State.FAILED, Job.State.DEAD),
        can_cancel=steers and job.is_open and not job.cancel_requested,
        can_retry=steers and job.can_be_retried,
        can_download=mine and job.state == Job.State.DONE and bool(job.result_file),
        page_url=kind.page(job.params) if kind and kind.page and mine else "",
    )


def job_state(job: Job) -> tuple[str, str]:
    """Kind and word of the status tag."""
    if job.is_open and job.cancel_requested:
        return "wait", "正在取消"
    return KIND_OF_STATE[job.state], job.get_state_display()


def share(job: Job) -> int:
    """Progress in per cent, 0 to 100."""
    return min(100, job.progress * 100 // job.total) if job.total else 0


def todos(user: User, day: date) -> list[Todo]:
    """One's own runs that failed in the last week; for who manages jobs also the schedule's."""
    whose = [("任务没有成功", "mine", user)]
    if user.may(Permission.JOBS_MANAGE):
        whose.append(("定时任务没有成功", "schedule", None))
    since = timezone.now() - timedelta(days=7)
    recent = Job.objects.visible_to(user).filter(finished_at__gte=since)
    return [
        Todo(
            label=label,
            count=recent.filter(requested_by=person, state=state).count(),
            url=f"{reverse('jobs:job-list')}?state={state}&whose={key}",
            kind="bad",
            word=state.label,
            hint="点开看原因，可以重试",
            act="查看",
        )
        for label, key, person in whose
        for state in (Job.State.FAILED, Job.State.DEAD)
    ]
