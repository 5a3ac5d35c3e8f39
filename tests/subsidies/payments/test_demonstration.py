"""The payment that the demonstration shows: three people took the steps, most of it arrived."""

from collections import Counter

import pytest
from django.core.management import call_command

from subsidies.models import BankFile, Fund, PaymentBatch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def demo(capsys) -> str:
    call_command("demo")
    return capsys.readouterr().out


def test_batch_of_the_demo_is_with_the_bank_with_a_few_failures(settings, capsys):
    settings.DEMO = True
    assert "发放批次：702笔，7笔失败" in demo(capsys)
    batch = PaymentBatch.objects.exclude(kind="history").get()
    assert (batch.state, batch.count, batch.persons) == ("partly_returned", 702, 3)
    people = batch.made_by, batch.submitted_by, batch.checked_by, batch.approved_by, batch.sent_by
    assert [one.username for one in people] == ["jingban", "jingban", "shenhe", "xianji", "jingban"]
    days = [f"{at:%m-%d}" for at in (
        batch.made_at, batch.checked_at, batch.approved_at, batch.sent_at)]  # fmt: skip
    assert days == ["09-10", "09-12", "09-14", "09-17"]
    assert Counter(batch.lines.values_list("state", flat=True)) == {
        "paid": 693, "failed": 7, "unknown": 2,
    }  # fmt: skip
    fund = Fund.objects.get()
    assert (fund.allotted, fund.free, fund.reserved, fund.paid) == (680_000, 12_800, 1_920, 665_280)
    assert BankFile.objects.get().count == 702
    assert "发放批次：1个，没有改动" in demo(capsys)
    assert PaymentBatch.objects.exclude(kind="history").count() == 1


def test_without_accounts_nobody_pays(settings, capsys):
    settings.DEMO = False
    assert "发放批次：没有编制" in demo(capsys)
    assert not PaymentBatch.objects.exclude(kind="history").exists()
