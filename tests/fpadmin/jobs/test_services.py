"""Asking for, cancelling and retrying jobs."""

import pytest
from django.db import IntegrityError, transaction

from fpadmin.audit.log import SystemJob
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.jobs import runner, services
from fpadmin.jobs.kinds import JobFailed
from fpadmin.jobs.models import Job
from tests.factories.accounts import make_user


@pytest.fixture
def kind(job_kind):
    return job_kind(lambda context: {})


@pytest.fixture
def failing(job_kind):
    def run(context):
        raise JobFailed("不行。")

    return job_kind(run)


def ask(kind, by, region, key="k", **extra):
    return services.enqueue(
        kind=kind, params={}, key=key, title="试验", by=by, region=region, **extra
    )


def test_enqueue_records_who_and_what(kind, clerk, township):
    job = ask(kind, clerk, township)

    event = AuditEvent.objects.get(type="job.requested")
    assert (job.state, job.region_path) == ("queued", township.path)
    assert (event.actor_id, event.target_id, event.region_path) == (
        clerk.pk,
        str(job.pk),
        township.path,
    )


def test_enqueue_rolls_back_when_the_event_fails(kind, clerk, township, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(services.log, "record", refuse)

    with pytest.raises(RuntimeError):
        ask(kind, clerk, township)

    assert not Job.objects.exists()


def test_enqueue_with_an_open_key_returns_the_open_job(kind, clerk, township):
    first = ask(kind, clerk, township)

    assert ask(kind, clerk, township) == first

    runner.run(first.pk)
    assert ask(kind, clerk, township) != first


def test_enqueue_once_returns_the_finished_job(kind, township):
    by = SystemJob("定时任务")
    first = ask(kind, by, township, once=True)
    runner.run(first.pk)

    assert ask(kind, by, township, once=True) == first


def test_database_refuses_two_open_jobs_of_one_key(kind, clerk, township):
    job = ask(kind, clerk, township)

    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.create(kind=kind, key=job.key, title="又一个", region_path="")


def test_enqueue_by_somebody_without_the_permission_is_refused(kind, auditor, township):
    with pytest.raises(RuleViolation, match="您的岗位不能发起"):
        ask(kind, auditor, township)


def test_cancel_ends_a_queued_job_at_once(kind, clerk, township):
    job = services.cancel(job=ask(kind, clerk, township), by=clerk)

    assert job.state == "cancelled"
    assert runner.run(job.pk) is None
    assert AuditEvent.objects.get(type="job.cancelled").actor_id == clerk.pk


def test_cancel_of_a_finished_job_is_refused(kind, clerk, township):
    job = ask(kind, clerk, township)
    runner.run(job.pk)

    with pytest.raises(RuleViolation, match="已经结束"):
        services.cancel(job=job, by=clerk)


def test_retry_queues_a_failed_job_again(failing, clerk, township):
    job = ask(failing, clerk, township)
    runner.run(job.pk)

    job = services.retry(job=job, by=clerk)

    assert (job.state, job.error, job.attempts) == ("queued", "", 0)
    assert AuditEvent.objects.get(type="job.retried").actor_id == clerk.pk
    assert runner.run(job.pk) == "failed"


def test_retry_of_a_done_job_is_refused(kind, clerk, township):
    job = ask(kind, clerk, township)
    runner.run(job.pk)

    with pytest.raises(RuleViolation, match="只有失败"):
        services.retry(job=job, by=clerk)


def test_retry_while_the_same_work_is_open_is_refused(failing, clerk, township):
    job = ask(failing, clerk, township)
    runner.run(job.pk)
    ask(failing, clerk, township)

    with pytest.raises(RuleViolation, match="同样的任务"):
        services.retry(job=job, by=clerk)


@pytest.mark.parametrize("act", [services.cancel, services.retry], ids=["cancel", "retry"])
def test_job_of_a_colleague_is_refused_and_of_the_schedule_allowed(
    act, failing, clerk, township, administrator
):
    """A colleague of the same office may not steer it; the administrator may."""
    colleague = make_user("clerk", township, username="colleague")
    own = ask(failing, clerk, township, key="own")
    scheduled = ask(failing, SystemJob("定时任务"), township, key="scheduled")
    if act is services.retry:
        runner.run(own.pk)
        runner.run(scheduled.pk)

    with pytest.raises(RuleViolation, match="只有发起人"):
        act(job=own, by=colleague)
    act(job=own, by=administrator)
    act(job=scheduled, by=colleague)


def test_message_leaves_after_the_commit_and_a_dead_broker_is_no_error(
    kind, clerk, township, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        job = ask(kind, clerk, township)

    job.refresh_from_db()
    assert len(callbacks) == 1
    assert (job.state, job.lease_until) == ("queued", None)
