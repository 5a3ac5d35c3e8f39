"""The lines of a re-issue: the same months and money as failed, to the account of now."""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q, QuerySet, Sum
from django.utils.timezone import localdate

from fpadmin import bulk
from fpadmin.crypto import decryptor, encryptor
from households.models import Resident
from subsidies.models import (
    Enrolment,
    LineState,
    PaymentBatch,
    PaymentLine,
    Recovery,
    RecoveryPart,
    still_cut,
)
from subsidies.payments.entitlement import payables
from subsidies.payments.making import COLUMNS, NO_ACCOUNT, accounts_of
from subsidies.reissues.choosing import failed
from subsidies.reissues.reasons import Fault, fault_of

NOT_MENDED = "账号还没有更正"
NOT_SURE = "账户没有变，核实能入账后再恢复"
NOT_DUE = "按现在的在册情况，有的月份已不应发"
_KEPT = (
    "pk", "kind", "policy_code", "slot", "year", "months", "month_count", "enrolment_id",
    "enrolment__resident_id", "beneficiary_id", "village_id", "household_no", "grade", "name",
    "account_digest", "gross", "basis", "failed_reason",
)  # fmt: skip
Parts = dict[int, list[tuple[int, Decimal]]]  # {line: [(recovery, kept out of it), …]}


class Failed(NamedTuple):
    """A line that failed, as far as its child takes after it."""

    pk: int
    kind: str
    policy_code: str
    slot: str
    year: int
    months: int
    month_count: int
    enrolment: int | None
    resident: int | None
    beneficiary: int
    village: int
    household_no: str
    grade: str
    name: str
    digest: str
    gross: Decimal
    basis: dict
    reason: str


class Account(NamedTuple):
    """Where the money would go today; `sealed` is the number as the registry keeps it."""

    name: str
    bank: str
    sealed: str
    digest: str


def rows_of(lines: QuerySet) -> list[Failed]:
    """The lines as read, in their order."""
    rows = lines.order_by("line_no").values_list(*_KEPT)
    return [Failed._make(row) for row in rows.iterator(chunk_size=5_000)]


def accounts_now(batch: PaymentBatch, rows: Sequence[Failed]) -> dict[int, Account]:
    """{person: account}."""
    found = accounts_of(batch, {row.beneficiary for row in rows})
    return {
        pk: Account(name, bank, sealed, digest or "")
        for pk, (name, bank, sealed, digest, *_) in found.items()
    }


def holds_of(
    parent: PaymentBatch, rows: Sequence[Failed], accounts: Mapping[int, Account]
) -> dict[int, str]:
    """{line: why its child waits}: the account is not mended, or the months are no longer payable."""
    due = _months_due(parent, rows)
    found = {}
    for row in rows:
        reason = _account_hold(row, accounts[row.beneficiary])
        if row.resident is not None and row.months & ~due.get(
            (row.resident, row.slot, row.year), 0
        ):
            reason = NOT_DUE
        if reason:
            found[row.pk] = reason
    return found


def write_lines(batch: PaymentBatch, rows: Sequence[Failed], by, now) -> None:
    """Write the children of these lines into the empty batch, in the caller's transaction.

    What was kept out of a failed line is kept out of its child, as far as it is still owed.
    """
    accounts, parts = accounts_now(batch, rows), _parts(batch.parent, rows)
    holds = holds_of(batch.parent, rows, accounts)
    ids = bulk.reserve_ids(PaymentLine, len(rows))
    bulk.insert(PaymentLine, COLUMNS, _lines(batch, rows, ids, accounts, holds, parts))
    RecoveryPart.objects.bulk_create(
        RecoveryPart(
            recovery_id=recovery, line_id=pk, amount=amount, happened_on=localdate(now),
            counts=False, by=by, at=now,
        )
        for pk, row in zip(ids, rows, strict=True)
        for recovery, amount in parts.get(row.pk, ())
    )  # fmt: skip
    bulk.analyze(PaymentLine, rows=len(rows))


def _account_hold(row: Failed, account: Account) -> str:
    if not account.digest:
        return NO_ACCOUNT
    if (account.digest, account.name) != (row.digest, row.name):
        return ""
    return {Fault.WRONG: NOT_MENDED, Fault.STOPPED: NOT_SURE}.get(fault_of(row.reason), "")


def _months_due(parent: PaymentBatch, rows: Sequence[Failed]) -> dict[tuple[int, str, int], int]:
    """What the rolls make payable now, by person, slot and year."""
    found: dict[tuple[int, str, int], int] = {}
    among = Enrolment.objects.filter(payments__in=failed(parent.lines.all())).order_by()
    for year in sorted({row.year for row in rows}):
        for one in payables(parent.policy_code, "", year, among=among.values("resident")):
            key = one.resident, one.slot, year
            found[key] = found.get(key, 0) | one.months
    return found


def _parts(parent: PaymentBatch, rows: Sequence[Failed]) -> Parts:
    """What is kept out of each child: no more than is still owed and not kept out of another line."""
    lines = {row.pk for row in rows}
    wanted = RecoveryPart.objects.filter(line__batch=parent).order_by("recovery", "pk")
    parts = [row for row in wanted.values_list("line", "recovery", "amount") if row[0] in lines]
    if not parts:
        return {}
    asked = {recovery for _, recovery, _ in parts}
    list(Recovery.objects.select_for_update().filter(pk__in=asked).order_by("pk").values_list("pk"))
    owing = Recovery.objects.filter(pk__in=asked, state=Recovery.State.OPEN, by_deduction=True)
    pending = Q(parts__counts=True) | still_cut("parts__")
    cut = owing.annotate(cut=Sum("parts__amount", filter=pending))
    left = {pk: amount - (gone or 0) for pk, amount, gone in cut.values_list("pk", "amount", "cut")}
    found: Parts = {}
    for line, recovery, amount in parts:
        kept = min(amount, left.get(recovery, Decimal(0)))
        if kept > 0:
            found.setdefault(line, []).append((recovery, kept))
            left[recovery] -= kept
    return found


def _lines(batch, rows, ids, accounts, holds, parts: Parts) -> Iterator[tuple]:
    opened = decryptor(Resident._meta.get_field("bank_account").context())
    seal = encryptor(PaymentLine._meta.get_field("account").context())
    for number, (pk, row) in enumerate(zip(ids, rows, strict=True), start=1):
        account, reason = accounts[row.beneficiary], holds.get(row.pk, "")
        digits = opened(account.sealed) if account.sealed else ""
        deduction = sum((amount for _, amount in parts.get(row.pk, ())), Decimal(0))
        yield (
            pk, batch.pk, number, LineState.HELD if reason else LineState.PLANNED, False, row.kind,
            row.policy_code, row.slot, row.year, row.months, row.month_count, row.enrolment,
            row.beneficiary, row.village, row.household_no, row.grade, account.name, account.bank,
            seal(digits) if digits else "", account.digest, row.gross, deduction,
            row.gross - deduction, json.dumps(row.basis, ensure_ascii=False), reason, row.pk,
            None, "", None, None, None, None, None,
        )  # fmt: skip
