"""The comparison desk in a browser: from a difference on the list to the end of a line proposed."""

from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from subsidies.models import Difference, EnrolmentChange
from tests.e2e.looking import faults_of
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.households import make_household, make_resident
from tests.factories.rosters import make_difference, make_entry

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(village, township, county):
    """Nine on one account, somebody the police know dead, and a couple that nobody enrolled."""
    switch_on("CN-RURAL", county)
    for n in range(9):
        person = make_resident(
            make_household(village), f"陶桂{'一二三四五六七八九'[n]}", birth_date=date(1950, 3, 4),
            bank_account="6222020000008225", bank_account_digest="nine",
        )  # fmt: skip
        make_difference(
            person, "account", enrolment=make_enrolment(person), policy_code="CN-RURAL",
            detail="9人9户共用一个银行账号",
        )  # fmt: skip
    head, wife = make_old_couple(village, "00021")
    make_difference(
        wife, "missing", policy_code="CN-RURAL",
        detail="按2018-12-31核查符合条件，没有在册，也没有办理中的申请",
    )  # fmt: skip
    entry = make_entry(township, "公安死亡注销", head, date(2018, 5, 3), "因病死亡，家属申报")
    return make_difference(
        head, "police_death", entry=entry, enrolment=make_enrolment(head), policy_code="CN-RURAL",
        detail="公安2018-05-03死亡注销，我方登记在世",
    )  # fmt: skip


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_clerk_goes_from_a_difference_to_the_end_of_the_line(desk, clerk, sign_in_as, size):
    page = sign_in_as(clerk, size)
    page.goto(reverse("subsidies:difference-list"))
    assert faults_of(page) == []

    page.get_by_role("link", name="陶有田").first.click()
    expect(page.get_by_text("因病死亡，家属申报")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("radio", name="我方有误").check()
    page.get_by_role("textbox", name="依据").fill("看了死亡证明")
    page.get_by_label("怎样更正").select_option(label="提出退出")
    page.get_by_role("button", name="保存结论").click()
    assert faults_of(page) == []
    page.get_by_role("button", name="提出退出").click()

    expect(page.get_by_text("等审核人处理")).to_be_visible()
    desk.refresh_from_db()
    assert desk.change == EnrolmentChange.objects.get()
    assert desk.verdict == Difference.Verdict.RIGHT
