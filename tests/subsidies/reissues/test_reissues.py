"""Failed lines paid again, once each: which, to what account, with what kept out of them, and who may."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.db import IntegrityError, connection, transaction

from fpadmin.accounts.models import User
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from subsidies.models import (
    Fund,
    PaymentBatch,
    PaymentLine,
    PaymentStep,
    Recovery,
    RecoveryPart,
    ReturnException,
)
from subsidies.services import payments
from subsidies.services.bank_returns import pay_late, post_answers, return_line
from subsidies.services.reissues import create_reissue, tell_village
from tests.factories.payments import (
    NOW,
    TODAY,
    bring_to,
    give_account,
    make_batch,
    make_payee,
    second_clerk,
)

pytestmark = pytest.mark.django_db
WRONG, FROZEN, SYSTEM = "账号不存在", "账户长期不动，已冻结", "银行系统超时"


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


def failing(people, village, reasons=(WRONG,), code="CN-RURAL"):
    """A batch sent, of which as many lines failed as there are reasons, and one more was paid."""
    for number in range(len(reasons) + 1):
        make_payee(village, f"陶{number}", code=code)
    batch = bring_to("sent", make_batch(people["clerk"], village.parent, code), **people)
    answer(people["clerk"], batch, reasons)
    return batch


def answer(clerk, batch, reasons=()):
    keys = list(batch.lines.order_by("line_no").values_list("pk", flat=True))
    failed = dict(zip(keys, reasons, strict=False))
    paid = dict.fromkeys(keys[len(reasons) :], TODAY)
    post_answers(by=clerk, batch=batch, paid=paid, failed=failed, today=TODAY, now=NOW)
    batch.refresh_from_db()


def reissued(clerk, batch, lines=None):
    return create_reissue(by=clerk, batch=batch, lines=lines, today=TODAY, now=NOW)


def mended(line, account="6229000099999999999"):
    give_account(line.beneficiary, account)
    return line.beneficiary


# What is in a re-issue


def test_failed_line_is_paid_again_to_the_account_of_now(people, clerk, village):
    batch = failing(people, village)
    line = batch.lines.get(state="failed")
    person = mended(line)
    child = reissued(clerk, batch)
    assert (child.kind, child.parent, child.state) == ("reissue", batch, "draft")
    assert (child.policy_code, child.year, child.pay_year) == ("CN-RURAL", 2018, 2018)
    assert child.number == f"{village.parent.code}-2018-002"
    again = child.lines.get()
    assert (again.reissue_of, again.state, again.amount) == (line, "planned", Decimal(960))
    assert (again.slot, again.months, again.basis) == (line.slot, line.months, line.basis)
    assert (again.account, again.bank) == ("6229000099999999999", "农村信用社")
    assert again.account_digest == person.bank_account_digest != line.account_digest
    event = AuditEvent.objects.get(type="payment.reissued")
    assert (event.target_id, event.region_path) == (str(child.pk), village.parent.path)
    assert "RURAL" not in str(event.changes)
    assert PaymentStep.objects.get(batch=child).action == "create"


@pytest.mark.parametrize(
    ("reason", "state", "hold"),
    [
        (WRONG, "held", "账号还没有更正"),
        ("户名不符", "held", "账号还没有更正"),
        (FROZEN, "held", "账户没有变，核实能入账后再恢复"),
        (SYSTEM, "planned", ""),
    ],
)
def test_line_waits_while_the_account_is_the_one_that_failed(
    people, clerk, village, reason, state, hold
):
    line = reissued(clerk, failing(people, village, [reason])).lines.get()
    assert (line.state, line.hold_reason) == (state, hold)
    if hold:
        payments.release_line(by=clerk, line=line, now=NOW)
        line.refresh_from_db()
        assert line.state == "planned"


def test_line_without_an_account_waits(people, clerk, village):
    batch = failing(people, village)
    person = batch.lines.get(state="failed").beneficiary
    person.bank_account = person.bank_account_digest = ""
    person.save()
    line = reissued(clerk, batch).lines.get()
    assert (line.state, line.hold_reason, line.account) == ("held", "没有银行账号", "")


def test_right_name_is_as_good_as_another_account(people, clerk, village):
    batch = failing(people, village, ["户名不符"])
    person = batch.lines.get(state="failed").beneficiary
    person.name = "陶正名"
    person.save()
    line = reissued(clerk, batch).lines.get()
    assert (line.state, line.name) == ("planned", "陶正名")


def test_months_that_are_no_longer_payable_wait(people, clerk, village):
    batch = failing(people, village)
    line = batch.lines.get(state="failed")
    mended(line)
    line.enrolment.end_month, line.enrolment.end_reason = date(2017, 12, 1), "死亡"
    line.enrolment.save()
    again = reissued(clerk, batch).lines.get()
    assert (again.state, again.hold_reason) == ("held", "按现在的在册情况，有的月份已不应发")


def test_chosen_lines_alone_are_paid_again(people, clerk, village):
    batch = failing(people, village, [SYSTEM, SYSTEM])
    one, other = batch.lines.filter(state="failed")
    assert reissued(clerk, batch, [other.pk]).lines.get().reissue_of == other
    with pytest.raises(RuleViolation, match="有1笔刚被补发"):
        reissued(clerk, batch, [one.pk, other.pk])
    assert reissued(clerk, batch).lines.get().reissue_of == one


def test_returned_line_is_paid_again(people, clerk, village):
    batch = failing(people, village, [])
    line = return_line(by=clerk, line=batch.lines.get(), reason=SYSTEM, today=TODAY, now=NOW)
    assert reissued(clerk, batch).lines.get().reissue_of == line


def test_child_that_failed_is_paid_again_by_its_own_child(people, clerk, village):
    batch = failing(people, village, [SYSTEM])
    child = bring_to("sent", reissued(clerk, batch), **people)
    answer(clerk, child, [SYSTEM])
    with pytest.raises(RuleViolation, match="没有可以补发"):
        reissued(clerk, batch)
    assert reissued(clerk, child).lines.get().reissue_of == child.lines.get()


# What is refused


def test_nothing_is_paid_again_twice(people, clerk, village):
    batch = failing(people, village, [SYSTEM])
    first = reissued(clerk, batch)
    with pytest.raises(RuleViolation, match="没有可以补发"):
        reissued(clerk, batch)
    assert PaymentBatch.objects.filter(kind="reissue").get() == first
    payments.void_batch(by=clerk, batch=first, note="重做", today=TODAY, now=NOW)
    assert reissued(clerk, batch).lines.get().reissue_of.batch == batch


def test_database_refuses_a_second_child(people, clerk, village):
    batch = failing(people, village, [SYSTEM])
    line = reissued(clerk, batch).lines.get()
    line.pk, line.line_no, line.state = None, 2, "held"
    with pytest.raises(IntegrityError, match="reissue"), transaction.atomic():
        line.save()


def test_months_paid_by_another_batch_meanwhile_are_not_paid_again(people, clerk, village):
    batch = failing(people, village, [SYSTEM])
    make_batch(clerk, village.parent, is_on_already=True)
    with pytest.raises(RuleViolation, match="没有可以补发"):
        reissued(clerk, batch)


def test_line_of_which_the_bank_says_something_else_waits_for_the_desk(people, clerk, village):
    batch = failing(people, village, [SYSTEM])
    line = batch.lines.get(state="failed")
    ReturnException.objects.create(
        office=batch.office, batch=batch, line=line, problem="late_success", line_no=1,
        batch_no=batch.number, amount=line.amount, result="成功", row_digest="x",
    )  # fmt: skip
    with pytest.raises(RuleViolation, match="没有可以补发"):
        reissued(clerk, batch)


def test_batch_that_is_not_answered_has_nothing_to_pay_again(people, clerk, village):
    make_payee(village)
    batch = bring_to("sent", make_batch(clerk, village.parent), **people)
    with pytest.raises(RuleViolation, match="没有可以补发"):
        reissued(clerk, batch)


@pytest.mark.parametrize("who", ["reviewer", "county_user"])
def test_only_who_makes_batches_makes_a_re_issue(people, village, who):
    batch = failing(people, village, [SYSTEM])
    with pytest.raises(RuleViolation, match="不由您的岗位"):
        reissued(people[who], batch)


def test_other_office_does_not_see_the_batch(people, village, other_clerk):
    batch = failing(people, village, [SYSTEM])
    with pytest.raises(RuleViolation):
        reissued(other_clerk, batch)
    assert not PaymentBatch.objects.filter(kind="reissue").exists()


def test_nothing_stays_where_the_record_fails(people, clerk, village):
    batch = failing(people, village, [SYSTEM])
    with (
        patch("subsidies.services.reissues.log.record", side_effect=OSError("full")),
        pytest.raises(OSError, match="full"),
    ):
        reissued(clerk, batch)
    assert not PaymentLine.objects.filter(reissue_of__isnull=False).exists()
    assert not PaymentBatch.objects.filter(kind="reissue").exists()


# The same way through three people, and the money


def test_re_issue_goes_through_three_people_and_takes_its_money(people, clerk, village):
    batch = failing(people, village, [SYSTEM])
    fund = Fund.objects.get()
    free = fund.free
    child = reissued(clerk, batch)
    with pytest.raises(RuleViolation, match="不能重新计算"):
        payments.recalculate(
            by=clerk, batch=child, row_version=child.row_version, today=TODAY, now=NOW
        )
    child = bring_to("sent", child, **people)
    answer(clerk, child)
    fund.refresh_from_db()
    # bring_to() receives a million each time
    assert (fund.free, fund.reserved) == (free + 1_000_000 - 960, 0)
    assert fund.paid == 2 * 960
    assert child.lines.get().state == "paid"


def test_late_success_after_the_re_issue_is_asked_back(people, clerk, village):
    batch = failing(people, village, [SYSTEM])
    child = bring_to("sent", reissued(clerk, batch), **people)
    answer(clerk, child)
    line, recovery = pay_late(
        by=clerk, line=batch.lines.get(state="failed"), paid_on=TODAY, today=TODAY, now=NOW
    )
    assert (line.state, recovery.state, recovery.amount) == ("failed", "proposed", 960)
    assert Fund.objects.get().paid == 3 * 960


def test_line_that_arrived_late_is_not_paid_again(people, clerk, village):
    batch = failing(people, village, [SYSTEM])
    pay_late(by=clerk, line=batch.lines.get(state="failed"), paid_on=TODAY, today=TODAY, now=NOW)
    with pytest.raises(RuleViolation, match="没有可以补发"):
        reissued(clerk, batch)


# Held lines left behind


def test_child_left_held_when_its_batch_went_out_gives_way_to_another(people, clerk, village):
    batch = failing(people, village, [WRONG, SYSTEM])
    child = bring_to("sent", reissued(clerk, batch), **people)
    left = child.lines.get(state="held")
    mended(left)
    again = reissued(clerk, batch).lines.get()
    left.refresh_from_db()
    assert (left.state, again.reissue_of, again.state) == ("void", left.reissue_of, "planned")


# What is kept out of a line


@pytest.fixture
def owing(people, clerk, reviewer, village):
    """A batch whose one failed line had 480 kept out of it for 600 that are owed."""
    line = make_payee(village, "陶有田", start=date(2017, 1, 1))
    first = bring_to("sent", make_batch(clerk, village.parent, year=2017), **people)
    answer(clerk, first)
    owed = Recovery.objects.create(
        line=first.lines.get(), reason="overpaid", amount=Decimal("600.00"), state="open",
        by_deduction=True, note="多发", proposed_by=clerk, proposed_at=NOW, decided_by=reviewer,
        decided_at=NOW,
    )  # fmt: skip
    make_payee(village, "宋桂兰", start=date(2018, 1, 1))
    batch = bring_to("sent", make_batch(clerk, village.parent, is_on_already=True), **people)
    cut = batch.lines.get(beneficiary=line.resident)
    assert (cut.deduction, cut.amount) == (480, 480)
    post_answers(
        by=clerk, batch=batch, failed={cut.pk: SYSTEM}, today=TODAY, now=NOW,
        paid={batch.lines.exclude(pk=cut.pk).get().pk: TODAY},
    )  # fmt: skip
    return owed, batch


def test_what_was_kept_out_of_a_failed_line_is_kept_out_of_its_child(people, clerk, owing):
    owed, batch = owing
    owed.refresh_from_db()
    assert owed.settled == 0  # it failed with its line
    child = reissued(clerk, batch)
    line = child.lines.get()
    assert (line.gross, line.deduction, line.amount) == (960, 480, 480)
    child = bring_to("sent", child, **people)
    answer(clerk, child)
    owed.refresh_from_db()
    assert owed.settled == 480
    assert RecoveryPart.objects.filter(counts=True).get().line == line


def test_what_was_repaid_meanwhile_is_not_kept_out_again(clerk, owing):
    owed, batch = owing
    RecoveryPart.objects.create(
        recovery=owed, amount=Decimal("500.00"), happened_on=TODAY, by=clerk, at=NOW
    )
    line = reissued(clerk, batch).lines.get()
    assert (line.deduction, line.amount) == (100, 860)


def test_nothing_is_kept_out_for_what_is_settled(clerk, owing):
    owed, batch = owing
    owed.settled, owed.state = owed.amount, "settled"
    owed.save()
    line = reissued(clerk, batch).lines.get()
    assert (line.deduction, line.amount) == (0, 960)
    assert not line.deductions.exists()


# The village is told


def test_village_is_told_once_of_accounts_that_it_can_mend(people, clerk, village):
    batch = failing(people, village, [WRONG, FROZEN, SYSTEM])
    assert tell_village(by=clerk, batch=batch, now=NOW) == 2
    told = batch.lines.filter(village_told_at=NOW).values_list("failed_reason", flat=True)
    assert set(told) == {WRONG, FROZEN}
    event = AuditEvent.objects.get(type="payment.village_told")
    assert (event.target_id, event.changes) == (str(batch.pk), {"lines": 2})
    with pytest.raises(RuleViolation, match="没有要发给村里的"):
        tell_village(by=clerk, batch=batch, now=NOW)


def test_village_is_not_told_of_what_is_mended(people, clerk, village):
    batch = failing(people, village, [WRONG])
    mended(batch.lines.get(state="failed"))
    with pytest.raises(RuleViolation, match="没有要发给村里的"):
        tell_village(by=clerk, batch=batch, now=NOW)


def test_only_who_makes_batches_tells_the_village(people, reviewer, village):
    batch = failing(people, village, [WRONG])
    with pytest.raises(RuleViolation, match="不由您的岗位"):
        tell_village(by=reviewer, batch=batch, now=NOW)


def test_nobody_is_told_where_the_record_fails(people, clerk, village):
    batch = failing(people, village, [WRONG])
    with (
        patch("subsidies.services.reissues.log.record", side_effect=OSError("full")),
        pytest.raises(OSError, match="full"),
    ):
        tell_village(by=clerk, batch=batch, now=NOW)
    assert not batch.lines.filter(village_told_at__isnull=False).exists()


# Two at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_of_two_clerks_at_once_one_makes_the_child(people, clerk, village):
    batch = failing(people, village, [SYSTEM, SYSTEM])
    users = [clerk, second_clerk(village.parent)]
    start = threading.Barrier(2)

    def make(pk):
        try:
            start.wait(timeout=20)
            return reissued(User.objects.get(pk=pk), batch).pk
        except RuleViolation as violation:
            return violation.message
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(make, [user.pk for user in users]))
    assert sorted(type(one).__name__ for one in outcomes) == ["int", "str"]
    assert "没有可以补发" in next(one for one in outcomes if isinstance(one, str))
    assert PaymentLine.objects.filter(reissue_of__batch=batch).count() == 2


def test_child_whose_parent_arrived_meanwhile_stays_held(people, clerk, village):
    batch = failing(people, village)
    child = reissued(clerk, batch)
    held = child.lines.get()
    assert held.state == "held"
    failed = batch.lines.get(pk=held.reissue_of_id)
    pay_late(by=clerk, line=failed, paid_on=TODAY, today=TODAY, now=NOW)
    with pytest.raises(RuleViolation, match="已经入账"):
        payments.release_line(by=clerk, line=held, now=NOW)
