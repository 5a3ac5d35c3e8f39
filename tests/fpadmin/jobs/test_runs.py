"""The nightly check of the invariants reaches the administrator."""

import pytest
from django.urls import reverse

from fpadmin import invariants
from fpadmin.accounts.models import User
from fpadmin.audit.models import AuditEvent
from fpadmin.jobs import runs, tasks
from fpadmin.jobs.models import Job
from fpadmin.jobs.runner import SCHEDULE
from fpadmin.ui import todos
from tests.conftest import TODAY
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def findings(monkeypatch):
    """What the only invariant there is finds."""
    found = []
    only = invariants.Invariant("TEST1", "样样齐全", lambda now: iter(found))
    monkeypatch.setattr(invariants, "INVARIANTS", {"TEST1": only})
    return found


def lines(user) -> list[tuple[str, int, str]]:
    return [(todo.label, todo.count, todo.url) for todo in todos.todos_for(user, TODAY)]


def test_sound_data_end_in_a_done_job_and_an_event(findings, administrator, run_jobs_now):
    tasks.check_invariants()
    run_jobs_now()

    job = Job.objects.get()
    event = AuditEvent.objects.get(type="invariants.checked")
    assert (job.state, job.result) == ("done", {"checks": 1})
    assert (event.actor, event.result, event.count) == ("系统：定时任务", "ok", 1)
    assert lines(administrator) == []


def test_broken_data_are_the_administrators_work_with_every_finding(
    findings, administrator, clerk, sign_in, run_jobs_now
):
    findings.append("居民7没有在册经历")
    tasks.check_invariants()
    run_jobs_now()

    job = Job.objects.get()
    event = AuditEvent.objects.get(type="invariants.checked")
    assert (event.result, event.changes) == ("failed", {"broken": ["TEST1"]})
    (line,) = lines(administrator)
    assert line[:2] == ("定时任务没有成功", 1)
    client = sign_in(administrator)
    assert job.get_absolute_url() in client.get(line[2]).content.decode()
    page = client.get(job.get_absolute_url()).content.decode()
    assert "TEST1 样样齐全：居民7没有在册经历。" in page
    assert "定时任务没有成功" not in [label for label, _, _ in lines(clerk)]


def test_check_that_passes_when_retried_is_no_work_any_more(
    findings, administrator, sign_in, run_jobs_now
):
    findings.append("居民7没有在册经历")
    tasks.check_invariants()
    run_jobs_now()
    findings.clear()

    sign_in(administrator).post(reverse("jobs:job-retry", args=[Job.objects.get().pk]))
    run_jobs_now()

    assert Job.objects.get().state == "done"
    assert lines(administrator) == []


def test_findings_go_to_the_highest_account_that_manages_jobs(county, administrator):
    city = county.parent
    above = make_user("administrator", city, is_active=False)
    assert runs.start(by=SCHEDULE).region_path == county.path

    Job.objects.update(state=Job.State.DONE)
    User.objects.filter(pk=above.pk).update(is_active=True)
    assert runs.start(by=SCHEDULE).region_path == city.path


def test_long_list_of_findings_says_how_many_there_are(findings, administrator, run_jobs_now):
    findings += [f"居民{i}" for i in range(1_200)]
    tasks.check_invariants()
    run_jobs_now()

    error = Job.objects.get().error
    assert "居民19等1,200处。" in error
    assert "居民20" not in error
