"""Batches from the draft to the bank: steps, different people, money, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from subsidies.models import (
    BATCH_TRANSITIONS,
    LINE_TRANSITIONS,
    Fund,
    FundEntry,
    LineState,
    PaymentBatch,
    PaymentLine,
    PaymentPersons,
    Recovery,
)
from subsidies.payments import line_list
from subsidies.reissues import account_list
from subsidies.services import payments
from tests.factories.benefits import make_enrolment, set_rate
from tests.factories.households import make_household, make_resident
from tests.factories.payments import (
    NOW,
    TODAY,
    bring_to,
    give_account,
    make_batch,
    make_money,
    make_payee,
    second_clerk,
)

pytestmark = pytest.mark.django_db
DEATH, RURAL = "CN-SPECIAL-DEATH", "CN-RURAL"


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


def paid(batch, day=date(2018, 10, 20)):
    """As if the bank had paid every line that it was told to."""
    batch.lines.filter(state="instructed").update(state="paid", paid_on=day)


def amounts(batch):
    return [str(one.amount) for one in batch.lines.order_by("line_no")]


# What is in a batch


def test_draft_has_a_line_for_everybody_payable(clerk, township, village, other_village):
    make_payee(village, "陶有田")
    make_payee(other_village, "宋桂兰")
    batch = make_batch(clerk, township)
    lines = batch.lines.order_by("line_no")
    assert [(one.line_no, one.name, one.amount) for one in lines] == [
        (1, "陶有田", Decimal(960)), (2, "宋桂兰", Decimal(960)),
    ]  # fmt: skip
    assert batch.number == f"{township.code}-2018-001"
    assert lines[0].account == lines[0].beneficiary.bank_account
    assert lines[0].account_digest == lines[0].beneficiary.bank_account_digest
    assert lines[0].basis["rates"] == [["2018-12", 1, "960.00"]]
    assert AuditEvent.objects.filter(type="payment.created").count() == 1


def test_line_without_an_account_is_held(clerk, township, village):
    make_enrolment(make_resident(make_household(village), birth_date=date(1950, 1, 1)))
    line = make_batch(clerk, township).lines.get()
    assert (line.state, line.hold_reason) == ("held", "没有银行账号")
    with pytest.raises(RuleViolation, match="没有银行账号"):
        payments.release_line(by=clerk, line=line, now=NOW)


def test_nobody_is_paid_twice_by_two_batches(clerk, township, village):
    make_payee(village)
    make_batch(clerk, township)
    with pytest.raises(RuleViolation, match="没有可以发放"):
        make_batch(clerk, township, is_on_already=True)
    assert PaymentBatch.objects.count() == 1


def test_database_refuses_a_second_live_line_of_a_month(clerk, township, village):
    make_payee(village, code=DEATH)
    line = make_batch(clerk, township, DEATH).lines.get()
    other = make_batch_of_nobody(clerk, township, village)
    line.pk, line.batch, line.months = None, other, 1 << 11
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save()
    line.state = "void"
    line.save()


def make_batch_of_nobody(clerk, township, village):
    make_payee(village, "另一人", code="YN-LUMP", start=date(2018, 1, 1))
    batch = make_batch(clerk, township, "YN-LUMP")
    batch.lines.all().delete()
    return batch


def test_half_a_year_and_then_the_rest_with_what_was_confirmed_late(
    clerk, township, village, people
):
    make_payee(village, code=DEATH)
    first = make_batch(
        clerk, township, DEATH, from_month=date(2018, 1, 1), to_month=date(2018, 6, 1)
    )
    assert amounts(first) == ["2700.00"]
    bring_to("sent", first, **people)
    make_payee(village, "晚确认", code=DEATH, start=date(2018, 3, 1))
    second = make_batch(
        clerk,
        township,
        DEATH,
        from_month=date(2018, 7, 1),
        to_month=date(2018, 12, 1),
        is_on_already=True,
    )
    assert {(one.name, one.month_count, one.amount) for one in second.lines.all()} == {
        ("陶有田", 6, Decimal(2700)),
        ("晚确认", 10, Decimal(4500)),
    }


def test_arrears_of_an_earlier_year_are_lines_of_their_own(clerk, township, village, people):
    make_payee(village, code=DEATH)
    bring_to("sent", make_batch(clerk, township, DEATH, 2018), **people)
    make_payee(village, "晚确认", code=DEATH, start=date(2018, 11, 1))
    batch = make_batch(clerk, township, DEATH, 2019, is_on_already=True)
    late = batch.lines.filter(name="晚确认").order_by("-year")
    assert [(one.year, one.kind, one.month_count, one.amount) for one in late] == [
        (2019, "current", 12, Decimal(5400)), (2018, "arrears", 2, Decimal(900)),
    ]  # fmt: skip


def test_rate_that_rose_after_the_payment_is_topped_up(clerk, township, village, people):
    make_payee(village)
    bring_to("sent", make_batch(clerk, township), **people)
    set_rate(RURAL, township, "1080", date(2018, 1, 1))
    batch = make_batch(clerk, township, is_on_already=True)
    line = batch.lines.get()
    assert (line.amount, line.months) == (Decimal(120), 0)


def married(village, code="SD-ONLY-CHILD"):
    """A couple whose wife stands on the roll and whose money goes to the husband, the head."""
    home = make_household(village)
    head = give_account(make_resident(home, "李山"))
    wife = give_account(make_resident(home, "张兰", sex="女", relation="配偶"))
    make_enrolment(wife, code)
    return head, wife


def bury(head, day=date(2018, 10, 21)):
    head.death_date = day
    head.save()


@pytest.mark.parametrize("heir", ["wife", "son"])
def test_months_paid_to_a_head_who_died_are_not_paid_to_the_next(
    clerk, township, village, people, heir
):
    head, wife = married(village)
    batch = bring_to("sent", make_batch(clerk, township, "SD-ONLY-CHILD"), **people)
    assert batch.lines.get().beneficiary == head
    paid(batch)
    bury(head)
    if heir == "son":
        make_resident(head.household, "李小山", birth_date=date(1995, 1, 5))
    with pytest.raises(RuleViolation, match="没有可以发放的人"):
        make_batch(clerk, township, "SD-ONLY-CHILD", is_on_already=True)
    later = make_batch(clerk, township, "SD-ONLY-CHILD", 2019, is_on_already=True)
    assert [one.year for one in later.lines.all()] == [2019]


def test_months_that_history_paid_a_dead_head_are_not_paid_to_the_couple(clerk, township, village):
    head, wife = married(village)
    history(head, township, "SD-ONLY-CHILD")
    bury(head)
    with pytest.raises(RuleViolation, match="没有可以发放的人"):
        make_batch(clerk, township, "SD-ONLY-CHILD")


def history(head, township, code):
    """A year that was paid before this system, to the head."""
    batch = PaymentBatch.objects.create(
        number="H1", office=township, policy_code=code, kind="history", year=2018, pay_year=2018,
        from_month=date(2018, 1, 1), to_month=date(2018, 12, 1), state="closed",
    )  # fmt: skip
    return PaymentLine.objects.create(
        batch=batch, line_no=1, state="paid", policy_code=code, slot="2018", year=2018,
        months=(1 << 12) - 1, beneficiary=head, village=head.village, name=head.name, gross=120,
        amount=120, is_agreed=True, paid_on=TODAY,
    )  # fmt: skip


def test_what_was_held_for_want_of_an_account_goes_once_there_is_one(clerk, township, village):
    person = make_payee(village).resident
    bare = make_enrolment(make_resident(make_household(village), "马桂英", sex="女")).resident
    batch = make_batch(clerk, township)
    payments.hold_line(by=clerk, line=batch.lines.get(beneficiary=person), reason="核实", now=NOW)
    give_account(bare)
    batch.refresh_from_db()
    payments.recalculate(by=clerk, batch=batch, row_version=batch.row_version, today=TODAY, now=NOW)
    states = batch.lines.values_list("beneficiary", "state", "hold_reason")
    assert set(states) == {(person.pk, "held", "核实"), (bare.pk, "planned", "")}


def test_overpayment_is_kept_out_of_later_payments_half_at_most(
    clerk, reviewer, township, village, people
):
    make_payee(village)
    first = bring_to("sent", make_batch(clerk, township), **people)
    paid(first)
    Recovery.objects.create(
        line=first.lines.get(), reason="overpaid", amount=Decimal(600), by_deduction=True, state="open",
        note="多发", proposed_by=clerk, proposed_at=NOW, decided_by=reviewer, decided_at=NOW,
    )  # fmt: skip
    second = make_batch(clerk, township, year=2019, is_on_already=True)
    line = second.lines.get()
    assert (line.gross, line.deduction, line.amount) == (960, 480, 480)
    assert line.deductions.get().amount == 480
    payments.recalculate(
        by=clerk, batch=second, row_version=second.row_version, today=TODAY, now=NOW
    )
    assert second.lines.get().deduction == 480


def test_child_without_an_account_is_paid_to_the_head(clerk, township, village):
    household = make_household(village)
    head = give_account(make_resident(household, "李山"))
    child = make_resident(household, "李小", relation="子", birth_date=date(2008, 1, 1))
    make_enrolment(child, "YN-SCHOLARSHIP", date(2018, 1, 1), grade="小学")
    line = make_batch(clerk, township, "YN-SCHOLARSHIP").lines.get()
    assert (line.name, line.account, line.beneficiary) == ("李山", head.bank_account, child)


# Steps and people


def test_batch_goes_to_the_bank_through_three_people(township, village, clerk, people):
    make_payee(village)
    batch = bring_to("sent", make_batch(clerk, township), **people)
    assert batch.lines.get().state == "instructed"
    fund = Fund.objects.get()
    assert (fund.free, fund.reserved) == (Decimal("999040.00"), Decimal("960.00"))
    assert [step.action for step in batch.steps.order_by("pk")] == [
        "create", "submit", "check", "approve", "seal", "send",
    ]  # fmt: skip


def test_nobody_checks_or_approves_their_own(clerk, reviewer, township, village):
    make_payee(village)
    batch = bring_to(
        "submitted", make_batch(clerk, township), clerk=clerk, reviewer=None, county_user=None
    )
    with pytest.raises(RuleViolation, match="请换一位同事"):
        payments.check_batch(by=clerk, batch=batch, sha256=batch.sha256, now=NOW)
    payments.check_batch(by=reviewer, batch=batch, sha256=batch.sha256, now=NOW)
    make_money(clerk, township)
    with pytest.raises(RuleViolation, match="由您核对"):
        payments.approve_batch(by=reviewer, batch=batch, sha256=batch.sha256, today=TODAY, now=NOW)


def test_two_people_are_enough_where_the_county_says_so(clerk, reviewer, township, village):
    PaymentPersons.objects.create(
        region=township.parent, from_on=date(2018, 1, 1), persons=2, document="文"
    )
    make_payee(village)
    batch = bring_to(
        "approved",
        make_batch(clerk, township),
        clerk=clerk,
        reviewer=reviewer,
        county_user=reviewer,
    )
    assert (batch.persons, batch.state) == (2, "approved")


@pytest.mark.parametrize(
    "values",
    [
        {"checked_by": "made_by"}, {"approved_by": "made_by"}, {"approved_by": "checked_by"},
        {"approved_by": None}, {"sha256": ""}, {"persons": 1},
    ],
)  # fmt: skip
def test_database_refuses_a_batch_of_fewer_people(township, village, clerk, people, values):
    make_payee(village)
    batch = bring_to("approved", make_batch(clerk, township), **people)
    changed = {
        name: getattr(batch, value) if isinstance(value, str) and value else value
        for name, value in values.items()
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentBatch.objects.filter(pk=batch.pk).update(**changed)


def test_other_list_than_was_shown_is_not_approved(clerk, township, village, people):
    make_payee(village)
    batch = bring_to("checked", make_batch(clerk, township), **people)
    make_money(clerk, township)
    with pytest.raises(RuleViolation, match="不一样"):
        payments.approve_batch(
            by=people["county_user"], batch=batch, sha256="0" * 64, today=TODAY, now=NOW
        )


def test_money_that_is_not_there_is_not_approved(clerk, township, village, people):
    make_payee(village)
    batch = bring_to("checked", make_batch(clerk, township), **people)
    make_money(clerk, township, amount="959.99")
    with pytest.raises(RuleViolation, match=r"还差0\.01元"):
        payments.approve_batch(
            by=people["county_user"], batch=batch, sha256=batch.sha256, today=TODAY, now=NOW
        )
    batch.refresh_from_db()
    assert batch.state == "checked"


def test_returned_batch_is_a_draft_again(clerk, reviewer, township, village, people):
    make_payee(village)
    batch = bring_to("checked", make_batch(clerk, township), **people)
    payments.return_batch(by=reviewer, batch=batch, note="名单有误", now=NOW)
    batch.refresh_from_db()
    assert (batch.state, batch.checked_by, batch.submitted_by) == ("draft", None, None)
    assert not batch.lines.filter(is_agreed=True).exists()
    bring_to("approved", batch, **people)


def test_void_batch_frees_money_and_people(clerk, township, village, people):
    make_payee(village)
    batch = bring_to("sealed", make_batch(clerk, township), **people)
    payments.void_batch(by=clerk, batch=batch, note="银行换了", today=TODAY, now=NOW)
    fund = Fund.objects.get()
    assert (fund.free, fund.reserved) == (fund.allotted, 0)
    assert make_batch(clerk, township, is_on_already=True).lines.count() == 1


def test_sent_batch_is_never_voided(clerk, township, village, people):
    make_payee(village)
    batch = bring_to("sent", make_batch(clerk, township), **people)
    with pytest.raises(RuleViolation, match="已送银行"):
        payments.void_batch(by=clerk, batch=batch, note="晚了", today=TODAY, now=NOW)


def test_line_held_after_the_approval_stays_out_and_frees_its_money(
    clerk, township, village, people
):
    make_payee(village)
    make_payee(village, "宋桂兰")
    batch = bring_to("approved", make_batch(clerk, township), **people)
    payments.hold_line(by=clerk, line=batch.lines.get(line_no=1), reason="登记死亡", now=NOW)
    payments.seal_batch(by=clerk, batch=batch, now=NOW)
    payments.send_batch(by=clerk, batch=batch, today=TODAY, now=NOW)
    assert [one.state for one in batch.lines.order_by("line_no")] == ["held", "instructed"]
    assert Fund.objects.get().reserved == 960
    batch.refresh_from_db()
    assert (batch.count, batch.total) == (2, 1920)


@pytest.mark.parametrize("step", ["approve", "send", "void"])
def test_fund_is_held_before_the_step_is_recorded(township, village, clerk, people, step):
    """As by whoever enters money: the other way round both would wait for each other."""
    make_payee(village)
    make_money(clerk, township)
    state = {"approve": "checked", "send": "sealed", "void": "approved"}[step]
    batch = bring_to(state, make_batch(clerk, township), **people)
    acts = {
        "approve": lambda: payments.approve_batch(
            by=people["county_user"], batch=batch, sha256=batch.sha256, today=TODAY, now=NOW
        ),
        "send": lambda: payments.send_batch(by=clerk, batch=batch, today=TODAY, now=NOW),
        "void": lambda: payments.void_batch(
            by=clerk, batch=batch, note="重做", today=TODAY, now=NOW
        ),
    }
    with CaptureQueriesContext(connection) as queries:
        acts[step]()
    asked = [one["sql"] for one in queries if one["sql"].startswith("SELECT")]
    fund, chain = (
        next(at for at, sql in enumerate(asked) if f'FROM "{table}" WHERE' in sql)
        for table in ("subsidies_fund", "audit_chainhead")
    )
    assert fund < chain


@pytest.mark.parametrize("act", ["hold", "tell"])
def test_batches_of_many_lines_are_held_before_anything_is_recorded(
    clerk, township, village, people, act
):
    make_payee(village)
    batches = [make_batch(clerk, township)]
    make_payee(village, "晚确认")
    batches.append(make_batch(clerk, township, is_on_already=True))
    if act == "tell":
        for batch in batches:
            bring_to("sent", batch, **people)
            batch.lines.update(state="failed", failed_reason="账号不存在")
    rows = list(PaymentLine.objects.filter(batch__in=batches).select_related("batch"))
    with CaptureQueriesContext(connection) as queries:
        if act == "hold":
            refused = line_list._hold_rows(rows, by=clerk, values={"reason": "等核实"}, day=TODAY)
        else:
            refused = account_list.tell(rows, by=clerk, values={}, day=TODAY)
    assert refused == {}
    asked = [one["sql"] for one in queries]
    chain = next(at for at, sql in enumerate(asked) if 'FROM "audit_chainhead"' in sql)
    before = "".join(asked[:chain])
    for batch in batches:
        assert f'WHERE "subsidies_paymentbatch"."id" = {batch.pk}' in before


def test_second_clerk_may_check(clerk, township, village):
    make_payee(village)
    batch = bring_to(
        "submitted", make_batch(clerk, township), clerk=clerk, reviewer=None, county_user=None
    )
    payments.check_batch(by=second_clerk(township), batch=batch, sha256=batch.sha256, now=NOW)


# What the database holds


@pytest.mark.parametrize(
    "values",
    [
        {"total": 1},
        {"count": 9},
        {"sha256": "1" * 64},
        {"state": "paid"},
        {"state": "sent"},
        {"state": "draft"},
        {"persons": 2},
    ],
)
def test_agreed_batch_stays_as_it_is(clerk, township, village, people, values):
    make_payee(village)
    batch = bring_to("approved", make_batch(clerk, township), **people)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentBatch.objects.filter(pk=batch.pk).update(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"amount": 1, "gross": 1},
        {"name": "别人"},
        {"account_digest": "x"},
        {"months": 3},
        {"state": "paid", "paid_on": TODAY},
        {"is_agreed": False},
        {"line_no": 9},
    ],
)
def test_line_of_an_agreed_batch_stays_as_it_is(clerk, township, village, people, values):
    make_payee(village)
    batch = bring_to("approved", make_batch(clerk, township), **people)
    with pytest.raises(IntegrityError), transaction.atomic():
        batch.lines.update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentLine.objects.filter(batch=batch)._raw_delete("default")
    line = batch.lines.get()
    line.pk, line.line_no, line.state = None, 2, "void"
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save()


def test_entries_of_a_fund_are_neither_changed_nor_deleted(clerk, township):
    entry = make_money(clerk, township)
    with pytest.raises(IntegrityError), transaction.atomic():
        FundEntry.objects.filter(pk=entry.pk).update(note="改")
    with pytest.raises(IntegrityError), transaction.atomic():
        FundEntry.objects.filter(pk=entry.pk)._raw_delete("default")


def test_database_knows_the_same_steps():
    import importlib

    written = importlib.import_module("subsidies.migrations.0004_payments_only_forward")
    steps = {f"{one}>{to}" for one, moves in BATCH_TRANSITIONS.items() for to in moves.values()}
    assert steps == set(written.BATCH_STEPS)
    steps = {f"{one}>{to}" for one, moves in LINE_TRANSITIONS.items() for to in moves}
    assert steps == set(written.LINE_STEPS)
    assert {one for step in written.LINE_STEPS for one in step.split(">")} == set(LineState.values)


def test_who_made_the_list_anew_does_not_check_it(clerk, township, village):
    make_payee(village)
    batch, other = make_batch(clerk, township), second_clerk(township)
    payments.recalculate(by=other, batch=batch, row_version=batch.row_version, today=TODAY, now=NOW)
    batch = bring_to("submitted", batch, clerk=clerk, reviewer=None, county_user=None)
    with pytest.raises(RuleViolation, match="请换一位同事"):
        payments.check_batch(by=other, batch=batch, sha256=batch.sha256, now=NOW)
