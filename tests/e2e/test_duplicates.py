"""A clerk finds somebody registered twice, compares, merges, and takes it back."""

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from fpadmin.audit.log import SystemJob
from fpadmin.jobs.services import check_invariants
from households import services
from households.models import Resident
from tests.e2e.looking import faults_of
from tests.factories.households import make_birth, make_household, make_resident

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
NOW = datetime(2018, 10, 9, 4, 0, tzinfo=UTC)
NIGHT = SystemJob("定时任务")


@pytest.fixture
def twice(village, other_village):
    """A girl registered beside her mother and again, without a number, with her grandfather."""
    home = make_household(village, "00016")
    mother = make_resident(home, "段光超", sex="女", birth_date=date(1983, 6, 1), marital="初婚")
    grandfather = make_household(other_village, "00007")
    make_resident(grandfather, "段有福", birth_date=date(1955, 1, 1))
    born = date(2012, 3, 4)
    for place, more in ((home, {"relation": "女"}), (grandfather, {"id_number": ""})):
        values = {"relation": "孙子女", "education": "小学" if more.get("relation") else ""} | more
        make_resident(
            place, "张小丽", sex="女", birth_date=born, mother=mother,
            mother_id_number=mother.id_number, mother_id_number_digest=mother.id_number_digest,
            **values,
        )  # fmt: skip
    make_birth(mother, born, child_name="张小丽")
    services.find_duplicates(by=NIGHT, now=NOW)


def test_clerk_merges_somebody_registered_twice_and_takes_it_back(
    sign_in_as, clerk, twice, tmp_path
):
    page = sign_in_as(clerk)
    faults = {}

    def look(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        faults[name] = faults_of(page)

    page.goto(reverse("home"))
    page.get_by_role("link", name="疑似重复").first.click()
    look("list")
    page.get_by_role("link", name="张小丽").click()
    expect(page.get_by_role("heading", name="张小丽：是不是同一人")).to_be_visible()
    expect(page.get_by_role("radio", name="保留第一份")).to_be_checked()
    look("side by side")
    page.get_by_role("radio", name="小学").check()
    page.get_by_role("button", name="下一步：核对合并").click()
    look("check")
    page.get_by_role("button", name="确认合并").click()
    expect(page.get_by_text("已合并，30天内可以撤销。")).to_be_visible()
    look("merged")
    gone = Resident.objects.get(merged_into__isnull=False)
    page.goto(gone.get_absolute_url())
    expect(page.get_by_text("已经并入这份记录")).to_be_visible()
    expect(page).to_have_url(gone.merged_into.get_absolute_url())
    page.go_back()
    page.get_by_role("link", name="撤销合并").click()
    look("undo")
    page.get_by_role("button", name="确认撤销").click()
    expect(page.get_by_text("两份记录都恢复原样")).to_be_visible()
    look("undone")
    assert {name: found for name, found in faults.items() if found} == {}


def test_clerk_goes_from_a_finding_to_the_page_that_mends_it(
    sign_in_as, clerk, administrator, twice
):
    one = Resident.objects.get(name="段光超")
    Resident.objects.filter(pk=one.pk).update(hukou="非农业")
    check_invariants(now=NOW, by=NIGHT)
    page = sign_in_as(clerk)
    page.goto(reverse("selfcheck:finding-list"))
    assert faults_of(page) == []
    page.get_by_role("link", name="去处理").click()
    expect(page).to_have_url(reverse("households:resident-edit", args=[one.pk]))
    keeper = sign_in_as(administrator)
    keeper.goto(reverse("selfcheck:rule-list"))
    assert faults_of(keeper) == []
    expect(keeper.get_by_text("段光超")).to_have_count(0)
