"""The pages of jobs."""

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.jobs import runner, services
from fpadmin.jobs.kinds import JobFailed
from fpadmin.jobs.models import Job
from tests.factories.accounts import make_user


@pytest.fixture
def make_job(job_kind, clerk, township):
    def make(run=lambda context: {}, by=None, region=None, key="k", title="检查居民登记表"):
        return services.enqueue(
            kind=job_kind(run),
            params={},
            key=key,
            title=title,
            by=by or clerk,
            region=region or township,
        )

    return make


def with_file(context):
    context.attach("居民.xlsx", b"PK rows")
    return {}


def fail(context):
    raise JobFailed("工作表里没有数据。")


def url(name, job):
    return reverse(f"jobs:job-{name}", args=[job.pk])


def test_list_shows_the_region_s_jobs_with_mine_first(make_job, clerk, township, sign_in):
    colleague = make_user("clerk", township, username="colleague")
    make_job(key="mine", title="我的任务甲")
    make_job(key="theirs", title="同事的任务乙", by=colleague)

    page = sign_in(clerk).get(reverse("jobs:job-list")).content.decode()

    assert page.index("我的任务甲") < page.index("同事的任务乙")


def test_list_leaves_out_other_regions(make_job, other_clerk, sign_in):
    make_job()

    assert (
        "检查居民登记表" not in sign_in(other_clerk).get(reverse("jobs:job-list")).content.decode()
    )


@pytest.mark.parametrize(
    ("query", "shown"),
    [("state=failed", False), ("state=queued", True), ("whose=mine", True), ("kind=none", False)],
    ids=["other-state", "state", "mine", "unknown-kind"],
)
def test_list_is_filtered(make_job, clerk, sign_in, query, shown):
    make_job()

    page = sign_in(clerk).get(f"{reverse('jobs:job-list')}?{query}").content.decode()

    assert ("检查居民登记表" in page) is shown


def test_list_needs_the_same_queries_for_many(
    make_job, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    make_job(key="first")
    assert_query_count_does_not_grow(
        lambda: client.get(reverse("jobs:job-list")),
        lambda: [make_job(key=f"more {n}") for n in range(5)],
    )


def test_detail_of_an_open_job_polls_and_of_an_ended_one_does_not(make_job, clerk, sign_in):
    job = make_job()
    client = sign_in(clerk)
    polling = f'hx-get="{url("progress", job)}"'

    assert polling in client.get(url("detail", job)).content.decode()
    open_answer = client.get(url("progress", job))
    assert polling in open_answer.content.decode()
    assert "HX-Refresh" not in open_answer

    runner.run(job.pk)
    assert polling not in client.get(url("detail", job)).content.decode()
    assert client.get(url("progress", job))["HX-Refresh"] == "true"


def test_detail_of_a_failed_job_shows_why_and_offers_to_retry(make_job, clerk, sign_in):
    job = make_job(fail)
    runner.run(job.pk)

    page = sign_in(clerk).get(url("detail", job)).content.decode()

    assert "工作表里没有数据。" in page
    assert url("retry", job) in page


@pytest.mark.parametrize("name", ["detail", "progress", "cancel", "download"])
def test_job_of_another_region_is_not_there(make_job, other_clerk, sign_in, name):
    job = make_job(with_file)
    runner.run(job.pk)

    assert sign_in(other_clerk).get(url(name, job)).status_code == 404


@pytest.mark.parametrize("name", ["cancel", "retry"])
def test_post_on_a_job_of_another_region_changes_nothing(make_job, other_clerk, sign_in, name):
    job = make_job()

    assert sign_in(other_clerk).post(url(name, job)).status_code == 404
    job.refresh_from_db()
    assert (job.state, job.cancel_requested) == ("queued", False)


@pytest.mark.parametrize("name", ["cancel", "retry"])
def test_post_on_a_colleague_s_job_is_forbidden(make_job, township, sign_in, name):
    job = make_job()

    client = sign_in(make_user("clerk", township, username="colleague"))

    assert client.post(url(name, job)).status_code == 403


def test_auditor_sees_no_jobs(make_job, auditor, sign_in):
    assert sign_in(auditor).get(url("detail", make_job())).status_code == 403


def test_cancel_asks_first_and_then_cancels(make_job, clerk, sign_in):
    job = make_job()
    client = sign_in(clerk)

    assert "检查居民登记表" in client.get(url("cancel", job)).content.decode()
    job.refresh_from_db()
    assert job.state == "queued"

    assert client.post(url("cancel", job)).url == job.get_absolute_url()
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_cancel_of_an_ended_job_says_so(make_job, clerk, sign_in):
    job = make_job()
    runner.run(job.pk)

    page = sign_in(clerk).post(url("cancel", job), follow=True).content.decode()

    assert "任务已经结束" in page


def test_retry_queues_again(make_job, clerk, sign_in):
    job = make_job(fail)
    runner.run(job.pk)

    sign_in(clerk).post(url("retry", job))

    job.refresh_from_db()
    assert job.state == "queued"


def test_result_is_served_to_the_person_who_asked_and_recorded(make_job, clerk, sign_in):
    job = make_job(with_file)
    client = sign_in(clerk)
    assert client.get(url("download", job)).status_code == 404
    runner.run(job.pk)

    response = client.get(url("download", job))

    assert response.content == b"PK rows"
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert AuditEvent.objects.get(type="job.result_opened").actor_id == clerk.pk


def test_result_is_not_there_for_a_colleague_or_the_administrator(
    make_job, township, administrator, sign_in
):
    job = make_job(with_file)
    runner.run(job.pk)

    for person in (make_user("clerk", township, username="colleague"), administrator):
        client = sign_in(person)
        assert client.get(url("detail", job)).status_code == 200
        assert client.get(url("download", job)).status_code == 404


def test_result_that_was_changed_on_disk_is_not_served(make_job, clerk, sign_in, settings):
    job = make_job(with_file)
    runner.run(job.pk)
    job.refresh_from_db()
    path = settings.MEDIA_ROOT / job.result_file
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    assert sign_in(clerk).get(url("download", job)).status_code == 404


def test_job_without_region_is_seen_by_nobody(job_kind, clerk, sign_in):
    job = Job.objects.create(kind=job_kind(fail), key="k", title="全局", region_path="")

    assert sign_in(clerk).get(url("detail", job)).status_code == 404
