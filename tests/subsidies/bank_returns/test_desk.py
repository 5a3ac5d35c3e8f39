"""The desk: which ways out there are, what each does to payment and money, who may."""

from datetime import date
from decimal import Decimal

import pytest

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from subsidies.bank_returns.ways import ways_of
from subsidies.models import Fund, PaymentLine, Recovery, ReturnException
from subsidies.services.bank_returns import post_answers
from subsidies.services.return_desk import answer_line, mark_unclear, resolve_exception
from tests.factories.payments import NOW, TODAY, bring_to, make_exception
from tests.subsidies.bank_returns.test_posting import reissue

pytestmark = pytest.mark.django_db
NOTE = "问了农信社，看了流水。"


@pytest.fixture
def line(sent):
    return sent.lines.get(line_no=1)


def fresh(line):
    return PaymentLine.objects.get(pk=line.pk)


def money():
    fund = Fund.objects.get()
    assert fund.allotted == fund.free + fund.reserved + fund.paid - fund.recovered
    return fund.free, fund.reserved, fund.paid


def resolve(by, exception, resolution, **values):
    exception = ReturnException.objects.select_related("line", "batch").get(pk=exception.pk)
    return resolve_exception(
        by=by, exception=exception, resolution=resolution,
        **{"note": NOTE, "today": TODAY, "now": NOW} | values,
    )  # fmt: skip


def fail(clerk, line):
    post_answers(
        by=clerk, batch=line.batch, paid={}, failed={line.pk: "账号不存在"}, today=TODAY, now=NOW
    )


def pay(clerk, line):
    post_answers(by=clerk, batch=line.batch, paid={line.pk: TODAY}, failed={}, today=TODAY, now=NOW)


def offered(exception):
    return [way.key for way in ways_of(ReturnException.objects.get(pk=exception.pk))]


def test_ways_out_go_by_the_answer_and_the_payment(clerk, line, people):
    other_name = make_exception(line, "name")
    amount = make_exception(line, "amount")
    failed = make_exception(line, "amount", result="失败", paid_on=None)
    nobody = make_exception(line, "no_line")
    ReturnException.objects.filter(pk=nobody.pk).update(line=None)
    assert offered(other_name) == ["paid", "failed", "recalled", "ignored"]
    assert offered(amount) == ["paid", "failed", "ignored"]
    assert offered(failed) == ["failed", "paid", "ignored"]
    assert offered(nobody) == ["ignored"]
    fail(clerk, line)
    assert (offered(amount), offered(failed)) == (["paid", "ignored"], ["ignored"])
    bring_to("sent", reissue(fresh(line)), **people)
    assert offered(amount) == ["recalled", "ignored"]


def test_confirmed_as_paid(clerk, line):
    exception = resolve(clerk, make_exception(line), "paid")
    assert (fresh(line).state, fresh(line).paid_on) == ("paid", TODAY)
    assert money() == (Decimal("997120"), Decimal("1920"), Decimal("960"))
    assert (exception.resolved_by, exception.resolved_at, exception.note) == (clerk, NOW, NOTE)
    event = AuditEvent.objects.get(type="bank_return.resolved")
    assert event.changes == {"resolution": ["", "paid"]}


def test_confirmed_as_failed(clerk, line):
    resolve(clerk, make_exception(line), "failed", reason="户名不符")
    assert (fresh(line).state, fresh(line).failed_reason) == ("failed", "户名不符")
    assert money() == (Decimal("998080"), Decimal("1920"), Decimal(0))


def test_money_in_another_account_is_asked_back(clerk, line):
    resolve(clerk, make_exception(line, "account"), "recalled")
    recovery = Recovery.objects.get()
    assert (recovery.reason, recovery.amount, recovery.state) == ("wrong_person", 960, "proposed")
    assert (fresh(line).state, money()[2]) == ("recall_asked", Decimal("960"))


def test_a_late_failure_is_money_that_came_back(clerk, line):
    pay(clerk, line)
    resolve(clerk, make_exception(line, "late_failure", result="失败", paid_on=None), "failed")
    assert fresh(line).state == "returned"
    assert money() == (Decimal("998080"), Decimal("1920"), Decimal(0))


def test_a_late_success_is_paid_or_asked_back(clerk, line, people):
    fail(clerk, line)
    first = make_exception(line, "late_success")
    resolve(clerk, first, "paid")
    assert (fresh(line).state, Recovery.objects.count()) == ("paid", 0)


def test_a_late_success_after_a_reissue_is_asked_back(clerk, line, people):
    fail(clerk, line)
    exception = make_exception(line, "late_success")
    child = bring_to("sent", reissue(fresh(line)), **people)
    pay(clerk, child.lines.get())
    with pytest.raises(RuleViolation, match="不能这样处理"):
        resolve(clerk, exception, "paid")
    resolve(clerk, exception, "recalled")
    assert (fresh(line).state, fresh(line).late_paid_on) == ("failed", TODAY)
    assert Recovery.objects.get().reason == "late_success"


def test_the_other_answer_to_the_same_payment_is_settled_too(clerk, line):
    said_paid = make_exception(line, "two_outcomes")
    said_failed = make_exception(line, "two_outcomes", result="失败", paid_on=None)
    resolve(clerk, said_paid, "paid")
    said_failed.refresh_from_db()
    assert (said_failed.resolution, said_failed.resolved_by) == ("ignored", clerk)


def test_looked_at_and_left_alone(clerk, line):
    before = money()
    resolve(clerk, make_exception(line), "ignored")
    assert (fresh(line).state, money()) == ("instructed", before)


def test_refusals_leave_everything_as_it_was(clerk, reviewer, other_clerk, line):
    exception = make_exception(line, paid_on=None)
    before = money()
    with pytest.raises(RuleViolation, match="怎样核实"):
        resolve(clerk, exception, "paid", note=" ", paid_on=TODAY)
    with pytest.raises(RuleViolation, match="入账日期"):
        resolve(clerk, exception, "paid")
    with pytest.raises(RuleViolation, match="不能晚于今天"):
        resolve(clerk, exception, "paid", paid_on=date(2018, 10, 10))
    with pytest.raises(RuleViolation, match="岗位"):
        resolve(reviewer, exception, "paid", paid_on=TODAY)
    with pytest.raises(RuleViolation):
        resolve(other_clerk, exception, "ignored")
    exception.refresh_from_db()
    assert (exception.resolution, fresh(line).state, money()) == ("", "instructed", before)
    resolve(clerk, exception, "paid", paid_on=TODAY)
    with pytest.raises(RuleViolation, match="已由"):
        resolve(clerk, exception, "ignored")


# One payment by hand, and silence


def test_one_payment_is_answered_by_hand(clerk, sent, line):
    values = {"by": clerk, "today": TODAY, "now": NOW}
    assert answer_line(line=line, state="failed", reason="销户", **values).state == "failed"
    line = answer_line(line=fresh(line), state="paid", paid_on=TODAY, **values)
    assert line.state == "paid"
    line = answer_line(line=fresh(line), state="returned", reason="退汇", **values)
    assert (line.state, line.failed_reason) == ("returned", "退汇")
    assert money() == (Decimal("998080"), Decimal("1920"), Decimal(0))
    assert AuditEvent.objects.filter(type="bank_return.line_answered").count() == 3
    with pytest.raises(RuleViolation, match="入账日期"):
        answer_line(line=sent.lines.get(line_no=2), state="paid", **values)


def test_silence_is_unclear_after_three_working_days(clerk, sent):
    pay(clerk, sent.lines.get(line_no=1))
    for day in (date(2018, 10, 9), date(2018, 10, 12)):
        with pytest.raises(RuleViolation, match="3个工作日"):
            mark_unclear(by=clerk, batch=sent, today=day, now=NOW)
    day = date(2018, 10, 15)
    assert mark_unclear(by=clerk, batch=sent, today=day, now=NOW) == 2
    states = sent.lines.order_by("line_no").values_list("state", flat=True)
    assert list(states) == ["paid", "unknown", "unknown"]
    assert AuditEvent.objects.get(type="bank_return.unclear").count == 2
    with pytest.raises(RuleViolation, match="没有未回盘"):
        mark_unclear(by=clerk, batch=sent, today=day, now=NOW)
