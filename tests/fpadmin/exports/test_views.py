"""The pages of an export, as the clerk and the second person go through them."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from fpadmin.exports.models import Export
from fpadmin.ui import todos
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.exports import make_export

pytestmark = pytest.mark.django_db
NEW = reverse("exports:export-create", args=["residents"])
ANSWER = {"step": "ask", "scope": "found", "columns": ["name", "sex"], "purpose": "check"}


def url(name, export):
    return reverse(f"exports:export-{name}", args=[export.pk])


def test_clerk_asks_follows_and_fetches(people, clerk, sign_in, run_jobs_now):
    client = sign_in(clerk)
    page = client.get(f"{NEW}?sex=男").content.decode()
    assert "查询结果，共2人" in page
    assert "本页，2人" in page
    answer = client.post(f"{NEW}?sex=男", ANSWER)
    export = Export.objects.get()
    assert answer["Location"] == export.get_absolute_url()
    assert "排队" in client.get(export.get_absolute_url()).content.decode()
    run_jobs_now()

    page = client.get(export.get_absolute_url()).content.decode()
    assert "前可以下载" in page
    shown = client.post(url("password", export)).content.decode()
    assert "只显示这一次" in shown
    assert "显示密码</button>" not in client.get(export.get_absolute_url()).content.decode()
    file = client.post(url("download", export))
    assert file.getvalue()[:2] == b"PK"
    assert "filename*=utf-8''%E7%A6%84" in file["Content-Disposition"]


def test_ticked_rows_are_offered_first_and_exported(people, clerk, sign_in, run_jobs_now):
    client = sign_in(clerk)
    ticks = {"picked": [f"{people[0].pk},{people[2].pk}"]}
    page = client.post(NEW, ticks).content.decode()
    assert "勾选的2人" in page
    client.post(NEW, ANSWER | ticks | {"scope": "picked"})
    assert Export.objects.get().rows == 2


def test_page_scope_takes_the_rows_of_the_page(people, clerk, sign_in):
    sign_in(clerk).post(f"{NEW}?sex=女", ANSWER | {"scope": "page"})
    assert (Export.objects.get().scope, Export.objects.get().rows) == ("page", 1)


def test_wrong_answers_come_back_with_their_words(people, clerk, county_user, sign_in, settings):
    page = sign_in(clerk).post(NEW, {"step": "ask", "scope": "found"}).content.decode()
    assert "请至少选一列。" in page
    assert "<title>错误：" in page
    settings.EXPORT_LIMIT_ROWS = 2
    page = sign_in(clerk).post(NEW, ANSWER).content.decode()
    assert "要由另一人审批。请写明原因。" in page
    assert 'name="clear"' not in sign_in(county_user).get(NEW).content.decode()


def test_unknown_list_is_404_and_one_that_the_role_may_not_see_403(clerk, sign_in, monkeypatch):
    assert sign_in(clerk).get(reverse("exports:export-create", args=["x"])).status_code == 404


def test_reviewer_decides_and_the_clerk_reads_why(clerk, reviewer, sign_in):
    export = make_export(clerk, note="全镇核对")
    page = sign_in(reviewer).get(export.get_absolute_url()).content.decode()
    assert "批准导出3,000行" in page
    assert "全镇核对" in page
    assert "批准导出" not in sign_in(clerk).get(export.get_absolute_url()).content.decode()
    blank = sign_in(reviewer).post(url("refuse", export), {"reason": ""}).content.decode()
    assert "请写明退回的原因。" in blank
    sign_in(reviewer).post(url("refuse", export), {"reason": "请分村导出"})
    assert "请分村导出" in sign_in(clerk).get(export.get_absolute_url()).content.decode()


def test_what_waits_is_the_reviewers_work(clerk, reviewer):
    make_export(clerk)
    lines = [t for t in todos.todos_for(reviewer, TODAY) if t.label == "导出等待审批"]
    assert [line.count for line in lines] == [1]
    assert "导出等待审批" not in [t.label for t in todos.todos_for(clerk, TODAY)]


def test_another_persons_file_is_404_and_an_old_one_410(
    people, clerk, reviewer, township, sign_in, run_jobs_now
):
    sign_in(clerk).post(NEW, ANSWER)
    run_jobs_now()
    export = Export.objects.get()
    colleague = make_user("clerk", township, "colleague")
    for stranger in (reviewer, colleague):
        assert sign_in(stranger).post(url("download", export)).status_code == 404
        assert sign_in(stranger).post(url("password", export)).status_code == 404
    Export.objects.update(made_at=timezone.now() - timedelta(hours=25))
    gone = sign_in(clerk).post(url("download", export))
    assert gone.status_code == 410
    assert "文件已过期" in gone.content.decode()


def test_job_page_offers_no_way_around_the_password(people, clerk, sign_in, run_jobs_now):
    sign_in(clerk).post(NEW, ANSWER)
    run_jobs_now()
    job = Export.objects.get().job
    page = sign_in(clerk).get(job.get_absolute_url()).content.decode()
    assert Export.objects.get().get_absolute_url() in page
    assert sign_in(clerk).get(reverse("jobs:job-download", args=[job.pk])).status_code == 404


def test_list_costs_the_same_for_more_exports(clerk, sign_in, assert_query_count_does_not_grow):
    client = sign_in(clerk)
    make_export(clerk)

    def grow():
        for _ in range(5):
            make_export(clerk)

    page = reverse("exports:export-list")
    assert page == "/exports/"
    client.get("/exports/")
    assert_query_count_does_not_grow(lambda: client.get("/exports/"), grow)
