"""What people and the schedule do with jobs: ask for one, cancel it, try it again, open its result.

Also the nightly check of the invariants, which the ledger shows.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from fpadmin import invariants
from fpadmin.accounts.models import Region, User
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.jobs import results, rules, sending
from fpadmin.jobs.kinds import KINDS
from fpadmin.jobs.models import OPEN_STATES, RETRIED_STATES, Job
from fpadmin.selfcheck import ledger

EVENT_TYPES = {
    "job.requested": "提交后台任务",
    "job.cancelled": "取消后台任务",
    "job.retried": "重试后台任务",
    "job.finished": "后台任务结束",
    "job.recovered": "后台任务中断后重新排队",
    "job.result_opened": "下载任务结果",
    "invariants.checked": "核对数据",
}
CHANGE_LABELS = {"broken": "不成立的项目"}


def enqueue(
    *,
    kind: str,
    params: dict,
    key: str,
    title: str,
    by,
    region: Region | None,
    once: bool = False,
) -> Job:
    """A queued job, or the open one with the same key; with `once` also one that is done.

    `by` is a User or a SystemJob. The message leaves after the commit; where the broker is down
    the job stays queued and the sweeper sends it later. The key should name whatever makes the
    result different, the person too where a file is made: only who asked may open it.
    """
    known = KINDS[kind]
    person = by if isinstance(by, User) else None
    if person and not person.may(known.permission):
        raise RuleViolation(f"您的岗位不能发起“{known.label}”。")
    with transaction.atomic():
        job = _same(key, once)
        if job:
            return job
        try:
            with transaction.atomic():
                job = Job.objects.create(
                    kind=kind,
                    key=key,
                    title=title,
                    params=params,
                    requested_by=person,
                    region_path=region.path if region else "",
                )
        except IntegrityError:  # somebody asked for the same at this very moment
            job = _same(key, once)
            if job is None:
                raise
            return job
        log.record(
            "job.requested",
            by=by,
            target=job,
            region_path=job.region_path,
            changes={"kind": kind, "title": title},
        )
        transaction.on_commit(lambda: sending.send(job))
    return job


def _same(key: str, once: bool) -> Job | None:
    states = (*OPEN_STATES, *([Job.State.DONE] if once else []))
    return Job.objects.filter(key=key, state__in=states).first()


@transaction.atomic
def cancel(*, job: Job, by: User) -> Job:
    """A queued job ends at once; a running one stops at its next step. Refuses a finished one."""
    _refuse_strangers(job, by)
    now = timezone.now()
    ended = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(
        state=Job.State.CANCELLED, lease_until=None, finished_at=now
    )
    if not ended and not Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(
        cancel_requested=True
    ):
        raise RuleViolation("任务已经结束，不用取消。")
    job.refresh_from_db()
    log.record("job.cancelled", by=by, target=job, region_path=job.region_path)
    return job


@transaction.atomic
def retry(*, job: Job, by: User) -> Job:
    """Queue a failed, dead or cancelled job again. Refuses while the same work is already open."""
    _refuse_strangers(job, by)
    try:
        with transaction.atomic():
            queued = Job.objects.filter(pk=job.pk, state__in=RETRIED_STATES).update(
                state=Job.State.QUEUED, lease_until=None, attempts=0, cancel_requested=False,
                progress=0, total=0, step="", error="", result={}, finished_at=None,
            )  # fmt: skip
    except IntegrityError:
        raise RuleViolation("同样的任务已在排队或进行中，请等它结束。")
    if not queued:
        raise RuleViolation("只有失败或已取消的任务可以重试。")
    job.refresh_from_db()
    log.record("job.retried", by=by, target=job, region_path=job.region_path)
    transaction.on_commit(lambda: sending.send(job))
    return job


def _refuse_strangers(job: Job, by: User) -> None:
    if not rules.may_steer(by, job):
        raise RuleViolation("只有发起人可以取消或重试这个任务。")


@transaction.atomic
def open_result(*, job: Job, by: User) -> bytes | None:
    """The result file for the person who asked for it, recorded; None for everybody else."""
    if job.requested_by_id != by.pk:
        return None
    content = results.read(job)
    if content is not None:
        log.record("job.result_opened", by=by, target=job, region_path=job.region_path)
    return content


def check_invariants(
    *,
    now: datetime,
    by: User | log.SystemJob,
    progress: Callable[[int, int, str], None] = lambda done, total, step: None,
) -> list[invariants.Result]:
    """Run every registered invariant, keep what was found for who mends it, and record what is broken.

    Not one transaction: reading everything in one would keep every office from writing for
    minutes where the database is SQLite.
    """
    results = invariants.check_all(now, progress)
    ledger.keep(results, now)
    broken = [result.key for result in results if not result.ok]
    log.record(
        "invariants.checked", by=by, count=len(results), changes={"broken": broken},
        result="failed" if broken else "ok",
    )  # fmt: skip
    return results
