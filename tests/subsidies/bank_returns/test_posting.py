"""Answers are posted: lines, money, days to be seen by, deductions, the batch's own step."""

from datetime import date
from decimal import Decimal

import pytest

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from subsidies.models import Fund, FundEntry, PaymentBatch, PaymentLine, Recovery, RecoveryPart
from subsidies.services import payments
from subsidies.services.bank_returns import pay_late, post_answers, return_line
from tests.factories.payments import NOW, bring_to, make_batch, make_payee

pytestmark = pytest.mark.django_db
DAY = date(2018, 10, 10)
LATER = date(2018, 10, 31)


def keys(batch):
    return list(batch.lines.order_by("line_no").values_list("pk", flat=True))


def post(clerk, batch, paid=(), failed=(), returned=(), unknown=(), day=DAY, today=LATER):
    return post_answers(
        by=clerk, batch=batch, paid=dict.fromkeys(paid, day), failed=dict.fromkeys(failed, "账号不存在"),
        returned=dict.fromkeys(returned, "账户已销"), unknown=unknown, today=today, now=NOW,
    )  # fmt: skip


def money():
    fund = Fund.objects.get()
    assert fund.allotted == fund.free + fund.reserved + fund.paid - fund.recovered
    return fund.free, fund.reserved, fund.paid


def states(batch):
    return list(batch.lines.order_by("line_no").values_list("state", flat=True))


def test_paid_and_failed_lines_move_the_money(clerk, sent):
    one, two, three = keys(sent)
    batch = post(clerk, sent, paid=[one], failed=[two])
    assert (batch.state, states(sent)) == ("partly_returned", ["paid", "failed", "instructed"])
    assert money() == (Decimal("998080"), Decimal("960"), Decimal("960"))
    line = PaymentLine.objects.get(pk=two)
    assert (line.failed_reason, line.answered_at, line.paid_on) == ("账号不存在", NOW, None)
    assert post(clerk, sent, paid=[three]).state == "reconciled"
    assert money() == (Decimal("998080"), Decimal(0), Decimal("1920"))
    kinds = FundEntry.objects.order_by("pk").values_list("kind", "amount", "happened_on")
    assert list(kinds)[2:] == [
        ("pay", Decimal(960), DAY), ("release", Decimal(960), LATER), ("pay", Decimal(960), DAY),
    ]  # fmt: skip


def test_steps_and_events_tell_of_the_posting(clerk, sent):
    one, two, three = keys(sent)
    post(clerk, sent, paid=[one])
    post(clerk, sent, paid=[two])
    post(clerk, sent, failed=[three])
    steps = sent.steps.order_by("pk").values_list("action", "from_state", "to_state")
    assert list(steps)[-2:] == [
        ("post", "sent", "partly_returned"), ("reconcile", "partly_returned", "reconciled"),
    ]  # fmt: skip
    event = AuditEvent.objects.filter(type="payment.answered").order_by("pk").first()
    assert event.changes == {"state": ["sent", "partly_returned"], "paid": 1, "yuan": "960.00"}


def test_seen_within_fifteen_working_days_over_the_national_day(clerk, township, village, people):
    make_payee(village)
    batch = make_batch(clerk, township)
    bring_to("sent", batch, **people)
    PaymentBatch.objects.filter(pk=batch.pk).update(sealed_at="2018-09-20T02:00:00Z")
    post(clerk, batch, paid=keys(batch), day=date(2018, 9, 27))
    # 28-30 September are worked, 1-7 October are not: the fifteenth is 23 October.
    assert batch.lines.get().see_by == date(2018, 10, 23)


def test_an_answer_is_posted_once(clerk, sent):
    one, two, three = keys(sent)
    post(clerk, sent, paid=[one], failed=[two])
    for again in ({"paid": [one]}, {"failed": [one]}, {"paid": [two, three]}, {"unknown": [two]}):
        with pytest.raises(RuleViolation, match="不能再登记结果"):
            post(clerk, sent, **again)
    assert states(sent) == ["paid", "failed", "instructed"]
    assert money() == (Decimal("998080"), Decimal("960"), Decimal("960"))


def test_a_line_has_one_outcome_in_one_posting(clerk, sent):
    with pytest.raises(RuleViolation, match="两种结果"):
        post(clerk, sent, paid=keys(sent)[:1], failed=keys(sent)[:1])


def test_lines_of_another_batch_are_refused(clerk, sent, village, township, people):
    make_payee(village, "另一人")
    other = make_batch(clerk, township, is_on_already=True)
    with pytest.raises(RuleViolation, match="有1笔不在这个批次里"):
        post(clerk, sent, paid=[*keys(sent), *keys(other)])
    assert states(sent) == ["instructed"] * 3


@pytest.mark.parametrize("state", ["submitted", "checked", "approved", "sealed"])
def test_a_batch_not_with_the_bank_takes_no_answers(clerk, township, village, people, state):
    make_payee(village)
    batch = bring_to(state, make_batch(clerk, township), **people)
    with pytest.raises(RuleViolation, match="没有送银行"):
        post(clerk, batch, paid=keys(batch))


def test_days_in_the_future_or_before_it_was_sent_are_refused(clerk, sent):
    with pytest.raises(RuleViolation, match="不能晚于今天"):
        post(clerk, sent, paid=keys(sent), today=date(2018, 10, 9))
    with pytest.raises(RuleViolation, match="不能早于生成银行文件的日期2018-10-09"):
        post(clerk, sent, paid=keys(sent), day=date(2018, 10, 8))
    assert states(sent) == ["instructed"] * 3


def test_who_may_not_pay_posts_nothing(reviewer, other_clerk, sent):
    with pytest.raises(RuleViolation, match="岗位"):
        post(reviewer, sent, paid=keys(sent))
    with pytest.raises(RuleViolation):
        post(other_clerk, sent, paid=keys(sent))


def test_without_a_reason_the_bank_gave_none(clerk, sent):
    post_answers(by=clerk, batch=sent, paid={}, failed={keys(sent)[0]: "  "}, today=LATER, now=NOW)
    assert sent.lines.get(line_no=1).failed_reason == "银行未说明原因"


def test_unclear_lines_wait_on_and_may_be_answered(clerk, sent):
    one, two, three = keys(sent)
    assert post(clerk, sent, unknown=[one]).state == "sent"
    assert money() == (Decimal("997120"), Decimal("2880"), Decimal(0))
    assert post(clerk, sent, paid=[one, two], failed=[three]).state == "reconciled"


def test_returned_money_is_free_again(clerk, sent):
    one, two, three = keys(sent)
    post(clerk, sent, paid=[one, two], returned=[three])
    assert money() == (Decimal("998080"), Decimal(0), Decimal("1920"))
    line = return_line(
        by=clerk, line=PaymentLine.objects.get(pk=one), reason="户名不符", today=LATER, now=NOW
    )
    assert (line.state, line.failed_reason, line.see_by) == ("returned", "户名不符", None)
    assert money() == (Decimal("999040"), Decimal(0), Decimal("960"))
    assert AuditEvent.objects.filter(type="payment.came_back").count() == 1
    with pytest.raises(RuleViolation, match="只有已入账"):
        return_line(by=clerk, line=line, reason="再次", today=LATER, now=NOW)
    with pytest.raises(RuleViolation, match="原因"):
        return_line(by=clerk, line=line, reason=" ", today=LATER, now=NOW)


# Late success


def reissue(line):
    """As slice E's service makes it: a batch of the line's child, still in the draft."""
    batch = line.batch
    child = PaymentBatch.objects.create(
        number=f"{batch.number}-R", office=batch.office, policy_code=batch.policy_code,
        kind="reissue", year=batch.year, from_month=batch.from_month, to_month=batch.to_month,
        pay_year=batch.pay_year, parent=batch, made_by=batch.made_by, made_at=NOW,
    )  # fmt: skip
    copy = PaymentLine.objects.get(pk=line.pk)
    copy.pk, copy.batch, copy.line_no, copy.state, copy.is_agreed = None, child, 1, "planned", False
    copy.failed_reason, copy.answered_at, copy.reissue_of = "", None, line
    copy.save()
    return child


def test_a_failed_line_that_arrived_after_all(clerk, sent):
    one, *others = keys(sent)
    post(clerk, sent, failed=[one], paid=others)
    line, recovery = pay_late(
        by=clerk, line=PaymentLine.objects.get(pk=one), paid_on=DAY, today=LATER, now=NOW
    )
    assert (line.state, line.paid_on, line.see_by, recovery) == ("paid", DAY, LATER, None)
    assert money() == (Decimal("997120"), Decimal(0), Decimal("2880"))
    assert FundEntry.objects.filter(kind="pay_late").count() == 1
    assert AuditEvent.objects.filter(type="payment.paid_late").count() == 1
    with pytest.raises(RuleViolation, match="已入账"):
        pay_late(by=clerk, line=line, paid_on=DAY, today=LATER, now=NOW)


def test_arrived_after_it_was_paid_again_is_to_come_back(clerk, sent, people):
    one, *others = keys(sent)
    post(clerk, sent, failed=[one], paid=others)
    line = PaymentLine.objects.get(pk=one)
    child = reissue(line)
    with pytest.raises(RuleViolation, match="还没有送银行"):
        pay_late(by=clerk, line=line, paid_on=DAY, today=LATER, now=NOW)
    bring_to("sent", child, **people)
    post(clerk, child, paid=keys(child))
    free, _, paid = money()
    line, recovery = pay_late(by=clerk, line=line, paid_on=DAY, today=LATER, now=NOW)
    assert (line.state, line.late_paid_on) == ("failed", DAY)
    assert (recovery.reason, recovery.state, recovery.amount) == ("late_success", "proposed", 960)
    assert money() == (free - 960, Decimal(0), paid + 960)
    with pytest.raises(RuleViolation, match="不能再登记"):
        pay_late(by=clerk, line=line, paid_on=DAY, today=LATER, now=NOW)
    assert Recovery.objects.count() == 1


def test_arrived_after_a_reissue_that_was_held_back_is_paid(clerk, sent):
    one, *others = keys(sent)
    post(clerk, sent, failed=[one], paid=others)
    child = reissue(PaymentLine.objects.get(pk=one))

    payments.hold_line(by=clerk, line=child.lines.get(), reason="银行又报入账", now=NOW)
    line, recovery = pay_late(
        by=clerk, line=PaymentLine.objects.get(pk=one), paid_on=DAY, today=LATER, now=NOW
    )
    assert (line.state, recovery) == ("paid", None)
    with pytest.raises(RuleViolation, match="已经入账"):
        payments.release_line(by=clerk, line=child.lines.get(), now=NOW)


# Deductions


@pytest.fixture
def cut(clerk, reviewer, township, village, people, sent):
    """陶有田 was overpaid 300 in 2018; 2019's payment is cut by it and is with the bank."""
    post(clerk, sent, paid=keys(sent))
    line = sent.lines.get(line_no=1)
    PaymentLine.objects.filter(pk=line.pk).update(state="recall_asked")
    Recovery.objects.create(
        line=line, reason="overpaid", amount=300, state="open", by_deduction=True, note="多发",
        proposed_by=clerk, proposed_at=NOW, decided_by=reviewer, decided_at=NOW,
    )  # fmt: skip
    batch = make_batch(clerk, township, year=2019, is_on_already=True)
    return bring_to("sent", batch, **people)


def test_a_deduction_counts_once_its_line_is_paid(clerk, cut):
    part, recovery = RecoveryPart.objects.get(), Recovery.objects.get()
    assert (part.counts, part.amount, recovery.settled) == (False, 300, 0)
    post(clerk, cut, paid=keys(cut))
    part.refresh_from_db()
    recovery.refresh_from_db()
    assert (part.counts, part.happened_on) == (True, DAY)
    assert (recovery.settled, recovery.state) == (300, "settled")
    assert recovery.line.state == "recovered"


def test_a_deduction_does_not_count_where_the_line_failed(clerk, cut):
    post(clerk, cut, failed=keys(cut))
    assert not RecoveryPart.objects.get().counts
    assert Recovery.objects.get().settled == 0


def test_a_deduction_is_owed_again_where_the_line_came_back(clerk, cut):
    post(clerk, cut, paid=keys(cut))
    post(clerk, cut, returned=keys(cut))
    assert not RecoveryPart.objects.get().counts
    recovery = Recovery.objects.get()
    assert (recovery.settled, recovery.state) == (0, "open")
