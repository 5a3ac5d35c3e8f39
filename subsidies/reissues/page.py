"""What the check list of a re-issue shows: who would be paid again, to which account, and who waits."""

from dataclasses import dataclass
from decimal import Decimal

from subsidies.models import PaymentBatch, PaymentLine
from subsidies.reissues.choosing import reissuable, unclear_accounts, wrong_accounts
from subsidies.reissues.making import accounts_now, holds_of, rows_of


@dataclass(frozen=True)
class Again:
    """One line that may be paid again; `hold` is why it would wait."""

    line: PaymentLine
    hold: str
    is_new_account: bool


@dataclass(frozen=True)
class CheckList:
    """Everybody of the batch who may be paid again."""

    lines: list[Again]

    @property
    def going(self) -> list[Again]:
        """Those that nothing holds back."""
        return [one for one in self.lines if not one.hold]

    @property
    def total(self) -> Decimal:
        """Of those."""
        return sum((one.line.amount for one in self.going), Decimal(0))


def check_list(batch: PaymentBatch) -> CheckList:
    """In the order of the batch, in a fixed number of queries."""
    rows = rows_of(reissuable(batch.lines.all()))
    accounts = accounts_now(batch, rows)
    holds = holds_of(batch, rows, accounts)
    lines = batch.lines.select_related("village").in_bulk([row.pk for row in rows])
    return CheckList(
        [
            Again(
                lines[row.pk], holds.get(row.pk, ""), accounts[row.beneficiary].digest != row.digest
            )
            for row in rows
        ]
    )


def to_tell(batch: PaymentBatch) -> list[PaymentLine]:
    """Wrong accounts of the batch that no village was told of."""
    found = wrong_accounts(batch.lines.filter(village_told_at__isnull=True))
    return list(found.select_related("village").order_by("line_no"))


def not_sure_to_tell(batch: PaymentBatch) -> list[PaymentLine]:
    """Failed lines whose reason doesn't say that the account is wrong: told of only where chosen."""
    return list(unclear_accounts(batch.lines).select_related("village").order_by("line_no"))
