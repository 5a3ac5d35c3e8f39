"""Taking, running, ending and recovering one job."""

from datetime import timedelta

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from fpadmin.audit.models import AuditEvent
from fpadmin.jobs import results, runner, services
from fpadmin.jobs.kinds import JobFailed, LeaseLost
from fpadmin.jobs.models import Job


@pytest.fixture
def queued(clerk, township, job_kind):
    def make(run, **extra):
        kind = job_kind(run)
        values = {"params": {}, "key": kind, "title": "试验", "by": clerk, "region": township}
        return services.enqueue(kind=kind, **(values | extra))

    return make


def test_run_that_succeeds_is_done_with_result_and_event(queued, clerk):
    job = queued(lambda context: {"asked_by": context.by.pk})

    assert runner.run(job.pk) == "done"

    job.refresh_from_db()
    assert (job.result, job.lease_until, job.error) == ({"asked_by": clerk.pk}, None, "")
    assert job.finished_at >= job.started_at
    assert AuditEvent.objects.get(type="job.finished").result == "ok"


def test_run_with_a_sentence_for_the_clerk_fails_with_it(queued):
    def run(context):
        raise JobFailed("工作表里没有数据。")

    job = queued(run)

    assert runner.run(job.pk) == "failed"

    job.refresh_from_db()
    assert job.error == "工作表里没有数据。"


def test_run_that_raises_shows_a_reference_and_logs_the_traceback(queued, caplog):
    def run(context):
        raise ValueError("张三")

    job = queued(run)

    assert runner.run(job.pk) == "failed"

    job.refresh_from_db()
    reference = job.error.partition("编号")[2][:8]
    assert "张三" not in job.error
    assert "ValueError" not in job.error
    assert f"reference {reference}" in caplog.text
    assert "ValueError: 张三" in caplog.text


@pytest.mark.parametrize(
    ("problem", "words"),
    [(OSError(28, "No space left"), "磁盘空间不足"), (MemoryError(), "内存不足")],
    ids=["disk", "memory"],
)
def test_run_without_room_says_so(queued, problem, words):
    def run(context):
        raise problem

    job = queued(run)

    assert runner.run(job.pk) == "failed"

    job.refresh_from_db()
    assert words in job.error


def test_run_during_database_trouble_stays_with_its_lease(queued):
    def run(context):
        raise OperationalError("server closed the connection")

    job = queued(run)

    assert runner.run(job.pk) is None

    job.refresh_from_db()
    assert job.state == "running"


def test_job_of_an_account_that_lost_its_role_is_refused_when_it_runs(queued, clerk):
    job = queued(lambda context: {})
    clerk.role = "auditor"
    clerk.save(update_fields=["role"])

    assert runner.run(job.pk) == "failed"


def test_job_taken_twice_runs_once(queued):
    runs = []
    job = queued(lambda context: runs.append(1))

    assert runner.run(job.pk) == "done"
    assert runner.run(job.pk) is None

    assert runs == [1]


def test_progress_is_kept_in_the_row(queued):
    def run(context):
        context.progress(3, 10, "读取")
        raise JobFailed("停")

    job = queued(run)
    runner.run(job.pk)

    job.refresh_from_db()
    assert (job.progress, job.total, job.step) == (3, 10, "读取")


def test_cancel_of_a_running_job_stops_it_at_the_next_step(queued, clerk):
    reached = []

    def run(context):
        services.cancel(job=Job.objects.get(pk=context.job_id), by=clerk)
        context.progress(1, 2, "第一步")
        reached.append(1)

    job = queued(run)

    assert runner.run(job.pk) == "cancelled"
    assert reached == []


def test_stale_run_cannot_write_report_or_end(queued):
    """The sweeper took the job back and another worker has it; the first copy wakes up."""
    seen = []

    def stale(context):
        overtake(context.job_id)
        for act in (context.check_fence, lambda: context.progress(1, 2, "写入")):
            with pytest.raises(LeaseLost), transaction.atomic():
                act()
            seen.append(1)
        return {"by": "stale"}

    def overtake(job_id):
        Job.objects.filter(pk=job_id).update(lease_until=timezone.now() - timedelta(seconds=1))
        runner._take_back(Job.objects.get(pk=job_id), timezone.now())
        assert runner.take(job_id).fence == 2

    job = queued(stale)

    assert runner.run(job.pk) is None

    job.refresh_from_db()
    assert seen == [1, 1]
    assert (job.state, job.fence, job.result) == ("running", 2, {})


def test_check_fence_renews_the_lease(queued):
    def run(context):
        Job.objects.filter(pk=context.job_id).update(lease_until=timezone.now())
        with transaction.atomic():
            context.check_fence()
        seen.append(Job.objects.get(pk=context.job_id).lease_until)

    seen = []
    runner.run(queued(run).pk)

    assert seen[0] > timezone.now() + timedelta(seconds=30)


def test_sweep_queues_a_job_whose_lease_ran_out(queued):
    job = queued(lambda context: {})
    runner.take(job.pk)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))

    runner.sweep()

    job.refresh_from_db()
    assert job.state == "queued"
    assert AuditEvent.objects.filter(type="job.recovered", target_id=str(job.pk)).exists()
    assert runner.run(job.pk) == "done"


def test_sweep_leaves_a_job_whose_lease_runs(queued):
    job = queued(lambda context: {})
    runner.take(job.pk)

    runner.sweep()

    job.refresh_from_db()
    assert job.state == "running"


def test_sweep_gives_up_after_the_last_attempt(queued, settings):
    settings.JOB_MAX_ATTEMPTS = 2
    job = queued(lambda context: {})
    for _ in range(2):
        runner.take(job.pk)
        Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        runner.sweep()

    job.refresh_from_db()
    assert (job.state, job.attempts) == ("dead", 2)
    assert "中断了2次" in job.error


def test_sweep_ends_a_lost_job_that_was_cancelled(queued, clerk):
    job = queued(lambda context: {})
    runner.take(job.pk)
    services.cancel(job=job, by=clerk)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))

    runner.sweep()

    job.refresh_from_db()
    assert job.state == "cancelled"


def test_result_file_is_encrypted_and_served_only_when_done_and_whole(queued, settings):
    def run(context):
        context.attach("名册.xlsx", b"first draft")
        context.attach("名册.xlsx", b"PK 539981199001010011")

    job = queued(run)
    runner.run(job.pk)
    job.refresh_from_db()

    folder = settings.MEDIA_ROOT / f"jobs/{job.pk}"
    kept = list(folder.iterdir())
    assert [path.suffix for path in kept] == [".bin"]
    assert b"539981199001010011" not in kept[0].read_bytes()
    assert results.read(job) == b"PK 539981199001010011"

    job.result_sha256 = "0" * 64
    assert results.read(job) is None
    job.refresh_from_db()
    kept[0].write_bytes(kept[0].read_bytes()[:-1])
    assert results.read(job) is None


def test_result_file_of_a_failed_run_is_removed(queued, settings):
    def run(context):
        context.attach("名册.xlsx", b"half")
        raise JobFailed("停")

    job = queued(run)
    runner.run(job.pk)

    assert list((settings.MEDIA_ROOT / f"jobs/{job.pk}").iterdir()) == []
