"""What the page of one fund shows above its movements: balances in words, and who has sent how much."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fpadmin.money import capital_yuan
from subsidies.funds.entering import sent_by
from subsidies.funds.sums import even
from subsidies.models import Fund
from subsidies.payments.shares import NOBODY_NAMED, split
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book

LABELS = {
    "allotted": "到账", "free": "可用", "reserved": "待发", "paid": "已发", "recovered": "追回",
}  # fmt: skip
HINTS = {
    "free": "还可以批准发放", "reserved": "已批准，银行还没有入账", "paid": "银行已入账",
    "recovered": "收回以后可以再发",
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One balance, small and in capital words."""

    label: str
    amount: Decimal
    words: str
    hint: str


@dataclass(frozen=True)
class Source:
    """One payer: his share of the budget, what he sent, and what is still to come or too much."""

    payer: str
    share: Decimal | None  # None: not among those who bear the policy's cost
    due: Decimal | None  # None: no budget yet
    received: Decimal

    @property
    def left(self) -> Decimal | None:
        """What the budget still waits for; None where there is none."""
        return None if self.due is None else max(self.due - self.received, Decimal(0))

    @property
    def over(self) -> Decimal:
        """What was sent beyond the budget."""
        return max(self.received - self.due, Decimal(0)) if self.due is not None else Decimal(0)


@dataclass(frozen=True)
class Whole:
    """All payers together: what one sent too much makes up for nothing that another owes."""

    share: Decimal
    due: Decimal | None
    received: Decimal
    left: Decimal | None
    over: Decimal


@dataclass(frozen=True)
class FundPage:
    """All of it."""

    figures: list[Figure]
    is_even: bool
    budget_words: str
    sources: list[Source]
    whole: Whole


def page_of(fund: Fund) -> FundPage:
    """Balances, and the payers in the order of the catalogue."""
    figures = [
        Figure(label, getattr(fund, name), capital_yuan(getattr(fund, name)), HINTS.get(name, ""))
        for name, label in LABELS.items()
    ]
    sources = sources_of(fund)
    return FundPage(
        figures,
        even(fund),
        "" if fund.budget is None else capital_yuan(fund.budget),
        sources,
        Whole(
            _sum(one.share for one in sources),
            fund.budget,
            _sum(one.received for one in sources),
            None if fund.budget is None else _sum(one.left for one in sources),
            _sum(one.over for one in sources),
        ),
    )


def sources_of(fund: Fund) -> list[Source]:
    """Who bears the budget by the shares of the policy at the end of the year, and who else sent money."""
    shares = shares_of(fund)
    due = {} if fund.budget is None else split(fund.budget, shares)
    sent = {payer: amount for payer, amount in sent_by(fund).items() if amount}
    nothing = None if fund.budget is None else Decimal(0)
    return [
        Source(payer, shares.get(payer), due.get(payer, nothing), sent.get(payer, Decimal(0)))
        for payer in sorted({*shares, *sent}, key=_rank)
    ]


def shares_of(fund: Fund) -> dict[str, Decimal]:
    """{payer: per cent} as the rule of the fund's year has it; without shares the county bears it all."""
    rule = policy_book(date(fund.year, 12, 31)).rule(fund.policy_code, fund.office.path)
    return dict(rule.shares or NOBODY_NAMED)


def payers_of(fund: Fund) -> list[str]:
    """Every payer, those of the policy's shares first."""
    shares = shares_of(fund)
    return sorted(catalogue.PAYERS, key=lambda payer: (payer not in shares, _rank(payer)))


def _rank(payer: str) -> int:
    return catalogue.PAYERS.index(payer) if payer in catalogue.PAYERS else len(catalogue.PAYERS)


def _sum(parts) -> Decimal:
    return sum((part for part in parts if part is not None), Decimal(0))
