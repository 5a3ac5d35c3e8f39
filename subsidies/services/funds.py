"""Movements of a township's money for one policy and year: double entry, append-only."""

from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households.services.scope import require_visible
from subsidies.funds.entering import NOT_YOURS, refuse_budget, refuse_entry, refuse_fund
from subsidies.funds.held import held_fund
from subsidies.models import ENTRY_KINDS, Fund, FundAccount, FundEntry, PaymentBatch, Recovery

EVENT_TYPES = {
    "fund.moved": "登记资金变动",
    "fund.opened": "建立资金台账",
    "fund.budget_changed": "登记资金预算",
}
CHANGE_LABELS = {"movement": "资金事项", "yuan": "金额（元）"}
# Which balance rises and which falls with each account: what came in and came back stand as positive.
_RISES = {
    FundAccount.SOURCE: ("allotted", -1), FundAccount.FREE: ("free", 1),
    FundAccount.RESERVED: ("reserved", 1), FundAccount.PAID: ("paid", 1),
    FundAccount.RECOVERED: ("recovered", -1),
}  # fmt: skip
SHORT = {
    "free": "可用资金不足", "reserved": "待发资金不足", "paid": "已发资金不足",
    "allotted": "到账资金不足",
}  # fmt: skip


@transaction.atomic
def move(
    *,
    by,
    office: Region,
    policy_code: str,
    year: int,
    kind: str,
    amount: Decimal,
    happened_on: date,
    now: datetime,
    payer: str = "",
    document: str = "",
    note: str = "",
    batch: PaymentBatch | None = None,
    recovery: Recovery | None = None,
) -> FundEntry | None:
    """Move an amount as ENTRY_KINDS says; nothing happens for 0. The fund is made where it is missing.

    Refuses what would leave an account below nothing, naming how much is missing. Amounts are
    worked out here and not in SQL: SQLite would keep the rounding of binary fractions.
    """
    if not amount:
        return None
    fund = held_fund(office=office, policy_code=policy_code, year=year)
    _, source, target = ENTRY_KINDS[kind]
    for account, sign in ((source, -1), (target, 1)):
        name, direction = _RISES[account]
        value = getattr(fund, name) + sign * direction * amount
        if value < 0:
            raise RuleViolation(f"{SHORT[name]}，还差{-value:,.2f}元。")
        setattr(fund, name, value)
    fund.row_version += 1
    fund.save(update_fields=["allotted", "free", "reserved", "paid", "recovered", "row_version"])
    entry = FundEntry.objects.create(
        fund=fund, kind=kind, source=source, target=target, amount=amount, payer=payer,
        document=document, happened_on=happened_on, batch=batch, recovery=recovery, note=note,
        by=by if getattr(by, "pk", None) else None, at=now,
    )  # fmt: skip
    log.record(
        "fund.moved", by=by, target=fund, region_path=office.path,
        changes={"movement": kind, "yuan": f"{amount:.2f}"},
    )  # fmt: skip
    return entry


@transaction.atomic
def record_entry(
    *,
    by,
    fund: Fund,
    kind: str,
    payer: str,
    amount: Decimal,
    document: str,
    happened_on: date,
    note: str = "",
    today: date,
    now: datetime,
) -> FundEntry:
    """Write down money that arrived (receive) or went back (give_back), with payer and document.

    Refuses what refuse_entry names: a day to come, more given back than the payer sent, and money
    that isn't free.
    """
    fund = held_fund(office=fund.office, policy_code=fund.policy_code, year=fund.year)
    refuse_entry(
        by=by, fund=fund, kind=kind, payer=payer, amount=amount, document=document,
        happened_on=happened_on, today=today,
    )  # fmt: skip
    return move(
        by=by, office=fund.office, policy_code=fund.policy_code, year=fund.year, kind=kind,
        amount=amount, happened_on=happened_on, now=now, payer=payer, document=document.strip(),
        note=note.strip(),
    )  # fmt: skip


@transaction.atomic
def open_fund(
    *,
    by,
    office: Region,
    policy_code: str,
    year: int,
    budget: Decimal | None = None,
    document: str = "",
    today: date,
) -> Fund:
    """Begin the ledger of a policy's year in a township, with its budget where it is known.

    Refuses one that is there already, a place that is no township, and a policy without money.
    """
    refuse_fund(by=by, office=office, policy_code=policy_code, year=year, today=today)
    refuse_budget(budget, document)
    try:
        with transaction.atomic():
            fund = Fund.objects.create(
                office=office, policy_code=policy_code, year=year, budget=budget,
                budget_document=document.strip(),
            )  # fmt: skip
    except IntegrityError:
        raise RuleViolation(
            f"{office.name}{year}年度这项政策的台账已经有了，请在列表里打开。", field="year"
        ) from None
    log.record(
        "fund.opened", by=by, target=fund, region_path=office.path,
        changes=_budget_changes(None, "", fund),
    )  # fmt: skip
    return fund


@transaction.atomic
def set_budget(*, by, fund: Fund, row_version: int, budget: Decimal | None, document: str) -> Fund:
    """The year's budget and the document that gives it; None where there is none any more."""
    claim(fund, row_version)
    require_visible(Fund.objects.visible_to(by), fund)
    if not by.may(Permission.PAYMENT_FUND):
        raise RuleViolation(NOT_YOURS)
    refuse_budget(budget, document)
    fund = Fund.objects.select_related("office").get(pk=fund.pk)
    before = fund.budget, fund.budget_document
    fund.budget, fund.budget_document = budget, document.strip()
    fund.save(update_fields=["budget", "budget_document"])
    log.record(
        "fund.budget_changed", by=by, target=fund, region_path=fund.office.path,
        changes=_budget_changes(*before, fund),
    )  # fmt: skip
    return fund


def _budget_changes(budget: Decimal | None, document: str, fund: Fund) -> dict:
    """What changed of the budget, as the audit trail tells it."""
    changes = {}
    if budget != fund.budget:
        changes["budget"] = [_yuan(budget), _yuan(fund.budget)]
    if document != fund.budget_document:
        changes["budget_document"] = [document, fund.budget_document]
    return changes


def _yuan(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"
