"""The demonstration has its policies on, once."""

from datetime import date

import pytest

from fpadmin.audit.log import SystemJob
from households.demo.steps import STEPS, Demonstration
from subsidies.models import PolicyVersion
from subsidies.policies import demonstration
from subsidies.policies.book import policy_book
from tests.conftest import TODAY
from tests.factories.accounts import make_region
from tests.factories.benefits import switch_on

pytestmark = pytest.mark.django_db
BY = SystemJob("演示数据")


def test_every_county_has_them_on_and_a_second_run_changes_nothing(village):
    make_region("539982", "邻县")
    shown = Demonstration(village, TODAY, invented=True)
    assert STEPS["policies"] is demonstration.switch_on
    assert demonstration.switch_on(shown, by=BY) == "政策：启用22项"
    assert demonstration.switch_on(shown, by=BY) == "政策：早已启用，没有改动"
    on = policy_book(date(2004, 1, 1)).on_codes(village.path)
    assert sorted(on) == sorted(demonstration.CODES)
    sensitive = PolicyVersion.objects.filter(policy_code="CN-SPECIAL-DEATH")
    assert {row.notice_days for row in sensitive} == {0}


def test_what_somebody_set_stays(village, county):
    switch_on("CN-RURAL", county, TODAY, is_on=False)
    demonstration.switch_on(Demonstration(village, TODAY, invented=False), by=BY)
    assert PolicyVersion.objects.filter(policy_code="CN-RURAL").count() == 1
