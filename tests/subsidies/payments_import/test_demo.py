"""The payments of lubiao-2018: their figures are those of the published report."""

from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import Count, Sum

from fpadmin.accounts.models import Region
from households.demo import township
from households.models import Resident
from subsidies.models import PaymentLine
from tests.factories.workbooks import check_import

pytestmark = pytest.mark.django_db

# (policy, grade): persons and yuan paid in 2018.
PUBLISHED = {
    ("YN-SCHOLARSHIP", "小学"): (23, 3_680), ("YN-SCHOLARSHIP", "初中"): (52, 13_520),
    ("YN-SCHOLARSHIP", "高中"): (15, 15_000), ("YN-SCHOLARSHIP", "大专"): (6, 7_200),
    ("YN-SCHOLARSHIP", "本科"): (15, 30_000), ("LOCAL-LIVING", ""): (5, 16_800),
    ("LOCAL-DIBAO", ""): (43, 60_700), ("YN-HEALTH-FEE", ""): (94, 10_590),
}  # fmt: skip


@pytest.fixture
def demo(db, capsys):
    call_command("demo", "--json")


def test_payments_of_2018_come_in_with_the_published_sums(demo):
    rows = PaymentLine.objects.filter(batch__kind="history").order_by()
    grouped = rows.values_list("policy_code", "grade").annotate(
        Count("beneficiary", distinct=True), Sum("amount")
    )
    assert {(code, grade): (n, yuan) for code, grade, n, yuan in grouped} == {
        key: (n, Decimal(yuan)) for key, (n, yuan) in PUBLISHED.items()
    }
    assert set(rows.values_list("batch__pay_year", "state")) == {(2018, "paid")}
    fee = rows.filter(policy_code="YN-HEALTH-FEE")
    assert set(fee.values_list("year", flat=True)) == {2017}
    assert fee.aggregate(months=Sum("month_count"))["months"] == 1_059
    content = (township.FOLDER / "payments.xlsx").read_bytes()
    outcome = check_import("payments", content, Region.objects.get(code=township.OFFICE))
    assert (outcome.unchanged, outcome.issues) == (253, [])


def test_pupils_and_families_of_the_demo_are_who_they_should_be(demo):
    paid = PaymentLine.objects.filter(batch__kind="history").order_by()
    ages = {"小学": (6, 12), "初中": (12, 15), "高中": (15, 18), "大专": (18, 23), "本科": (18, 23)}
    for grade, born, hukou in paid.filter(policy_code="YN-SCHOLARSHIP").values_list(
        "grade", "beneficiary__birth_date", "beneficiary__hukou"
    ):
        first, end = ages[grade]
        assert first <= 2018 - born.year - ((born.month, born.day) > (9, 1)) < end
        assert hukou == "农业"
    homes = paid.filter(policy_code="LOCAL-DIBAO").values("beneficiary__household")
    assert not homes.filter(beneficiary__household__low_income_spells__isnull=True).exists()
    living = paid.filter(policy_code="LOCAL-LIVING").values("beneficiary")
    assert (
        Resident.objects.filter(
            pk__in=living, relation="户主", household__special_families__isnull=False
        ).count()
        == 5
    )
