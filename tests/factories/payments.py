"""Payments for tests: people with accounts on a roll, money in the fund, batches taken to a step."""

from datetime import UTC, date, datetime
from decimal import Decimal

from fpadmin.crypto import digest
from households.models import Resident
from subsidies.models import PaymentBatch, ReturnException
from subsidies.services import funds, payments
from tests.factories.accounts import make_user
from tests.factories.benefits import make_enrolment, switch_on
from tests.factories.households import make_household, make_resident

NOW = datetime(2018, 10, 9, 2, 0, tzinfo=UTC)
TODAY = date(2018, 10, 9)
STEPS = ("submitted", "checked", "approved", "sealed", "sent")


def give_account(resident: Resident, account: str = "") -> Resident:
    """An account of the person's own at the rural credit union."""
    resident.bank = "农村信用社"
    resident.bank_account = account or f"62290000{resident.pk:011d}"
    resident.bank_account_digest = digest(resident.bank_account)
    resident.save()
    return resident


def make_payee(village, name="陶有田", code="CN-RURAL", number="", **values):
    """Somebody with an account on a roll; returns the line of the roll."""
    person = make_resident(make_household(village, number), name, birth_date=date(1950, 3, 4))
    return make_enrolment(give_account(person), code, **values)


def make_money(by, office, code="CN-RURAL", year=2018, amount="1000000.00"):
    """Money received."""
    return funds.move(
        by=by, office=office, policy_code=code, year=year, kind="receive", amount=Decimal(amount),
        happened_on=TODAY, now=NOW, payer="县", document="指标文1号",
    )  # fmt: skip


def make_batch(by, office, code="CN-RURAL", year=2018, **values) -> PaymentBatch:
    """A batch in the draft with everybody payable."""
    if not values.pop("is_on_already", False):
        switch_on(code, office)
    return payments.create_batch(
        by=by, office=office, policy_code=code, year=year,
        **({"pay_year": year, "today": TODAY, "now": NOW} | values),
    )  # fmt: skip


def bring_to(state: str, batch: PaymentBatch, *, clerk, reviewer, county_user) -> PaymentBatch:
    """The batch after the steps up to `state`; money is received where it has to be."""
    for step in STEPS[: STEPS.index(state) + 1]:
        batch.refresh_from_db()
        if step == "submitted":
            payments.submit_batch(by=clerk, batch=batch, row_version=batch.row_version, now=NOW)
        elif step == "checked":
            payments.check_batch(by=reviewer, batch=batch, sha256=batch.sha256, now=NOW)
        elif step == "approved":
            make_money(clerk, batch.office, batch.policy_code, batch.pay_year)
            payments.approve_batch(
                by=county_user, batch=batch, sha256=batch.sha256, today=TODAY, now=NOW
            )
        elif step == "sealed":
            payments.seal_batch(by=clerk, batch=batch, now=NOW)
        else:
            payments.send_batch(by=clerk, batch=batch, today=TODAY, now=NOW)
    batch.refresh_from_db()
    return batch


def second_clerk(office):
    """Another clerk of the office."""
    return make_user("clerk", office, "clerk-2")


def make_exception(line, problem="name", **values) -> ReturnException:
    """An answer of the bank about a line that was not posted, brought in today."""
    number = ReturnException.objects.count()
    made = ReturnException.objects.create(
        **{
            "office": line.batch.office, "batch": line.batch, "line": line, "problem": problem,
            "batch_no": line.batch.number, "line_no": line.line_no, "name": line.name,
            "account": line.account, "amount": line.amount, "result": "成功", "paid_on": TODAY,
            "row_digest": f"row-{number}",
        } | values
    )  # fmt: skip
    # The column fills itself by the clock.
    ReturnException.objects.filter(pk=made.pk).update(created_at=NOW)
    made.refresh_from_db()
    return made
