"""Batches through every order of actions: after each one nobody is paid twice and every fen is accounted for.

Anybody tries anything at any time. What is refused changes nothing; what the database refuses where
the service did not makes the run fail.
"""

import os
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import Q, Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fpadmin.errors import RuleViolation
from subsidies.models import (
    BATCH_TRANSITIONS,
    LIVE_STATES,
    PAID_STATES,
    BatchState,
    Fund,
    FundEntry,
    PaymentBatch,
    PaymentLine,
    Recovery,
    RecoveryPart,
)
from subsidies.models.payments import MONTHS
from subsidies.payments import making
from subsidies.payments.digest import agreed
from subsidies.payments.entitlement import payables
from subsidies.payments.periods import benefit_months
from subsidies.policies import catalogue
from subsidies.services import bank_returns, funds, payments, recoveries, reissues
from tests.factories.benefits import switch_on
from tests.factories.payments import NOW, TODAY, give_account, make_payee, second_clerk

pytestmark = pytest.mark.django_db
CODE = "CN-SPECIAL-DEATH"
BOUND = ("approved", "sealed", "sent", "partly_returned", "reconciled", "closed")
HALVES = (((1, 6), 2018), ((7, 12), 2018), ((1, 12), 2019), ((1, 12), 2018))
picks = st.integers(0, 10**6)
outcomes = st.lists(
    st.sampled_from(["paid", "failed", "returned", "unknown", ""]), min_size=4, max_size=4
)
STEPS = {
    "submit": lambda by, batch: payments.submit_batch(
        by=by, batch=batch, row_version=batch.row_version, now=NOW
    ),
    "check": lambda by, batch: payments.check_batch(
        by=by, batch=batch, sha256=batch.sha256, now=NOW
    ),
    "approve": lambda by, batch: payments.approve_batch(
        by=by, batch=batch, sha256=batch.sha256, today=TODAY, now=NOW
    ),
    "return": lambda by, batch: payments.return_batch(by=by, batch=batch, note="核对", now=NOW),
    "void": lambda by, batch: payments.void_batch(
        by=by, batch=batch, note="不发了", today=TODAY, now=NOW
    ),
    "seal": lambda by, batch: payments.seal_batch(by=by, batch=batch, now=NOW),
    "send": lambda by, batch: payments.send_batch(by=by, batch=batch, today=TODAY, now=NOW),
    "close": lambda by, batch: payments.close_batch(by=by, batch=batch, now=NOW),
    "recalculate": lambda by, batch: payments.recalculate(
        by=by, batch=batch, row_version=batch.row_version, today=TODAY, now=NOW
    ),
}


def going_on():
    """Batches that a person can take further."""
    return PaymentBatch.objects.filter(
        state__in=["draft", "submitted", "checked", "approved", "sealed", "reconciled"]
    )


def lines_in(*states):
    """Lines in one of the states."""
    return PaymentLine.objects.filter(state__in=states)


def waiting():
    """Lines that the bank has to say something of."""
    return lines_in("instructed", "unknown")


class Office(RuleBasedStateMachine):
    """One township with four people on a roll, and everybody who may have a hand in a payment."""

    place, users = None, ()

    def __init__(self):
        super().__init__()
        self.frame = transaction.atomic()
        self.frame.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.frame.__exit__(None, None, None)

    @initialize(
        yuan=st.sampled_from(["100000", "9000", "2700"]),
        ways=st.lists(st.integers(0, 5), min_size=1, max_size=3),
        outcomes=outcomes,
    )
    def begin(self, yuan, ways, outcomes):
        """Somewhere on the way: half-years of two years, each taken some steps along."""
        self.lines = [
            make_payee(self.place, name, CODE, start=date(2018, month, 1))
            for name, month in (("甲一", 1), ("乙二", 1), ("丙三", 4), ("丁四", 9))
        ]
        self.try_(self.move, "receive", Decimal(yuan))
        for (half, year), steps in zip(HALVES, ways, strict=False):
            self.make(half, year)
            for _ in range(steps):
                self.go_on(PaymentBatch.objects.latest("pk"))
        self.answer_for(PaymentBatch.objects.latest("pk"), outcomes)

    # What people do

    @rule(which=st.sampled_from(HALVES))
    def make_another(self, which):
        self.make(*which)

    def make(self, half, year):
        months = benefit_months(catalogue.policy(CODE), year)
        self.try_(
            payments.create_batch,
            by=self.users[0], office=self.place.parent, policy_code=CODE, year=year,
            from_month=months[half[0] - 1], to_month=months[half[1] - 1], pay_year=2018,
            today=TODAY, now=NOW,
        )  # fmt: skip

    @rule(action=st.sampled_from(sorted(STEPS)), batch=picks, user=picks)
    def step(self, action, batch, user):
        found = self.pick(PaymentBatch.objects.all(), batch)
        if found:
            self.try_(STEPS[action], self.users[user % len(self.users)], found)

    @rule(batch=picks)
    @precondition(lambda self: self.some(going_on()))
    def onward(self, batch):
        """The way that the office usually takes: else few runs would come to the bank."""
        self.go_on(self.pick(going_on(), batch))

    def go_on(self, batch):
        clerk, reviewer, county = self.users[0], self.users[2], self.users[3]
        action = next(iter(BATCH_TRANSITIONS[batch.state]), "")
        by = {"check": reviewer, "approve": county}.get(action, clerk)
        if action in STEPS:
            self.try_(STEPS[action], by, batch)

    @rule(line=picks, holds=st.booleans())
    @precondition(lambda self: self.some(lines_in("planned", "held")))
    def hold(self, line, holds):
        found = self.pick(PaymentLine.objects.filter(state="planned" if holds else "held"), line)
        if found and holds:
            self.try_(payments.hold_line, by=self.users[0], line=found, reason="核实", now=NOW)
        elif found:
            self.try_(payments.release_line, by=self.users[0], line=found, now=NOW)

    @rule(batch=picks, outcomes=outcomes)
    @precondition(lambda self: self.some(waiting()))
    def answer(self, batch, outcomes):
        self.answer_for(
            self.pick(PaymentBatch.objects.filter(lines__in=waiting()).distinct(), batch), outcomes
        )

    def answer_for(self, batch, outcomes):
        said = defaultdict(list)
        lines = batch.lines.filter(pk__in=waiting().values("pk")).order_by("pk")
        for one, outcome in zip(lines, outcomes, strict=False):
            said[outcome].append(one.pk)
        self.try_(
            bank_returns.post_answers,
            by=self.users[0], batch=batch, paid=dict.fromkeys(said["paid"], TODAY),
            failed=dict.fromkeys(said["failed"], "账号不符"),
            returned=dict.fromkeys(said["returned"], "退票"), unknown=said["unknown"],
            today=TODAY, now=NOW,
        )  # fmt: skip

    @rule(line=picks)
    @precondition(lambda self: self.some(lines_in("failed")))
    def late_success(self, line):
        found = self.pick(PaymentLine.objects.filter(state="failed"), line)
        if found:
            self.try_(
                bank_returns.pay_late, by=self.users[0], line=found, paid_on=TODAY, today=TODAY, now=NOW
            )  # fmt: skip

    @rule(line=picks)
    @precondition(lambda self: self.some(lines_in("paid")))
    def cheque_comes_back(self, line):
        found = self.pick(PaymentLine.objects.filter(state="paid"), line)
        if found:
            self.try_(
                bank_returns.return_line, by=self.users[0], line=found, reason="退票", today=TODAY, now=NOW
            )  # fmt: skip

    @rule(batch=picks)
    @precondition(lambda self: self.some(lines_in("failed", "returned")))
    def pay_again(self, batch):
        failed = PaymentLine.objects.filter(state__in=["failed", "returned"])
        found = self.pick(PaymentBatch.objects.filter(lines__in=failed).distinct(), batch)
        if found:
            self.try_(reissues.create_reissue, by=self.users[0], batch=found, today=TODAY, now=NOW)

    @rule(line=picks, yuan=st.integers(1, 5400), by_deduction=st.booleans())
    @precondition(lambda self: self.some(lines_in("paid")))
    def ask_back(self, line, yuan, by_deduction):
        found = self.pick(PaymentLine.objects.filter(state="paid"), line)
        if found:
            self.try_(
                recoveries.propose_recovery, by=self.users[0], line=found, reason="overpaid",
                amount=Decimal(yuan), by_deduction=by_deduction, note="多发", today=TODAY, now=NOW,
            )  # fmt: skip

    @rule(recovery=picks, user=picks, agrees=st.booleans())
    @precondition(lambda self: self.some(Recovery.objects.filter(state="proposed")))
    def decide_recovery(self, recovery, user, agrees):
        found = self.pick(Recovery.objects.filter(state="proposed"), recovery)
        if found:
            self.try_(
                recoveries.decide_recovery, by=self.users[user % len(self.users)], recovery=found,
                accept=agrees, note="核实", now=NOW,
            )  # fmt: skip

    @rule(recovery=picks, yuan=st.integers(1, 5400))
    @precondition(lambda self: self.some(Recovery.objects.filter(state="open")))
    def money_comes_back(self, recovery, yuan):
        found = self.pick(Recovery.objects.filter(state="open"), recovery)
        if found:
            self.try_(
                recoveries.repay_recovery, by=self.users[0], recovery=found,
                amount=Decimal(yuan), happened_on=TODAY, document="收据", today=TODAY, now=NOW,
            )  # fmt: skip

    @rule(kind=st.sampled_from(["receive", "give_back"]), yuan=st.integers(1, 6000))
    def money(self, kind, yuan):
        self.try_(self.move, kind, Decimal(yuan) + Decimal("0.07"))

    # What happens meanwhile

    @rule(person=st.integers(0, 3), month=st.integers(1, 12))
    def somebody_dies(self, person, month):
        resident = self.lines[person].resident
        if resident.death_date is None:
            resident.death_date = date(2018, month, 20)
            resident.save(update_fields=["death_date"])

    @rule(person=st.integers(0, 3), number=st.integers(1, 999))
    def account_changes(self, person, number):
        give_account(self.lines[person].resident, f"6229{number:015d}")

    # What holds after each of them

    @invariant()
    def no_month_is_paid_twice(self):
        taken = defaultdict(int)
        for person, slot, months in PaymentLine.objects.filter(state__in=LIVE_STATES).values_list(
            "beneficiary", "slot", "months"
        ):
            assert not taken[person, slot] & months
            taken[person, slot] |= months

    @invariant()
    def every_fen_is_accounted_for(self):
        for fund in Fund.objects.all():
            assert fund.allotted == fund.free + fund.reserved + fund.paid - fund.recovered
            entries = FundEntry.objects.filter(fund=fund)
            for name in ("free", "reserved", "paid"):
                into = entries.filter(target=name).aggregate(s=Sum("amount"))["s"] or Decimal(0)
                out = entries.filter(source=name).aggregate(s=Sum("amount"))["s"] or Decimal(0)
                assert getattr(fund, name) == round(into - out, 2)
            paid = self.sum_of(Q(state__in=PAID_STATES) | Q(late_paid_on__isnull=False))
            assert fund.paid == paid
            bound = Q(batch__state__in=["approved", "sealed"], is_agreed=True)
            with_bank = Q(state__in=["instructed", "unknown"])
            assert fund.reserved == self.sum_of(bound | with_bank)
            repaid = RecoveryPart.objects.filter(line__isnull=True).aggregate(s=Sum("amount"))["s"]
            assert fund.recovered == round(repaid or Decimal(0), 2)

    @invariant()
    def nothing_is_asked_back_twice(self):
        for recovery in Recovery.objects.all():
            counting = Q(counts=True) | Q(line__state__in=LIVE_STATES)
            cut = recovery.parts.filter(counting).aggregate(s=Sum("amount"))["s"] or Decimal(0)
            assert round(cut, 2) <= recovery.amount
            back = recovery.parts.filter(counts=True).aggregate(s=Sum("amount"))["s"]
            assert recovery.settled == round(back or Decimal(0), 2)
        for line in PaymentLine.objects.filter(deduction__gt=0):
            parts = line.deductions.aggregate(s=Sum("amount"))["s"] or Decimal(0)
            again = line.reissued_by.exclude(state="void").exists()
            assert again or round(parts, 2) == line.deduction

    @invariant()
    def list_stays_as_it_was_agreed(self):
        for batch in PaymentBatch.objects.exclude(state__in=["draft", "void"]):
            assert (batch.count, batch.total, batch.sha256) == tuple(agreed(batch))

    @invariant()
    def different_people_signed(self):
        for batch in PaymentBatch.objects.filter(state__in=BOUND):
            assert len({batch.made_by_id, batch.checked_by_id, batch.approved_by_id}) == 3
            assert batch.submitted_by_id not in (batch.checked_by_id, batch.approved_by_id)

    @invariant()
    def steps_lead_to_the_state(self):
        for batch in PaymentBatch.objects.all():
            state = ""
            for one in batch.steps.order_by("pk"):
                assert one.from_state == state
                if one.action not in ("create", "recalculate"):
                    assert BATCH_TRANSITIONS[one.from_state][one.action] == one.to_state
                state = one.to_state
            assert state == batch.state
            waiting = batch.lines.filter(state__in=["instructed", "unknown"]).exists()
            assert not (waiting and batch.state in (BatchState.RECONCILED, BatchState.CLOSED))

    @invariant()
    def nobody_gets_more_than_the_rolls_gave(self):
        """At the most generous: as if nobody had died."""
        if not getattr(self, "lines", None):
            return
        most = {2018: 5400, 2019: 5400}
        for line in self.lines:
            for year, yuan in most.items():
                lines = PaymentLine.objects.filter(
                    beneficiary=line.resident, slot=str(year), state__in=LIVE_STATES
                )
                assert (lines.aggregate(s=Sum("gross"))["s"] or 0) <= yuan
        assert len(list(payables(CODE, self.place.path, 2018))) <= len(self.lines)

    # Tools

    def try_(self, act, *args, **values):
        """Do it; a refusal leaves everything as it was."""
        try:
            with transaction.atomic():
                act(*args, **values)
        except RuleViolation:
            pass

    def move(self, kind, amount):
        funds.move(
            by=self.users[0], office=self.place.parent, policy_code=CODE, year=2018, kind=kind,
            amount=amount, happened_on=TODAY, now=NOW,
        )  # fmt: skip

    def some(self, found) -> bool:
        return found.exists()

    def pick(self, found, number):
        found = list(found.order_by("pk"))
        return found[number % len(found)] if found else None

    def sum_of(self, which: Q) -> Decimal:
        total = PaymentLine.objects.filter(which).aggregate(s=Sum("amount"))["s"]
        return round(total or Decimal(0), 2)


@pytest.fixture
def office(village, clerk, reviewer, county_user):
    """The place and its people, made once; each run rolls back what it did."""
    switch_on(CODE, village.parent)

    class Here(Office):
        place = village
        users = (clerk, second_clerk(village.parent), reviewer, county_user)

    return Here


# The suite takes a few; FPADMIN_EXAMPLES=500 before a change of this part.
EXAMPLES = int(os.environ.get("FPADMIN_EXAMPLES", "20"))
QUICKLY = settings(
    max_examples=EXAMPLES, stateful_step_count=30, deadline=timedelta(minutes=1),
    suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
)  # fmt: skip


def test_any_order_of_actions_pays_once_and_to_the_fen(office):
    run_state_machine_as_test(office, settings=QUICKLY)


def test_machine_notices_money_paid_twice(office, monkeypatch):
    """The control: a batch that forgets what others paid, in a database that doesn't mind either."""
    monkeypatch.setattr(making, "_paid", lambda batch, year, found: [making.Paid() for _ in found])
    with connection.cursor() as cursor:
        for number in range(MONTHS):
            cursor.execute(f"DROP INDEX one_live_month_{number + 1}")
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            office, settings=settings(QUICKLY, max_examples=50, phases=[Phase.generate])
        )
