"""The bank's answers for tests."""

from fpadmin.imports import engine
from fpadmin.imports.kinds import KINDS, Ground, Outcome
from tests.conftest import TODAY
from tests.factories.workbooks import workbook_of

KIND = "bank_returns"
DAY = "2018-10-09"


def answer(line, result="成功", **cells) -> dict:
    """The bank's row of a payment, as it was sent."""
    return {
        "batch_no": line.batch.number, "line_no": line.line_no, "name": line.name,
        "account": line.account, "amount": f"{line.amount:.2f}", "result": result,
        "reason": "" if result == "成功" else "账号不存在",
        "paid_on": DAY if result == "成功" else "",
    } | cells  # fmt: skip


def book(*rows: dict) -> bytes:
    """A workbook of them."""
    return workbook_of(KIND, list(rows))


def take(by, *rows: dict, content=None, name="回盘.xlsx", good_rows=False) -> Outcome:
    """Import a workbook as `by` of the own office."""
    ground = Ground(by.region, TODAY, TODAY, by)
    return engine.commit(KINDS[KIND], content or book(*rows), name, ground, good_rows=good_rows)


def look(by, *rows: dict, content=None, name="回盘.xlsx") -> Outcome:
    """What it would do."""
    return engine.check(
        KINDS[KIND], content or book(*rows), name, Ground(by.region, TODAY, TODAY, by)
    )


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    """(posted, for the desk, known, refused)."""
    return outcome.updated, outcome.created, outcome.unchanged, outcome.refused
