"""The schedule: one job for each township and return, whose run makes a version and its workbook."""

import io

import openpyxl
import pytest

from fpadmin.audit.log import SystemJob
from fpadmin.jobs.kinds import KINDS, JobFailed, LeaseLost
from fpadmin.jobs.models import Job
from fpadmin.reporting import runs, tasks
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.registry import RETURNS
from tests.factories.households import make_household, make_resident


class Context:
    """A run's side of the ledger, without one."""

    job_id = 1
    by = SystemJob("定时任务")

    def __init__(self, region, code="population-monthly", period="2018-09"):
        self.params = {"return": code, "region": region.code, "period": period}
        self.attached = []
        self.fence_holds = True

    def progress(self, done, total, step=""):
        pass

    def check_fence(self):
        if not self.fence_holds:
            raise LeaseLost

    def attach(self, name, content):
        self.attached.append((name, content))


def test_run_makes_a_version_and_its_workbook_once(small):
    context = Context(small.township)
    result = runs.run(context)
    again = runs.run(context)
    assert (result["new"], again["new"], again["version"]) == (True, False, result["version"])
    name, content = context.attached[0]
    assert name == "禄脿街道_人口与出生情况月报_2018-09_第1版.xlsx"
    assert openpyxl.load_workbook(io.BytesIO(content)).active["B5"].value == 14


def test_run_that_lost_its_lease_writes_nothing(small):
    context = Context(small.township)
    context.fence_holds = False
    with pytest.raises(LeaseLost):
        runs.run(context)
    assert ReturnVersion.objects.count() == 0
    assert context.attached == []


def test_run_fails_where_the_figures_do_not_balance(small):
    make_resident(make_household(small.township), "镇上")
    context = Context(small.township)
    with pytest.raises(JobFailed, match="相加"):
        runs.run(context)
    assert context.attached == []


@pytest.mark.parametrize(
    ("task", "today", "code", "period"),
    [
        (tasks.make_monthly, "2018-10-01", "population-monthly", "2018-09"),
        (tasks.make_monthly, "2019-01-01", "population-monthly", "2018-12"),
        (tasks.make_annual, "2018-10-01", "population-annual", "2018"),
        (tasks.make_annual, "2018-09-30", "population-annual", "2017"),
    ],
)
def test_schedule_asks_once_for_each_township(
    task, today, code, period, township, other_township, settings
):
    settings.TODAY = today
    task()
    task()
    jobs = Job.objects.filter(params__return=code).order_by("region_path")
    assert [j.params for j in jobs] == [
        {"return": code, "region": region, "period": period}
        for region in ("539981001", "539981100")
    ]
    assert {j.kind for j in jobs} == {"make-return"} <= KINDS.keys()


def test_schedule_does_not_ask_again_for_what_is_done(township, settings):
    settings.TODAY = "2018-10-01"
    tasks.make_annual()
    Job.objects.update(state="done")
    tasks.make_annual()
    assert Job.objects.count() == len([r for r in RETURNS.values() if r.cycle == "year"])
