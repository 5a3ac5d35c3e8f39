"""The pay of village workers: what a line comes to, and who is offered for a township's sheet."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce

from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Role
from fpadmin.errors import RuleViolation
from fpadmin.identity import mask_account
from fpadmin.money import capital_yuan
from fpadmin.scoping import below
from subsidies.models import StipendLine, StipendSheet
from subsidies.rolls.rates import AMOUNT

FEN = Decimal("0.01")
MOST_MONTHS = 12
Appraisal = StipendLine.Appraisal


@dataclass(frozen=True)
class Worker:
    """One worker as entered. `amount` None follows the rule; `account` None keeps the one known before."""

    village: Region
    name: str
    months: int = MOST_MONTHS
    appraisal: str = Appraisal.PASSED
    amount: Decimal | None = None
    bank: str = ""
    account: str | None = None
    note: str = ""
    line: int | None = None  # the line that it was before


@dataclass(frozen=True)
class Total:
    """So many workers, and what they get together."""

    count: int
    yuan: Decimal

    @property
    def in_words(self) -> str:
        """The sum as 大写."""
        return capital_yuan(self.yuan)


def by_rule(months: int, appraisal: str, monthly: Decimal) -> Decimal:
    """The months at the monthly rate; nothing for who failed the appraisal."""
    if appraisal == Appraisal.FAILED:
        return Decimal("0.00")
    return (monthly * months).quantize(FEN, ROUND_HALF_UP)


def amount_of(worker: Worker, monthly: Decimal) -> Decimal:
    """What the worker gets. Another amount than the rule's needs a note that says why."""
    due = by_rule(worker.months, worker.appraisal, monthly)
    if worker.amount is None or worker.amount == due:
        return due
    if not worker.note.strip():
        raise RuleViolation(
            f"{worker.name}的金额{worker.amount:,.2f}元和标准{due:,.2f}元不一样，请在说明里写明依据。"
        )
    if worker.amount < 0 or worker.amount != worker.amount.quantize(FEN):
        raise RuleViolation(f"{worker.name}的金额不对，最多两位小数。")
    return worker.amount


def is_special(line: StipendLine, monthly: Decimal) -> bool:
    """Whether the line's amount is another than the rule's."""
    return line.amount != by_rule(line.months, line.appraisal, monthly)


def offered(office: Region) -> list[Worker]:
    """The accounts of the township's village workers, each for twelve months."""
    accounts = (
        User.objects.filter(
            below(office.path, "region__path"), role=Role.PROPAGANDIST, is_active=True
        )
        .select_related("region")
        .order_by("region__path", "name")
    )
    people = {(one.region_id, one.name): Worker(one.region, one.name) for one in accounts}
    return list(people.values())


def lines_of(sheet: StipendSheet) -> list[StipendLine]:
    """The sheet's lines, village by village."""
    return list(sheet.lines.select_related("village").order_by("village__path", "pk"))


def masks_of(lines: Iterable[StipendLine]) -> dict[int, str]:
    """{line: its account, masked}."""
    return {line.pk: mask_account(line.account) for line in lines if line.account}


def total_of(lines: Iterable[StipendLine]) -> Total:
    """Of the lines of one sheet."""
    amounts = [line.amount for line in lines]
    return Total(len(amounts), sum(amounts, Decimal(0)).quantize(FEN))


def with_totals(sheets: QuerySet[StipendSheet]) -> QuerySet[StipendSheet]:
    """Sheets with `people` and `yuan`."""
    return sheets.annotate(
        people=Count("lines"), yuan=Coalesce(Sum("lines__amount"), Decimal(0), output_field=AMOUNT)
    )
