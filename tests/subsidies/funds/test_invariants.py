"""What must hold of payments: found when it is broken, and never broken by what the services do."""

import io
import re
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import F

from fpadmin import sealed
from fpadmin.invariants import INVARIANTS
from households.models import Resident
from subsidies.bank_files import writing
from subsidies.bank_files.kept import FOLDER
from subsidies.bank_files.layouts import SHIPPED
from subsidies.models import (
    BankFile,
    Fund,
    PaymentBatch,
    PaymentLine,
    PaymentPersons,
    PaymentStep,
    Recovery,
    RecoveryPart,
)
from subsidies.services import bank_returns, payments, recoveries
from subsidies.services.reissues import create_reissue
from tests.factories.payments import NOW, TODAY, bring_to, give_account, make_batch, make_payee

pytestmark = pytest.mark.django_db
KEYS = [f"PAY{number}" for number in range(1, 10)]
BATCH, LINE = "subsidies_paymentbatch", "subsidies_paymentline"


def broken(now=NOW) -> dict[str, int]:
    """How much each finds, those that find nothing left out."""
    found = {key: len(list(INVARIANTS[key].find(now))) for key in KEYS}
    return {key: number for key, number in found.items() if number}


@contextmanager
def unguarded(*triggers: str, table: str = LINE, indexes=(), checks: tuple[str, ...] = ()):
    """Without these triggers, indexes and CHECKs, as if somebody wrote into the database itself.

    What is dropped comes back when the test's transaction is undone.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else the table is held by them
        for index in indexes:
            cursor.execute(f"DROP INDEX {index}")
        for name in triggers:
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {name}{on}")
        for name in checks:
            if connection.vendor == "postgresql":
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        try:
            yield cursor
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


@pytest.fixture
def batch_at(people, township, village, settings, tmp_path):
    """batch_at(state): a batch of three people, taken there, with its file where it has one."""
    settings.MEDIA_ROOT = tmp_path

    def make(state: str, *, names=("陶有田", "宋桂兰", "李长庚"), code="CN-RURAL") -> PaymentBatch:
        for name in names:
            make_payee(village, name, code)
        is_on = PaymentBatch.objects.exists()
        batch = make_batch(people["clerk"], township, code, is_on_already=is_on)
        return filed(bring_to(state, batch, **people) if state != "draft" else batch)

    return make


def filed(batch: PaymentBatch) -> PaymentBatch:
    """With the file that its state asks for."""
    if batch.state in ("draft", "submitted", "checked", "approved"):
        return batch
    layout = next(iter(SHIPPED.values()))
    words = writing.words_of(batch, TODAY)
    made = writing.make(batch, layout, words)
    BankFile.objects.create(
        batch=batch, layout=writing.as_data(layout, words), name="发放.xlsx",
        file=sealed.keep_parts(FOLDER, io.BytesIO(made.content.getvalue())), sha256=made.sha256,
        size=made.size, count=made.count, total=made.total, made_at=NOW,
    )  # fmt: skip
    return batch


def answer(people, batch, paid=(), failed=(), returned=(), unknown=(), now=NOW):
    """The bank's answer, by the lines' numbers."""
    key = dict(batch.lines.values_list("line_no", "pk"))
    return bank_returns.post_answers(
        by=people["clerk"], batch=batch, paid={key[n]: TODAY for n in paid},
        failed={key[n]: "账号位数不对" for n in failed},
        returned={key[n]: "户名与账号不符" for n in returned}, unknown=[key[n] for n in unknown],
        today=TODAY, now=now,
    )  # fmt: skip


# Whole ledgers stay whole ----------------------------------------------------------------------


@pytest.mark.parametrize("state", ["draft", "submitted", "checked", "approved", "sealed", "sent"])
def test_nothing_is_found_at_any_step(batch_at, state):
    batch_at(state)
    assert broken() == {}


def test_nothing_is_found_after_reissues_late_success_and_cheques_returned(people, batch_at):
    batch = batch_at("sent")
    answer(people, batch, paid=[1], unknown=[2], failed=[3])
    assert broken() == {}
    answer(people, batch, failed=[2])
    answer(people, batch, returned=[1])
    assert broken() == {}
    for person in Resident.objects.filter(payments__batch=batch):
        give_account(person, f"6229111100{person.pk:09d}")
    child = create_reissue(by=people["clerk"], batch=batch, today=TODAY, now=NOW)
    assert broken() == {}
    filed(bring_to("sent", child, **people))
    answer(people, child, paid=[1, 2, 3])
    assert broken() == {}
    late = batch.lines.get(line_no=3)
    bank_returns.pay_late(by=people["clerk"], line=late, paid_on=TODAY, today=TODAY, now=NOW)
    recovery = Recovery.objects.get()
    assert broken() == {}
    recoveries.decide_recovery(
        by=people["reviewer"], recovery=recovery, accept=True, note="", now=NOW
    )
    for amount in ("59.99", "900.01"):
        recoveries.repay_recovery(
            by=people["clerk"], recovery=recovery, amount=Decimal(amount), happened_on=TODAY,
            document="收据1号", today=TODAY, now=NOW,
        )  # fmt: skip
        assert broken() == {}
    for one in (batch, child):
        one.refresh_from_db()
        payments.close_batch(by=people["clerk"], batch=one, now=NOW)
    assert broken() == {}
    fund = Fund.objects.get()
    assert (fund.paid, fund.recovered) == (Decimal("3840.00"), Decimal("960.00"))


def test_nothing_is_found_after_holding_and_giving_up(people, batch_at):
    batch = batch_at("approved")
    payments.hold_line(by=people["clerk"], line=batch.lines.get(line_no=2), reason="核实", now=NOW)
    assert broken() == {}
    filed(payments.seal_batch(by=people["clerk"], batch=batch, now=NOW))
    assert broken() == {}
    payments.void_batch(by=people["clerk"], batch=batch, note="重做", today=TODAY, now=NOW)
    assert broken() == {}


def test_nothing_is_found_of_a_batch_sent_back_and_given_up(people, batch_at):
    batch = batch_at("submitted")
    payments.return_batch(by=people["reviewer"], batch=batch, note="核实", now=NOW)
    assert broken() == {}
    payments.void_batch(by=people["clerk"], batch=batch, note="重做", today=TODAY, now=NOW)
    assert broken() == {}


def test_history_needs_neither_money_nor_people(batch_at, township, village):
    line = make_payee(village, "赵四")
    batch = PaymentBatch.objects.create(
        number="历史-2015", office=township, policy_code="CN-RURAL", kind="history", year=2015,
        from_month=date(2015, 1, 1), to_month=date(2015, 12, 1), pay_year=2015, state="closed",
    )  # fmt: skip
    PaymentLine.objects.create(
        batch=batch, line_no=1, state="paid", policy_code="CN-RURAL", slot="2015", year=2015,
        beneficiary=line.resident, village=village, name="赵四", gross=960, amount=960,
        paid_on=date(2015, 12, 1),
    )  # fmt: skip
    assert broken() == {}


def test_two_people_by_a_rule_are_enough(people, township, county, village):
    PaymentPersons.objects.create(region=county, from_on=TODAY, document="三号文", persons=2)
    make_payee(village)
    batch = make_batch(people["clerk"], township)
    bring_to("approved", batch, **people | {"county_user": people["reviewer"]})
    assert broken() == {}


def test_two_records_of_a_person_made_one_change_no_list(people, batch_at, village):
    batch = batch_at("approved")
    other = make_payee(village, "陶有田", start=date(2018, 12, 1), end_month=date(2018, 11, 1),
                       end_reason="其他").resident  # fmt: skip
    batch.lines.filter(line_no=1).update(beneficiary=other)
    assert broken() == {}


# Each is found ---------------------------------------------------------------------------------


def test_month_in_two_live_lines_is_found(people, batch_at):
    batch = batch_at("draft")
    line = batch.lines.get(line_no=1)
    other = PaymentLine.objects.get(pk=line.pk)
    other.pk, other.line_no = None, 99
    with unguarded(indexes=["one_live_month_1"]):
        other.save(force_insert=True)
        assert broken() == {"PAY1": 1}
        PaymentLine.objects.filter(pk=other.pk).update(months=2)
        assert broken() == {}  # the month after


def test_payment_that_the_ledger_does_not_know_is_found(people, batch_at):
    batch = batch_at("sent")
    batch.lines.filter(line_no=1).update(state="paid", paid_on=TODAY)
    assert broken() == {"PAY2": 1, "PAY3": 1}


def test_money_back_that_the_ledger_does_not_know_is_found(people, batch_at):
    batch = batch_at("sent")
    answer(people, batch, paid=[1, 2, 3])
    recovery = Recovery.objects.create(
        line=batch.lines.get(line_no=1), reason="overpaid", amount=960, note="核实",
        proposed_by=people["clerk"], proposed_at=NOW,
    )  # fmt: skip
    part = RecoveryPart.objects.create(
        recovery=recovery, amount=Decimal("0.01"), happened_on=TODAY, at=NOW
    )
    assert broken() == {"PAY2": 1}
    part.delete()
    assert broken() == {}


def test_balance_that_no_movement_made_is_found(people, batch_at):
    batch_at("approved")
    moved = Decimal("0.01")
    Fund.objects.update(allotted=F("allotted") + moved, free=F("free") + moved)
    assert broken() == {"PAY3": 1}


def test_ledger_that_does_not_add_up_is_found(people, batch_at):
    batch_at("approved")
    with unguarded(table="subsidies_fund", checks=("subsidies_fund_balances",)):
        Fund.objects.update(allotted=F("allotted") + 1)
        words = [str(one) for one in INVARIANTS["PAY3"].find(NOW)]
    assert [re.sub(r"\d+", "N", one) for one in words] == [
        "资金台账N的余额和流水不符", "资金台账N：到账不等于可用、待发、已发减追回",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"name": "别人"}, {"account_digest": "0" * 43}, {"gross": 961, "amount": 961},
        {"is_agreed": False},
    ],
    ids=["name", "account", "amount", "left-out"],
)  # fmt: skip
def test_list_changed_after_it_was_submitted_is_found(people, batch_at, change):
    batch = batch_at("submitted")
    with unguarded("paymentline_frozen"):
        batch.lines.filter(line_no=2).update(**change)
    assert broken() == {"PAY4": 1}


def test_totals_changed_after_the_list_was_submitted_are_found(people, batch_at):
    batch = batch_at("checked")
    with unguarded("paymentbatch_frozen", table=BATCH):
        PaymentBatch.objects.filter(pk=batch.pk).update(total=F("total") + 1)
    assert broken() == {"PAY4": 1}


def test_bank_file_that_is_gone_changed_or_of_others_is_found(people, batch_at):
    batch = batch_at("sent")
    kept = BankFile.objects.get()
    with default_storage.open(kept.file) as file:
        whole = file.read()

    def put(content):
        default_storage.delete(kept.file)
        default_storage.save(kept.file, io.BytesIO(content))

    put(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert broken() == {"PAY5": 1}
    default_storage.delete(kept.file)
    assert broken() == {"PAY5": 1}
    put(whole)
    assert broken() == {}
    BankFile.objects.update(sha256="0" * 64)
    assert broken() == {"PAY5": 1}
    BankFile.objects.update(sha256=kept.sha256, count=kept.count + 1)
    assert broken() == {"PAY5": 1}
    BankFile.objects.all().delete()
    assert [str(one) for one in INVARIANTS["PAY5"].find(NOW)] == [
        f"发放批次{batch.number}已生成银行文件，但是没有文件"
    ]


def test_line_without_an_outcome_in_a_settled_batch_is_found(people, batch_at):
    batch = batch_at("sent")
    answer(people, batch, paid=[1, 2], unknown=[3])
    PaymentBatch.objects.filter(pk=batch.pk).update(state="reconciled")
    found = broken()
    assert found["PAY6"] == 1
    assert found == {"PAY6": 1, "PAY9": 1}


def test_line_whose_outcome_the_bank_never_told_is_a_warning(people, batch_at):
    batch = batch_at("sent")
    answer(people, batch, paid=[1, 2], unknown=[3])
    assert INVARIANTS["PAY7"].warning
    # Sent on Tuesday: Friday is the third working day after it, Monday the fourth.
    for day, found in (("2018-10-12", {}), ("2018-10-14", {}), ("2018-10-15", {"PAY7": 1})):
        assert broken(datetime.fromisoformat(f"{day}T12:00:00+08:00")) == found


@pytest.mark.parametrize(
    ("column", "same", "check"),
    [
        ("approved_by", "checked_by", "three_people"),
        ("approved_by", "made_by", "maker_is_not_approver"),
        ("checked_by", "submitted_by", "maker_is_not_approver"),
        ("checked_by", None, "checked_by_somebody"),
    ],
    ids=["two", "maker-approves", "maker-checks", "nobody"],
)
def test_too_few_people_are_found(people, batch_at, column, same, check):
    batch = batch_at("approved")
    checks = (f"{BATCH}_{check}", f"{BATCH}_who_and_when")
    value = F(same) if same else None
    with unguarded(table=BATCH, checks=checks):
        PaymentBatch.objects.filter(pk=batch.pk).update(**{column: value})
        assert broken() == {"PAY8": 1}


def test_two_people_without_a_rule_are_found(people, township, county, village):
    make_payee(village)
    batch = make_batch(people["clerk"], township)
    PaymentBatch.objects.filter(pk=batch.pk).update(persons=2)
    bring_to("approved", batch, **people | {"county_user": people["reviewer"]})
    assert broken() == {"PAY8": 1}
    later = (NOW + timedelta(days=1)).date()
    rule = PaymentPersons.objects.create(region=county, from_on=later, document="三号文", persons=2)
    assert broken() == {"PAY8": 1}
    PaymentPersons.objects.filter(pk=rule.pk).update(from_on=TODAY)
    assert broken() == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda batch: batch.steps.filter(action="check").delete(),
        lambda batch: batch.steps.filter(action="approve").update(to_state="sealed"),
        lambda batch: batch.steps.filter(action="approve").update(from_state="submitted"),
        lambda batch: batch.steps.order_by("-pk").first().delete(),
        lambda batch: batch.steps.all().delete(),
        lambda batch: PaymentStep.objects.filter(batch=batch, action="create").update(
            action="recalculate", from_state="draft"
        ),
    ],
    ids=["left-out", "elsewhere", "from-elsewhere", "cut-off", "none", "no-beginning"],
)
def test_gap_between_the_steps_is_found(people, batch_at, change):
    batch = batch_at("approved")
    change(batch)
    assert broken() == {"PAY9": 1}


def test_step_that_no_event_tells_of_is_found(people, batch_at):
    batch = batch_at("draft")
    PaymentStep.objects.create(
        batch=batch, action="recalculate", from_state="draft", to_state="draft", at=NOW
    )
    assert [str(one) for one in INVARIANTS["PAY9"].find(NOW)] == [
        f"发放批次{batch.number}的办理步骤和审计记录不符"
    ]


def test_batches_are_looked_at_together(people, batch_at, assert_query_count_does_not_grow):
    """Not one query per line: only the list and the file of each batch are read."""
    batch_at("sent")
    keys = [key for key in KEYS if key not in ("PAY4", "PAY5")]

    def look():
        for key in keys:
            list(INVARIANTS[key].find(NOW))

    def grow():
        with transaction.atomic():
            batch_at("sent", names=[f"某{number}" for number in range(8)])

    assert_query_count_does_not_grow(look, grow)


def test_findings_name_the_place_and_nobody(people, batch_at, township):
    batch = batch_at("sent")
    batch.lines.filter(line_no=1).update(state="paid", paid_on=TODAY)
    for one in [*INVARIANTS["PAY2"].find(NOW), *INVARIANTS["PAY3"].find(NOW)]:
        assert one.region_path == township.path
        assert (one.target, one.pk) == ("subsidies.fund", Fund.objects.get().pk)
        assert "陶" not in str(one)
