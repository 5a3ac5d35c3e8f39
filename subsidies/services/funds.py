"""Movements of a township's money for one policy and year: double entry, append-only."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from subsidies.funds.held import held_fund
from subsidies.models import ENTRY_KINDS, FundAccount, FundEntry, PaymentBatch, Recovery

EVENT_TYPES = {"fund.moved": "登记资金变动"}
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
