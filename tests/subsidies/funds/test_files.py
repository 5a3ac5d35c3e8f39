"""The Excel files of funds and movements: the page's rows, money as figures."""

import io
from decimal import Decimal

import openpyxl
import pytest
import pyzipper
from django.http import QueryDict
from django.utils import timezone

from fpadmin.exports import services
from fpadmin.ui.listing import LISTS, Asked, Selection
from subsidies.funds import entry_list, fund_list
from subsidies.services import funds
from tests.factories.payments import TODAY, bring_to, make_batch, make_payee

pytestmark = pytest.mark.django_db


@pytest.fixture
def export(settings, tmp_path, run_jobs_now):
    """export(by, key, query) → the sheet's rows below its headings."""
    settings.MEDIA_ROOT = tmp_path

    def make(by, key, query="") -> list[dict]:
        spec = LISTS[key]
        made = services.request_export(
            by=by, spec=spec, columns=[c for c in spec.columns if c.in_file], scope="found",
            selection=Selection(Asked(by, QueryDict(query), {}, TODAY), is_all=True), clear=False,
            purpose="check", note="", now=timezone.now(),
        )  # fmt: skip
        run_jobs_now()
        made.refresh_from_db()
        content = b"".join(services.open_file(export=made, by=by))
        with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
            archive.setpassword(made.password.encode())
            sheet = openpyxl.load_workbook(io.BytesIO(archive.read(archive.namelist()[0]))).active
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        start = next(i for i, row in enumerate(rows) if "政策" in row)
        return [dict(zip(rows[start], row, strict=True)) for row in rows[start + 1 :] if row[1]]

    return make


def test_files_of_funds_and_movements(clerk, reviewer, county_user, township, village, export):
    funds.open_fund(
        by=clerk, office=township, policy_code="CN-RURAL", year=2018, budget=Decimal("670080.00"),
        document="财社1号", today=TODAY,
    )  # fmt: skip
    make_payee(village)
    batch = make_batch(clerk, township)
    bring_to("approved", batch, clerk=clerk, reviewer=reviewer, county_user=county_user)
    (fund,) = export(clerk, fund_list.KEY)
    assert (fund["单位"], fund["年度"], fund["预算（元）"]) == ("禄脿街道", 2018, 670080)
    assert (fund["到账（元）"], fund["可用（元）"], fund["待发（元）"]) == (1000000, 999040, 960)
    newest, oldest = export(clerk, entry_list.KEY, f"office={township.pk}&year=2018")
    assert (newest["事项"], newest["从→到"], newest["金额（元）"]) == ("批准占用", "可用→待发", 960)
    assert (newest["批次"], oldest["凭证或文件"]) == (batch.number, "指标文1号")
    assert len(export(clerk, entry_list.KEY, "year=2018&kind=receive")) == 1
