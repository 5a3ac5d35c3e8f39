"""A payment of the demonstration that is with the bank: most of it arrived, a few accounts were wrong."""

from datetime import date, datetime, time, timedelta
from decimal import ROUND_UP, Decimal

from django.db import transaction
from django.utils import timezone

from fpadmin import sealed
from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Role
from households.demo.steps import Demonstration, register
from subsidies.bank_files import writing
from subsidies.bank_files.kept import FOLDER
from subsidies.bank_files.layouts import SHIPPED
from subsidies.models import Enrolment, PaymentBatch
from subsidies.payments.shares import split
from subsidies.services import funds, payments
from subsidies.services.bank_files import seal_file
from subsidies.services.bank_returns import post_answers

CODE = "CN-RURAL"
DOCUMENT = "演示：奖励扶助资金拨付通知"
# How many days before the demonstration's day each step was taken.
MADE, CHECKED, APPROVED, SENT, PAID, ANSWERED = 29, 27, 25, 22, 18, 1
FAILED = {
    37: "户名与账号不符", 121: "账户已销户", 204: "账户长期不动，已冻结", 318: "户名与账号不符",
    402: "账号位数不对", 455: "账户已销户", 533: "户名与账号不符",
}  # fmt: skip
UNKNOWN = (88, 267)  # numbers of lines that the bank has no result of yet
_MONEY_IN = Decimal(10_000)  # what arrives is rounded up to it


def load() -> None:
    """Register the step of the demonstration. Called once, by ready()."""
    register("payments", pay)


@transaction.atomic
def pay(demonstration: Demonstration, *, by) -> str:
    """Pay the reward of the year in the accounts' township, as three people did. Returns the line to print.

    Only with the demonstration's accounts, and where nobody has made a batch yet.
    """
    office = demonstration.village.parent
    done = PaymentBatch.objects.filter(office=office).exclude(kind=PaymentBatch.Kind.HISTORY)
    if done.exists():
        return f"发放批次：{done.count()}个，没有改动"
    clerk, reviewer, county = (
        User.objects.filter(role=role, region=place).order_by("pk").first()
        for role, place in (
            (Role.CLERK, office), (Role.REVIEWER, office), (Role.COUNTY, office.parent)
        )
    )  # fmt: skip
    rolls = Enrolment.objects.within(office).filter(policy_code=CODE)
    if demonstration.invented or not (clerk and reviewer and county and rolls.exists()):
        return "发放批次：没有编制"
    today = demonstration.today
    made_on = today - timedelta(MADE)
    batch = payments.create_batch(
        by=clerk, office=office, policy_code=CODE, year=made_on.year, pay_year=made_on.year,
        today=made_on, now=_at(made_on),
    )  # fmt: skip
    batch = payments.submit_batch(
        by=clerk, batch=batch, row_version=batch.row_version, now=_at(made_on, 10)
    )
    batch = payments.check_batch(
        by=reviewer, batch=batch, sha256=batch.sha256, now=_at(today - timedelta(CHECKED))
    )
    _receive(clerk, office, batch, made_on)
    day = today - timedelta(APPROVED)
    batch = payments.approve_batch(
        by=county, batch=batch, sha256=batch.sha256, today=day, now=_at(day)
    )
    _seal(clerk, batch, day)
    day = today - timedelta(SENT)
    batch = payments.send_batch(by=clerk, batch=batch, today=day, now=_at(day))
    _answer(clerk, batch, today)
    return f"发放批次：{batch.count}笔，{len(FAILED)}笔失败"


def _at(day: date, hour: int = 9) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


def _receive(clerk: User, office: Region, batch: PaymentBatch, day: date) -> None:
    """What the state and the province sent for it, a little more than is needed."""
    whole = (batch.total / _MONEY_IN).to_integral_value(ROUND_UP) * _MONEY_IN
    shares = {payer: Decimal(part) for payer, part in batch.shares.items()}
    for payer, amount in split(whole, shares).items():
        funds.move(
            by=clerk, office=office, policy_code=CODE, year=batch.pay_year, kind="receive",
            amount=amount, happened_on=day, now=_at(day), payer=payer, document=DOCUMENT,
        )  # fmt: skip


def _seal(clerk: User, batch: PaymentBatch, day: date) -> None:
    """With a real file, as the job makes it."""
    layout = SHIPPED["xlsx"]
    words = writing.words_of(batch, day)
    made = writing.make(batch, layout, words)
    seal_file(
        by=clerk, batch=batch, row_version=batch.row_version, made=made,
        file=writing.as_data(layout, words), stored=sealed.keep_parts(FOLDER, made.content),
        now=_at(day, 10), before_commit=lambda: None,
    )  # fmt: skip


def _answer(clerk: User, batch: PaymentBatch, today: date) -> None:
    lines = dict(batch.lines.filter(state="instructed").values_list("line_no", "pk"))
    failed = {lines[number]: reason for number, reason in FAILED.items() if number in lines}
    unknown = {lines[number] for number in UNKNOWN if number in lines}
    day = today - timedelta(PAID)
    post_answers(
        by=clerk, batch=batch, failed=failed, unknown=unknown, today=today,
        paid={pk: day for pk in lines.values() if pk not in failed and pk not in unknown},
        now=_at(today - timedelta(ANSWERED)),
    )  # fmt: skip
