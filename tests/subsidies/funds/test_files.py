"""The Excel files of funds and movements: the page's rows, money as figures."""

from decimal import Decimal

import pytest

from subsidies.funds import entry_list, fund_list
from subsidies.services import funds
from tests.factories.payments import TODAY, bring_to, make_batch, make_payee

pytestmark = pytest.mark.django_db


def test_files_of_funds_and_movements(clerk, reviewer, county_user, township, village, export):
    funds.open_fund(
        by=clerk, office=township, policy_code="CN-RURAL", year=2018, budget=Decimal("670080.00"),
        document="财社1号", today=TODAY,
    )  # fmt: skip
    make_payee(village)
    batch = make_batch(clerk, township)
    bring_to("approved", batch, clerk=clerk, reviewer=reviewer, county_user=county_user)
    (fund,) = export(clerk, fund_list.KEY, heading="政策")
    assert (fund["单位"], fund["年度"], fund["预算（元）"]) == ("禄脿街道", 2018, 670080)
    assert (fund["到账（元）"], fund["可用（元）"], fund["待发（元）"]) == (1000000, 999040, 960)
    newest, oldest = export(clerk, entry_list.KEY, f"office={township.pk}&year=2018", "政策")
    assert (newest["事项"], newest["从→到"], newest["金额（元）"]) == ("批准占用", "可用→待发", 960)
    assert (newest["批次"], oldest["凭证或文件"]) == (batch.number, "指标文1号")
    assert len(export(clerk, entry_list.KEY, "year=2018&kind=receive", heading="政策")) == 1
