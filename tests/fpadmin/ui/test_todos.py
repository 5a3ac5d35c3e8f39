"""今日工作: each line counts what its page shows, within one's own region."""

import pytest
from django.urls import reverse
from django.utils import timezone

from fpadmin.imports.models import ImportBatch
from fpadmin.jobs.models import Job
from fpadmin.reporting.services import make_return
from fpadmin.ui import todos
from tests.conftest import TODAY

pytestmark = pytest.mark.django_db


def make_batch(office, kind="residents", state=ImportBatch.State.CHECKED):
    return ImportBatch.objects.create(
        kind=kind, office=office, file_name="名册.xlsx", sha256="0" * 64, size=1, changed_on=TODAY,
        state=state,
    )  # fmt: skip


def lines(user) -> dict[str, int]:
    return {todo.label: todo.count for todo in todos.todos_for(user, TODAY)}


def test_checked_workbooks_of_ones_office_and_kind_wait(clerk, township, other_township):
    make_batch(township)
    make_batch(township, state=ImportBatch.State.COMMITTED)
    make_batch(township, kind="regions")  # the administrator's
    make_batch(other_township)
    assert lines(clerk)["工作簿已检查，等您确认"] == 1


def test_line_leads_to_a_page_with_as_many_rows(clerk, township, sign_in):
    make_batch(township)
    make_batch(township)
    todo = next(t for t in todos.todos_for(clerk, TODAY) if t.word == "待确认")
    page = sign_in(clerk).get(todo.url)
    assert page.content.decode().count("名册.xlsx") == todo.count == 2


def test_own_failed_jobs_of_the_week_are_shown(clerk, reviewer):
    Job.objects.create(
        kind="make-return", key="a", title="月报", state=Job.State.FAILED, requested_by=clerk,
        region_path=clerk.region.path, finished_at=timezone.now(),
    )  # fmt: skip
    assert lines(clerk)["任务没有成功"] == 1
    assert "任务没有成功" not in lines(reviewer)


def test_return_of_last_month_waits_until_it_is_made(clerk, township):
    label = "人口与出生情况月报　2018年9月"
    assert lines(clerk)[label] == 1
    make_return(code="population-monthly", region=township, period="2018-09", by=clerk, today=TODAY)
    assert label not in lines(clerk)


def test_return_past_its_day_is_overdue_in_words(clerk):
    late = todos.todos_for(clerk, TODAY.replace(day=20))
    assert "逾期5天" in [todo.word for todo in late]


def test_source_is_registered_once():
    source = next(iter(todos.SOURCES.values()))
    with pytest.raises(ValueError, match="twice"):
        todos.register(source)


def test_home_shows_the_work_or_says_there_is_none(clerk, auditor, sign_in):
    assert "今天要办" in sign_in(clerk).get(reverse("home")).content.decode()
    assert "没有等您处理的事" in sign_in(auditor).get(reverse("home")).content.decode()
