"""What is refused when money received, money given back or a budget is written down."""

from datetime import date
from decimal import Decimal

from django.db.models import DecimalField, Q, Sum

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from households.services.scope import require_visible
from subsidies.funds.sums import FEN, to_fen
from subsidies.models import Fund
from subsidies.policies import catalogue
from subsidies.policies.seeing import codes_for

RECEIVE, GIVE_BACK = "receive", "give_back"
OLDEST_YEAR = 2004  # the first of these payments
MOST = Decimal("999999999999.99")
NOT_YOURS = "资金台账由经办和县级登记，您的岗位不能办理。"
NOT_ENOUGH = "可用资金不足，还差{missing:,.2f}元。"


def refuse_entry(
    *,
    by,
    fund: Fund,
    kind: str,
    payer: str,
    amount: Decimal,
    document: str,
    happened_on: date,
    today: date,
) -> None:
    """What services.funds.record_entry would refuse, raised: `fund` as it stands now.

    A payer is given back no more than he sent, and nothing of what a batch already takes.
    """
    require_visible(Fund.objects.visible_to(by), fund)
    if not by.may(Permission.PAYMENT_FUND):
        raise RuleViolation(NOT_YOURS)
    if kind not in (RECEIVE, GIVE_BACK):
        raise ValueError(f"{kind!r} is no entry that somebody makes; known: {RECEIVE}, {GIVE_BACK}")
    if payer not in catalogue.PAYERS:
        raise RuleViolation("请选择资金来源。", field="payer")
    refuse_amount(amount, "amount", least=FEN)
    if not document.strip():
        raise RuleViolation("请填写凭证或文件，以便以后核对。", field="document")
    first = date(fund.year - 1, 1, 1)
    if not first <= happened_on <= today:
        raise RuleViolation(
            f"日期{happened_on}不对：{fund.year}年度的资金应在{first}到今天之间。",
            field="happened_on",
        )
    if kind == GIVE_BACK:
        sent = sent_by(fund).get(payer, Decimal(0))
        if amount > sent:
            raise RuleViolation(f"{payer}到账{sent:,.2f}元，交回不能多于这个数。", field="amount")
        if amount > fund.free:
            raise RuleViolation(NOT_ENOUGH.format(missing=amount - fund.free), field="amount")
    elif fund.allotted + amount > MOST:
        raise RuleViolation("金额太大，请核对。", field="amount")


def refuse_budget(budget: Decimal | None, document: str) -> None:
    """A budget needs its document, and the other way round."""
    if budget is not None:
        refuse_amount(budget, "budget", least=Decimal(0))
    if budget is not None and not document.strip():
        raise RuleViolation("填了预算，请填写预算文件。", field="document")
    if budget is None and document.strip():
        raise RuleViolation("填了预算文件，请填写预算金额。", field="budget")


def refuse_fund(*, by, office: Region, policy_code: str, year: int, today: date) -> None:
    """A fund that may not be opened: another's office, a policy that may not be named, an odd year."""
    if not by.may(Permission.PAYMENT_FUND):
        raise RuleViolation(NOT_YOURS)
    if office.level != Region.Level.TOWNSHIP:
        raise RuleViolation("资金台账按乡镇（街道）登记，请选择一个乡镇（街道）。", field="office")
    if not Region.objects.visible_to(by).filter(pk=office.pk).exists():
        raise RuleViolation(f"{office.name}不在您的区划内，没有保存。", field="office")
    if policy_code not in codes_for(by):
        raise RuleViolation("您的岗位不能办理这项政策的资金。", field="policy_code")
    if catalogue.policy(policy_code).in_kind:
        raise RuleViolation(
            f"“{catalogue.name_of(policy_code)}”不发钱，没有资金可以登记。", field="policy_code"
        )
    if not OLDEST_YEAR <= year <= today.year + 1:
        raise RuleViolation(f"年度应在{OLDEST_YEAR}到{today.year + 1}之间。", field="year")


def refuse_amount(amount: Decimal, field: str, *, least: Decimal) -> None:
    """Yuan to the fen, within what the ledger holds."""
    if not amount.is_finite() or amount < least:
        words = "不能是负数" if least == 0 else f"最少{least}元"
        raise RuleViolation(f"金额{words}。", field=field)
    if amount > MOST or amount != to_fen(amount):
        raise RuleViolation("金额最多两位小数，整数最多12位。", field=field)


def sent_by(fund: Fund) -> dict[str, Decimal]:
    """{payer: what came from him less what went back}."""
    whole = Sum("amount", output_field=DecimalField())
    rows = (
        fund.entries.filter(Q(kind=RECEIVE) | Q(kind=GIVE_BACK))
        .order_by()
        .values_list("payer", "kind")
        .annotate(whole=whole)
    )
    found: dict[str, Decimal] = {}
    for payer, kind, amount in rows:
        sign = 1 if kind == RECEIVE else -1
        found[payer] = found.get(payer, Decimal(0)) + sign * to_fen(amount)
    return found
