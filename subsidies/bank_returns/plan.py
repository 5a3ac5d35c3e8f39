"""Plans the bank's answer (代发回盘): which payments each row speaks of, and whether it may be believed.

A row is found by batch and number, and posted only where name, account and amount are those that were
sent. What was posted before changes nothing; everything else goes to the exceptions desk.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.timezone import localdate

from fpadmin import bulk
from fpadmin.accounts.models import User
from fpadmin.crypto import digest
from fpadmin.imports.identifiers import text_of
from fpadmin.imports.kinds import Change, Doubt, Ground, Issue
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from fpadmin.scoping import below
from subsidies.bank_returns.lines import reason_of
from subsidies.models import (
    PAID_STATES,
    SENT_BATCHES,
    LineState,
    PaymentBatch,
    PaymentLine,
    ReturnException,
)
from subsidies.registered import same_name

PAID, FAILED = "成功", "失败"
Problem = ReturnException.Problem
# The cell that a problem is shown at.
_CELL = {
    Problem.NO_BATCH: "batch_no", Problem.NOT_SENT: "batch_no", Problem.NO_LINE: "line_no",
    Problem.NAME: "name", Problem.ACCOUNT: "account", Problem.AMOUNT: "amount",
}  # fmt: skip
_LINE_COLUMNS = (
    "batch", "line_no", "pk", "state", "name", "account_digest", "amount", "paid_on",
    "late_paid_on", "failed_reason", "village__name",
)  # fmt: skip
_NOT_WITH_THE_BANK = (LineState.PLANNED, LineState.HELD, LineState.VOID)
_WAITING = (LineState.INSTRUCTED, LineState.UNKNOWN)
_LARGEST = Decimal(10) ** 10
_PREVIEW = 5_000


@dataclass(frozen=True, slots=True)
class Row:
    """What the bank says of one payment."""

    batch_no: str
    line_no: int
    name: str
    account: str
    amount: Decimal
    result: str
    reason: str
    paid_on: date | None

    @property
    def outcome(self) -> tuple[str, date | None]:
        """Two rows of one payment that differ in this cannot both be true."""
        return self.result, self.paid_on

    @property
    def digest(self) -> str:
        """Of the whole row, wherever it stands in whatever file."""
        day = self.paid_on.isoformat() if self.paid_on else ""
        return digest(
            f"{self.batch_no}\x1f{self.line_no}\x1f{self.name}\x1f{self.account}\x1f"
            f"{self.amount:.2f}\x1f{self.result}\x1f{self.reason}\x1f{day}"
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """A payment as it went to the bank, and what is known of it since."""

    pk: int
    state: str
    name: str
    account_digest: str
    amount: Decimal
    paid_on: date | None
    late_paid_on: date | None
    reason: str
    village: str


@dataclass(frozen=True, slots=True)
class Stored:
    """An exception that a row brought about before."""

    pk: int
    problem: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Queued:
    """A row for the desk."""

    row: Row
    digest: str
    problem: str
    batch: PaymentBatch | None
    line: int | None
    stored: Stored | None


@dataclass
class ReturnPlan:
    """What the workbook would do. Rows posted count as updated, rows for the desk as created."""

    table: Table
    ground: Ground
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    batches: dict[str, PaymentBatch] = field(default_factory=dict)
    lines: dict[tuple[int, int], Sent] = field(default_factory=dict)  # by batch and number
    paid: dict[int, dict[int, date]] = field(default_factory=lambda: defaultdict(dict))
    failed: dict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    queued: list[Queued] = field(default_factory=list)
    settled: list[tuple[int, str]] = field(default_factory=list)  # (exception, result) by a posting


def plan_returns(table: Table, ground: Ground) -> ReturnPlan:
    """Decide of every good row whether it is posted, known, or for the desk."""
    plan = ReturnPlan(table, ground)
    _own_faults(table)
    rows = {index: _row(table, index) for index in table.good()}
    _find(plan, {row.batch_no for row in rows.values()})
    _refuse_days(plan, rows)
    rows = {index: rows[index] for index in table.good()}
    _classify(plan, rows)
    _summarize(plan)
    return plan


def _own_faults(table: Table) -> None:
    results, days, amounts = (table.columns[key] for key in ("result", "paid_on", "amount"))
    for index in table.good():
        if results[index] == PAID and not isinstance(days[index], date):
            table.error(index, "paid_on", "required", "处理结果是成功，要填入账日期。请补填。")
        if amounts[index] >= _LARGEST:
            table.error(index, "amount", "money", "金额太大，请核对。")


def _row(table: Table, index: int) -> Row:
    cell = {key: values[index] for key, values in table.columns.items()}
    account = text_of(cell["account"]).replace(" ", "").replace("-", "")
    is_paid = cell["result"] == PAID
    return Row(
        batch_no=cell["batch_no"].strip(), line_no=cell["line_no"], name=cell["name"].strip(),
        account=account, amount=cell["amount"], result=cell["result"],
        reason="" if is_paid or cell["reason"] in (None, CLEAR) else cell["reason"].strip(),
        paid_on=cell["paid_on"] if is_paid else None,
    )  # fmt: skip


def _find(plan: ReturnPlan, numbers: set[str]) -> None:
    """The batches that the office, and who imports, may see; and every payment of them."""
    by, office = plan.ground.by, plan.ground.office
    batches = PaymentBatch.objects.filter(below(office.path, "office__path"))
    if isinstance(by, User):
        batches = batches.visible_to(by)
    known = batches.exclude(kind=PaymentBatch.Kind.HISTORY).select_related("office")
    found = {one for one, *_ in bulk.lookup(PaymentBatch, "number", numbers, ["id"])}
    plan.batches = {one.number: one for one in known.filter(number__in=sorted(found))}
    asked = [one.pk for one in plan.batches.values()]
    lines = PaymentLine.objects.filter(batch__in=asked).order_by()
    for batch, number, *values in lines.values_list(*_LINE_COLUMNS).iterator(chunk_size=5_000):
        plan.lines[batch, number] = Sent(*values)


def _refuse_days(plan: ReturnPlan, rows: dict[int, Row]) -> None:
    """Nothing arrives before the bank's file was made; 送银行 may be pressed later than it went."""
    sent_on = {
        one.number: localdate(one.sealed_at) for one in plan.batches.values() if one.sealed_at
    }
    for index, row in rows.items():
        day = sent_on.get(row.batch_no)
        if row.paid_on and day and row.paid_on < day:
            plan.table.error(
                index, "paid_on", "paid_before_sent",
                f"这个批次的银行文件{day.isoformat()}才生成，入账日期不会更早。请向银行核实。",
            )  # fmt: skip


def _classify(plan: ReturnPlan, rows: dict[int, Row]) -> None:
    outcomes: dict[tuple[str, int], set] = defaultdict(set)
    for row in rows.values():
        outcomes[row.batch_no, row.line_no].add(row.outcome)
    digests = {index: row.digest for index, row in rows.items()}
    stored = _stored(plan, digests)
    seen: dict[str, int] = {}
    for index, row in rows.items():
        own = digests[index]
        if own in seen:
            plan.table.warn(
                index, "line_no", "same_row",
                f"与第{plan.table.excel_rows[seen[own]]}行完全相同，只登记一次。",
            )  # fmt: skip
            plan.unchanged += 1
            continue
        seen[own] = index
        batch = plan.batches.get(row.batch_no)
        line = plan.lines.get((batch.pk, row.line_no)) if batch else None
        office = batch.office_id if batch else plan.ground.office.pk
        known = stored.get((office, own))
        problem = _problem(batch, line, row, len(outcomes[row.batch_no, row.line_no]) > 1)
        if problem:
            _queue(plan, index, Queued(row, own, problem, batch, line and line.pk, known))
        elif line.state in _WAITING and not _is_taken(plan, batch, line):
            _post(plan, index, row, batch, line)
            if known and known.is_open:
                plan.settled.append((known.pk, row.result))
        else:
            plan.unchanged += 1
            if line.state in PAID_STATES and row.result == FAILED:
                plan.table.warn(
                    index, "result", "failed_before",
                    "这一笔先报失败，后来核实已入账，按已登记处理。如果是退票，请在批次回盘页登记退票。",
                )  # fmt: skip


def _stored(plan: ReturnPlan, digests: dict[int, str]) -> dict[tuple[int, str], Stored]:
    columns = ["office_id", "id", "problem", "resolution"]
    found = bulk.lookup(ReturnException, "row_digest", set(digests.values()), columns)
    return {
        (office, own): Stored(pk, problem, not resolution)
        for own, office, pk, problem, resolution in found
    }


def _problem(
    batch: PaymentBatch | None, line: Sent | None, row: Row, has_two_outcomes: bool
) -> str:
    """Why a row is for the desk; "" where it may be believed, or is known already."""
    if batch is None:
        return Problem.NO_BATCH
    if batch.state not in SENT_BATCHES:
        return Problem.NOT_SENT
    if line is None or line.state in _NOT_WITH_THE_BANK:
        return Problem.NO_LINE
    if has_two_outcomes:
        return Problem.TWO_OUTCOMES
    if not same_name(row.name, line.name):
        return Problem.NAME
    if digest(row.account) != line.account_digest:
        return Problem.ACCOUNT
    if row.amount != line.amount:
        return Problem.AMOUNT
    return "" if line.state in _WAITING else _contradiction(line, row)


def _contradiction(line: Sent, row: Row) -> str:
    """What is wrong where the payment has another outcome already; "" where it has this one."""
    if line.state in PAID_STATES:
        if row.result == FAILED:
            # It failed first, and was found to have arrived: the answer of then, once more.
            again = line.reason and reason_of(row.reason) == line.reason
            return "" if again else Problem.LATE_FAILURE
        return "" if row.paid_on == line.paid_on else Problem.TWO_OUTCOMES
    if row.result == FAILED:
        return ""
    # It failed or came back: by the day one knows the answer that was brought in before.
    return "" if row.paid_on in (line.late_paid_on, line.paid_on) else Problem.LATE_SUCCESS


def _is_taken(plan: ReturnPlan, batch: PaymentBatch, line: Sent) -> bool:
    """Whether an earlier row of the file has posted the payment; it said the same."""
    return line.pk in plan.paid[batch.pk] or line.pk in plan.failed[batch.pk]


def _post(plan: ReturnPlan, index: int, row: Row, batch: PaymentBatch, line: Sent) -> None:
    plan.updated += 1
    if row.result == PAID:
        plan.paid[batch.pk][line.pk] = row.paid_on
        after = f"已入账 {row.paid_on.isoformat()}"
    else:
        plan.failed[batch.pk][line.pk] = row.reason
        after = f"失败：{reason_of(row.reason)}"
    if len(plan.changes) < _PREVIEW:
        plan.changes.append(
            Change(
                plan.table.excel_rows[index], f"{line.name}（{row.line_no}号）", line.village,
                line.pk, plan.table.kind.column("result").heading,
                LineState(line.state).label, after,
            )
        )  # fmt: skip


def _queue(plan: ReturnPlan, index: int, queued: Queued) -> None:
    known = queued.stored
    words = f"{Problem(queued.problem).label}，不登记"
    if known and not known.is_open:
        plan.unchanged += 1
        plan.table.warn(index, _cell(queued), "desk_done", f"{words}，回盘异常已处理过。")
        return
    if known and known.problem == queued.problem:
        plan.unchanged += 1
        plan.table.warn(index, _cell(queued), "desk_known", f"{words}，已在回盘异常待核实。")
        return
    plan.queued.append(queued)
    plan.created += 1
    plan.table.warn(index, _cell(queued), "to_desk", f"{words}，转回盘异常核实。")


def _cell(queued: Queued) -> str:
    return _CELL.get(queued.problem, "result")


def _summarize(plan: ReturnPlan) -> None:
    """The whole file in words, before the warnings of its rows; nothing of a file without rows."""
    table = plan.table
    if not len(table):
        return
    paid = {pk for lines in plan.paid.values() for pk in lines}
    total = sum((line.amount for line in plan.lines.values() if line.pk in paid), Decimal(0))
    failed = sum(map(len, plan.failed.values()))
    table.issues.insert(
        0,
        Issue(
            table.heading_row, table.kind.column("result").heading, "answers",
            f"入账{len(paid):,}笔共{total:,.2f}元，失败{failed:,}笔，"
            f"已登记过{plan.unchanged:,}行，转回盘异常{plan.created:,}行。",
            "", False,
        ),
    )  # fmt: skip
