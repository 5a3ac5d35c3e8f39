"""Runs one job under a lease, and finds those whose worker is gone.

The row decides who runs: taking it raises its fence, and every write of a run names the fence it
was taken with, so a copy that was overtaken changes nothing.
"""

import errno
import logging
import secrets
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from fpadmin.audit import log
from fpadmin.audit.models import Result
from fpadmin.errors import RuleViolation
from fpadmin.jobs import results, sending
from fpadmin.jobs.kinds import KINDS, JobCancelled, JobFailed, JobKind, LeaseLost
from fpadmin.jobs.models import Job

logger = logging.getLogger(__name__)

SCHEDULE = log.SystemJob("定时任务")
SWEEPER = log.SystemJob("任务清理")
# How often a run that reports each row really writes.
PROGRESS_SECONDS = 0.5
SWEEP_BATCH = 1000
# How a state that a run ends in stands in the audit trail.
OUTCOMES = {
    Job.State.QUEUED: Result.OK,
    Job.State.DONE: Result.OK,
    Job.State.CANCELLED: Result.CANCELLED,
    Job.State.FAILED: Result.FAILED,
    Job.State.DEAD: Result.FAILED,
}


def run(job_id: int) -> str | None:
    """Take the job and run it to an end; return its state, or None where it was not ours to run.

    Trouble with the database leaves the job to the sweeper, which tries again up to
    JOB_MAX_ATTEMPTS times.
    """
    job = take(job_id)
    if job is None:
        return None
    this = Run(job)
    with this:
        try:
            state, values = _work(job, this)
            return this.finish(state, **values)
        except LeaseLost:
            logger.warning("job %s was taken over; run %s stops", job_id, job.fence)
        except (OperationalError, InterfaceError):
            logger.exception("job %s: the database failed; the sweeper will try again", job_id)
    return None


def take(job_id: int) -> Job | None:
    """The job, leased to the caller under a new fence; None unless it was queued.

    One conditional update: of two workers PostgreSQL lets the second wait and then find nothing,
    and SQLite has one writer at a time.
    """
    now = timezone.now()
    with transaction.atomic():
        taken = Job.objects.filter(pk=job_id, state=Job.State.QUEUED).update(
            state=Job.State.RUNNING,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            lease_until=now + _lease(),
            started_at=now,
            finished_at=None,
        )
        # Read before the row is unlocked: the fence must be the one given here.
        return Job.objects.select_related("requested_by").get(pk=job_id) if taken else None


def _lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def _work(job: Job, this: "Run") -> tuple[str, dict]:
    """Run the kind's function; return the state it ends in and what to write with it."""
    kind = KINDS.get(job.kind)
    refusal = _refusal(job, kind)
    if refusal:
        return Job.State.FAILED, {"error": refusal}
    try:
        result = kind.run(this)
        return Job.State.DONE, {"result": result or {}}
    except JobCancelled:
        return Job.State.CANCELLED, {}
    except (JobFailed, RuleViolation) as problem:
        return Job.State.FAILED, {"error": str(problem)}
    except (LeaseLost, OperationalError, InterfaceError):
        raise
    except MemoryError:
        logger.exception("job %s ran out of memory", job.pk)
        return Job.State.FAILED, {"error": "内存不足，没有完成。请把文件拆小后再试。"}
    except Exception as problem:
        if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
            logger.exception("job %s: the disk is full", job.pk)
            return Job.State.FAILED, {
                "error": "服务器磁盘空间不足，请联系系统管理员，腾出空间后重试。"
            }
        reference = secrets.token_hex(4)
        logger.exception("job %s failed, reference %s", job.pk, reference)
        return Job.State.FAILED, {
            "error": f"程序出现意外问题，任务没有完成。可以重试；仍不行时把编号{reference}告诉系统管理员。"
        }


def _refusal(job: Job, kind: JobKind | None) -> str:
    """Rights are looked at again when the job runs: the account may have changed since."""
    if kind is None:
        return "这种任务已不再使用。"
    person = job.requested_by
    if person and not person.may(kind.permission):
        return "发起人的账号已停用，或岗位已不能做这件事。"
    return ""


class Run:
    """The JobContext of one run: see kinds.JobContext for what its methods promise.

    As a context manager it renews the lease from a thread for as long as the process lives, so
    that a long step without progress keeps its job and a killed worker loses it.
    """

    def __init__(self, job: Job):
        self.job_id = job.pk
        self.params = job.params
        self.by = job.requested_by or SCHEDULE
        self._job = job
        self._latest = (0, 0, "")
        self._written_at = 0.0
        self._file = {}
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self):
        self._heart.start()
        return self

    def __exit__(self, *problem):
        self._ended.set()
        self._heart.join()

    def progress(self, done: int, total: int, step: str = "") -> None:
        new_step = step != self._latest[2]
        self._latest = (done, total, step[:100])
        if not new_step and time.monotonic() - self._written_at < PROGRESS_SECONDS:
            return
        self._written_at = time.monotonic()
        # Inside the caller's transaction nobody would see the row, and writing it would lock it.
        if not connection.in_atomic_block:
            try:
                self._renew()
            except OperationalError:  # SQLite: another process is writing; the thread will catch up
                logger.warning("job %s: progress not saved", self.job_id, exc_info=True)
        asked_to_stop = self._mine().values_list("cancel_requested", flat=True).first()
        if asked_to_stop is None:
            raise LeaseLost
        if asked_to_stop:
            raise JobCancelled

    def check_fence(self) -> None:
        if not connection.in_atomic_block:
            raise RuntimeError("check_fence() guards a transaction; call it inside one")
        if not self._mine().update(lease_until=timezone.now() + _lease()):
            raise LeaseLost

    def attach(self, name: str, content: bytes) -> None:
        file, sha256 = results.keep(self.job_id, content)
        self._file = {"result_file": file, "result_name": name, "result_sha256": sha256}

    def finish(self, state: str, **values) -> str:
        """Write the end of the run and its audit event. Raises LeaseLost where it was overtaken."""
        done, total, step = self._latest
        file = self._file if state == Job.State.DONE else {}
        with transaction.atomic():
            ended = self._mine().update(
                state=state,
                lease_until=None,
                finished_at=timezone.now(),
                progress=total if state == Job.State.DONE else done,
                total=total,
                step=step,
                **file,
                **values,
            )
            if not ended:
                raise LeaseLost
            log.record(
                "job.finished",
                by=self.by,
                target=self._job,
                region_path=self._job.region_path,
                result=OUTCOMES[state],
            )
        results.drop_all_but(self.job_id, file.get("result_file", ""))
        return state

    def _mine(self):
        return Job.objects.filter(pk=self.job_id, fence=self._job.fence, state=Job.State.RUNNING)

    def _renew(self) -> bool:
        done, total, step = self._latest
        return bool(
            self._mine().update(
                lease_until=timezone.now() + _lease(), progress=done, total=total, step=step
            )
        )

    def _beat(self) -> None:
        while not self._ended.wait(settings.JOB_LEASE_SECONDS / 3):
            try:
                if not self._renew():
                    return
            except (
                DatabaseError
            ):  # the file is locked or the server away: the next beat tries again
                logger.warning("job %s: lease not renewed", self.job_id, exc_info=True)
            finally:
                connection.close()


def sweep() -> None:
    """Queue again every job whose lease ran out, and send every queued job not sent lately.

    A job that lost its worker JOB_MAX_ATTEMPTS times is dead; one that somebody cancelled is
    cancelled.
    """
    now = timezone.now()
    for job in Job.objects.lost(now).order_by("pk")[:SWEEP_BATCH]:
        _take_back(job, now)
    waiting = Job.objects.filter(state=Job.State.QUEUED).filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    )
    for job in waiting.order_by("pk")[:SWEEP_BATCH]:
        if not sending.send(job):
            break


@transaction.atomic
def _take_back(job: Job, now) -> None:
    state, error = Job.State.QUEUED, ""
    if job.cancel_requested:
        state = Job.State.CANCELLED
    elif job.attempts >= settings.JOB_MAX_ATTEMPTS:
        state = Job.State.DEAD
        error = f"处理这个任务的程序中断了{job.attempts}次，已停止尝试。请联系系统管理员。"
        logger.error("job %s (%s) is dead after %s attempts", job.pk, job.kind, job.attempts)
    # The lease may have been renewed since it was read; then the worker lives.
    taken_back = Job.objects.filter(
        pk=job.pk, fence=job.fence, state=Job.State.RUNNING, lease_until__lt=now
    ).update(
        state=state,
        error=error,
        lease_until=None,
        finished_at=None if state == Job.State.QUEUED else now,
    )
    if taken_back:
        event = "job.recovered" if state == Job.State.QUEUED else "job.finished"
        log.record(
            event, by=SWEEPER, target=job, region_path=job.region_path, result=OUTCOMES[state],
            changes={"attempts": job.attempts},
        )  # fmt: skip
