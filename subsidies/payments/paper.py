"""The roster of a batch (发放花名册) as it stands on paper: village by village, with sums in 大写."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

from fpadmin.accounts.models import Region
from fpadmin.money import capital_yuan
from subsidies.models import PaymentBatch, PaymentLine
from subsidies.payments.batch_page import listed
from subsidies.payments.line_list import basis_words, months_words

PER_SHEET = 18


@dataclass(frozen=True)
class Line:
    """One line and its number within the village."""

    number: int
    line: PaymentLine

    @property
    def months(self) -> str:
        line = self.line
        return months_words(line.policy_code, line.month_count, line.months)

    @property
    def basis(self) -> str:
        return basis_words(self.line.basis)


@dataclass(frozen=True)
class Total:
    """So many lines, and their sum."""

    name: str
    count: int
    amount: Decimal

    @property
    def in_words(self) -> str:
        """The sum as 大写."""
        return f"人民币{capital_yuan(self.amount)}"


@dataclass
class Sheet:
    """One page of one village, the totals on its last page."""

    number: int
    village: Region
    lines: list[Line] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)


def sheets_of(batch: PaymentBatch) -> list[Sheet]:
    """Each village begins a page and ends with its sum; the last page has the whole."""
    lines = list(listed(batch).select_related("village").order_by("village__path", "line_no"))
    sheets: list[Sheet] = []
    for _, some in groupby(lines, key=lambda line: line.village_id):
        rows = list(some)
        for start in range(0, len(rows), PER_SHEET):
            part = rows[start : start + PER_SHEET]
            numbered = [Line(number, line) for number, line in enumerate(part, start=start + 1)]
            sheets.append(Sheet(len(sheets) + 1, rows[0].village, numbered))
        sheets[-1].totals.append(_total(f"{rows[0].village.name}合计", rows))
    if sheets:
        sheets[-1].totals.append(_total(f"{batch.office.name}总计", lines))
    return sheets


def _total(name: str, lines: Sequence[PaymentLine]) -> Total:
    return Total(name, len(lines), sum((line.amount for line in lines), Decimal(0)))
