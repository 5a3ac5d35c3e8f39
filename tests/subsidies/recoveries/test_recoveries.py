"""Money asked back: proposed by one, decided by another, down to nothing, and the fund with it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.db import connection

from fpadmin.accounts.models import User
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households.models import Resident
from subsidies.models import Fund, FundEntry, Recovery, RecoveryPart
from subsidies.services.bank_returns import pay_late, post_answers
from subsidies.services.payments import hold_line, release_line, void_batch
from subsidies.services.recoveries import decide_recovery, propose_recovery, repay_recovery
from subsidies.services.reissues import create_reissue
from tests.factories.payments import (
    NOW,
    TODAY,
    bring_to,
    make_batch,
    make_payee,
    second_clerk,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


@pytest.fixture
def line(people, clerk, village):
    """A line of 960 yuan that was paid."""
    make_payee(village)
    return paid_batch(people, village.parent).lines.get()


def paid_batch(people, township, **values):
    batch = bring_to("sent", make_batch(people["clerk"], township, **values), **people)
    answer(people["clerk"], batch)
    return batch


def answer(clerk, batch, *, failed=False):
    keys = batch.lines.filter(state="instructed").values_list("pk", flat=True)
    outcomes = {"paid": dict.fromkeys(keys, TODAY), "failed": {}}
    if failed:
        outcomes = {"paid": {}, "failed": dict.fromkeys(keys, "银行系统超时")}
    post_answers(by=clerk, batch=batch, today=TODAY, now=NOW, **outcomes)
    batch.refresh_from_db()


def proposed(by, line, amount="960.00", **values):
    values = {"reason": "overpaid", "by_deduction": False, "note": "已于年初死亡"} | values
    return propose_recovery(
        by=by, line=line, amount=Decimal(amount), today=TODAY, now=NOW, **values
    )


def decided(by, recovery, accept=True, note=""):
    return decide_recovery(by=by, recovery=recovery, accept=accept, note=note, now=NOW)


def opened(people, line, *args, **values):
    return decided(people["reviewer"], proposed(people["clerk"], line, *args, **values))


def repaid(by, recovery, amount="960.00", **values):
    values = {"happened_on": TODAY, "document": "收据1号"} | values
    return repay_recovery(
        by=by, recovery=recovery, amount=Decimal(amount), today=TODAY, now=NOW, **values
    )


def state_of(line):
    line.refresh_from_db()
    return line.state


# Proposed


def test_proposal_moves_no_money_and_waits_for_somebody_else(clerk, line):
    before = FundEntry.objects.count()
    recovery = proposed(clerk, line)
    assert (recovery.state, recovery.amount, recovery.settled) == ("proposed", 960, 0)
    assert state_of(line) == "recall_asked"
    assert FundEntry.objects.count() == before
    event = AuditEvent.objects.get(type="recovery.proposed")
    assert (event.target_id, event.region_path) == (str(recovery.pk), line.village.path)
    assert "960" not in str(event.changes)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"amount": "960.01"}, "最多可追回960.00元"),
        ({"amount": "0.00"}, "金额要大于0"),
        ({"note": " "}, "请写明依据"),
        ({"reason": "late_success"}, "只有已入账的才能追回"),
    ],
)
def test_proposal_is_refused(clerk, line, values, words):
    with pytest.raises(RuleViolation, match=words):
        proposed(clerk, line, **values)
    assert state_of(line) == "paid"
    assert not Recovery.objects.exists()


def test_line_is_asked_back_once_at_a_time(people, clerk, line):
    recovery = proposed(clerk, line, "100.00")
    with pytest.raises(RuleViolation, match="只有已入账的"):
        proposed(clerk, line, "100.00")
    decided(people["reviewer"], recovery, accept=False, note="没有多发")
    assert proposed(clerk, line, "100.00").pk


def test_line_that_was_not_paid_is_not_asked_back(people, clerk, village):
    make_payee(village)
    sent = bring_to("sent", make_batch(clerk, village.parent), **people)
    with pytest.raises(RuleViolation, match="银行处理中.*只有已入账"):
        proposed(clerk, sent.lines.get())


def test_nothing_is_deducted_from_who_is_paid_no_more(clerk, line):
    Resident.objects.filter(pk=line.beneficiary_id).update(death_date=date(2018, 1, 5))
    with pytest.raises(RuleViolation, match="没有这项政策的发放可以抵扣"):
        proposed(clerk, line, by_deduction=True)


def test_reviewer_proposes_nothing_and_another_office_sees_nothing(reviewer, other_clerk, line):
    for user in (reviewer, other_clerk):
        with pytest.raises(RuleViolation):
            proposed(user, line)
    assert not Recovery.objects.exists()


@pytest.mark.parametrize("step", ["propose", "decide", "repay"])
def test_nothing_stays_where_the_record_fails(people, clerk, line, step):
    recovery = None
    if step != "propose":
        recovery = proposed(clerk, line)
    if step == "repay":
        decided(people["reviewer"], recovery)
    before = (state_of(line), Recovery.objects.values().first(), Fund.objects.values().get())
    act = {
        "propose": lambda: proposed(clerk, line),
        "decide": lambda: decided(people["reviewer"], recovery),
        "repay": lambda: repaid(clerk, recovery),
    }[step]
    with (
        patch("subsidies.services.recoveries.log.record", side_effect=OSError("full")),
        pytest.raises(OSError, match="full"),
    ):
        act()
    assert before == (
        state_of(line),
        Recovery.objects.values().first(),
        Fund.objects.values().get(),
    )
    assert not RecoveryPart.objects.exists()


# Decided


def test_another_person_agrees(people, line):
    recovery = opened(people, line)
    assert (recovery.state, recovery.decided_by) == ("open", people["reviewer"])
    assert state_of(line) == "recall_asked"
    assert AuditEvent.objects.get(type="recovery.opened").target_id == str(recovery.pk)


def test_refused_proposal_leaves_the_line_paid(people, clerk, line):
    recovery = proposed(clerk, line)
    with pytest.raises(RuleViolation, match="不同意要写明原因"):
        decided(people["reviewer"], recovery, accept=False)
    decided(people["reviewer"], recovery, accept=False, note="没有多发")
    assert state_of(line) == "paid"
    assert AuditEvent.objects.get(type="recovery.refused").target_id == str(recovery.pk)


def test_nobody_decides_on_what_they_proposed_or_twice(people, clerk, line):
    recovery = proposed(clerk, line)
    with pytest.raises(RuleViolation, match="不能审核自己提出的"):
        decided(clerk, recovery)
    decided(second_clerk(line.batch.office), recovery)
    with pytest.raises(RuleViolation, match="已经审核过"):
        decided(people["reviewer"], recovery)


def test_county_does_not_decide(people, clerk, line):
    recovery = proposed(clerk, line)
    with pytest.raises(RuleViolation, match="不由您的岗位"):
        decided(people["county_user"], recovery)


# Repaid


def test_money_comes_back_in_parts_until_it_is_all_there(people, clerk, line):
    recovery = opened(people, line)
    fund = Fund.objects.get()
    free = fund.free
    repaid(clerk, recovery, "460.00")
    recovery.refresh_from_db()
    assert (recovery.state, recovery.settled, state_of(line)) == ("open", 460, "recall_asked")
    repaid(clerk, recovery, "500.00")
    recovery.refresh_from_db()
    assert (recovery.state, recovery.settled, state_of(line)) == ("settled", 960, "recovered")
    fund.refresh_from_db()
    assert (fund.free, fund.paid, fund.recovered) == (free + 960, 960, 960)
    assert fund.allotted == fund.free + fund.reserved + fund.paid - fund.recovered
    entries = FundEntry.objects.filter(kind="recover", recovery=recovery)
    assert sorted(entries.values_list("amount", flat=True)) == [460, 500]
    assert AuditEvent.objects.filter(type="recovery.repaid").count() == 2
    assert AuditEvent.objects.filter(type="recovery.settled").count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"amount": "960.01"}, "最多可追回960.00元"),
        ({"amount": "-1.00"}, "金额要大于0"),
        ({"happened_on": date(2018, 10, 10)}, "不能晚于今天"),
        ({"happened_on": date(2018, 10, 8)}, "不能早于发放入账"),
        ({"document": " "}, "请填写收款凭证"),
    ],
)
def test_repayment_is_refused(people, clerk, line, values, words):
    recovery = opened(people, line)
    with pytest.raises(RuleViolation, match=words):
        repaid(clerk, recovery, **values)
    assert not RecoveryPart.objects.exists()


def test_nothing_is_repaid_before_it_is_agreed_or_after_all_is_there(people, clerk, line):
    recovery = proposed(clerk, line)
    with pytest.raises(RuleViolation, match="待审核"):
        repaid(clerk, recovery)
    decided(people["reviewer"], recovery)
    with pytest.raises(RuleViolation, match="不由您的岗位"):
        repaid(people["reviewer"], recovery)
    repaid(clerk, recovery)
    with pytest.raises(RuleViolation, match="已追回"):
        repaid(clerk, recovery, "1.00")


def test_what_is_being_kept_out_of_a_payment_is_not_repaid_besides(people, clerk, line, township):
    recovery = opened(people, line, by_deduction=True)
    later = make_batch(
        clerk, township, year=2019, pay_year=2019, is_on_already=True, today=TODAY
    ).lines.get()
    assert later.deduction == 480
    with pytest.raises(RuleViolation, match="最多可追回480.00元"):
        repaid(clerk, recovery, "480.01")
    repaid(clerk, recovery, "480.00")
    bring_to("sent", later.batch, **people)
    answer(clerk, later.batch)
    recovery.refresh_from_db()
    assert (recovery.state, recovery.settled, state_of(line)) == ("settled", 960, "recovered")


def test_what_a_held_line_is_cut_by_comes_back_once(people, clerk, line, township):
    recovery = opened(people, line, by_deduction=True)
    batch = make_batch(clerk, township, year=2019, pay_year=2019, is_on_already=True)
    held = batch.lines.get()
    hold_line(by=clerk, line=held, reason="核实", now=NOW)
    with pytest.raises(RuleViolation, match="最多可追回480.00元"):
        repaid(clerk, recovery, "960.00")
    repaid(clerk, recovery, "480.00")
    other = make_batch(clerk, township, year=2020, pay_year=2020, is_on_already=True)
    assert other.lines.get(year=2020).deduction == 0
    release_line(by=clerk, line=held, now=NOW)
    bring_to("sent", batch, **people)
    answer(clerk, batch)
    recovery.refresh_from_db()
    assert (recovery.state, recovery.settled) == ("settled", 960)


def test_what_a_line_left_behind_was_cut_by_is_owed_as_before(people, clerk, line, township):
    recovery = opened(people, line, by_deduction=True)
    batch = make_batch(clerk, township, year=2019, pay_year=2019, is_on_already=True)
    void_batch(by=clerk, batch=batch, note="重做", today=TODAY, now=NOW)
    repaid(clerk, recovery, "960.00")
    recovery.refresh_from_db()
    assert recovery.state == "settled"


def test_deduction_that_fails_with_its_line_does_not_count(people, clerk, line, township):
    recovery = opened(people, line, by_deduction=True)
    later = make_batch(clerk, township, year=2019, pay_year=2019, is_on_already=True)
    bring_to("sent", later, **people)
    answer(clerk, later, failed=True)
    recovery.refresh_from_db()
    assert (recovery.settled, recovery.state) == (0, "open")
    repaid(clerk, recovery)
    recovery.refresh_from_db()
    assert recovery.state == "settled"


@pytest.mark.parametrize(("back", "counted"), [("960.00", 0), ("700.00", 260)])
def test_cut_line_that_arrives_late_counts_for_what_is_still_owed(
    people, clerk, line, township, back, counted
):
    recovery = opened(people, line, by_deduction=True)
    later = make_batch(clerk, township, year=2019, pay_year=2019, is_on_already=True)
    bring_to("sent", later, **people)
    answer(clerk, later, failed=True)
    repaid(clerk, recovery, back)
    late, _ = pay_late(by=clerk, line=later.lines.get(), paid_on=TODAY, today=TODAY, now=NOW)
    assert (late.state, late.amount) == ("paid", 480)
    recovery.refresh_from_db()
    assert (recovery.state, recovery.settled) == ("settled", 960)
    parts = RecoveryPart.objects.filter(line=late, counts=True)
    assert sum(part.amount for part in parts) == counted


# After a late success


def test_late_success_after_a_re_issue_is_repaid_and_the_fund_comes_out(people, clerk, village):
    make_payee(village)
    batch = bring_to("sent", make_batch(clerk, village.parent), **people)
    answer(clerk, batch, failed=True)
    child = create_reissue(by=clerk, batch=batch, today=TODAY, now=NOW)
    answer(clerk, bring_to("sent", child, **people))
    line, recovery = pay_late(by=clerk, line=batch.lines.get(), paid_on=TODAY, today=TODAY, now=NOW)
    decided(people["reviewer"], recovery)
    assert state_of(line) == "failed"
    repaid(clerk, recovery)
    recovery.refresh_from_db()
    assert (recovery.state, state_of(line), child.lines.get().state) == (
        "settled", "failed", "paid",
    )  # fmt: skip
    fund = Fund.objects.get()
    assert (fund.paid, fund.recovered, fund.reserved) == (1920, 960, 0)
    assert fund.allotted == fund.free + fund.paid - fund.recovered


def test_what_arrived_late_is_not_paid_again_where_its_re_issue_fails(people, clerk, village):
    make_payee(village)
    batch = bring_to("sent", make_batch(clerk, village.parent), **people)
    answer(clerk, batch, failed=True)
    child = create_reissue(by=clerk, batch=batch, today=TODAY, now=NOW)
    bring_to("sent", child, **people)
    _, recovery = pay_late(by=clerk, line=batch.lines.get(), paid_on=TODAY, today=TODAY, now=NOW)
    answer(clerk, child, failed=True)
    with pytest.raises(RuleViolation, match="没有可以补发的"):
        create_reissue(by=clerk, batch=child, today=TODAY, now=NOW)
    with pytest.raises(RuleViolation, match="没有可以发放的人"):
        make_batch(clerk, village.parent, is_on_already=True)
    decided(people["reviewer"], recovery)
    repaid(clerk, recovery)
    again = create_reissue(by=clerk, batch=child, today=TODAY, now=NOW)
    assert again.lines.get().amount == 960


def test_late_success_is_proposed_again_where_it_was_refused_and_never_deducted(
    people, clerk, village
):
    make_payee(village)
    batch = bring_to("sent", make_batch(clerk, village.parent), **people)
    answer(clerk, batch, failed=True)
    child = create_reissue(by=clerk, batch=batch, today=TODAY, now=NOW)
    answer(clerk, bring_to("sent", child, **people))
    line, recovery = pay_late(by=clerk, line=batch.lines.get(), paid_on=TODAY, today=TODAY, now=NOW)
    decided(people["reviewer"], recovery, accept=False, note="先问银行")
    assert state_of(line) == "failed"
    with pytest.raises(RuleViolation, match="没有这项政策的发放可以抵扣"):
        proposed(clerk, line, reason="late_success", by_deduction=True)
    assert proposed(clerk, line, reason="late_success").state == "proposed"
    assert state_of(line) == "failed"


# Two at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_of_two_repayments_at_once_one_is_too_much(people, clerk, line):
    recovery = opened(people, line)
    users = [clerk, second_clerk(line.batch.office)]
    start = threading.Barrier(2)

    def pay(pk):
        try:
            start.wait(timeout=20)
            return repaid(User.objects.get(pk=pk), recovery).state
        except RuleViolation as violation:
            return violation.message
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(pay, [user.pk for user in users]))
    assert "settled" in outcomes
    assert any("已追回" in one for one in outcomes)
    assert RecoveryPart.objects.count() == 1
    assert Fund.objects.get().recovered == 960
