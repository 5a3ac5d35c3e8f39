"""The lines of a batch in the draft: what is payable and not paid yet, less what is to come back.

Nobody is paid a month twice: whatever a live line of another batch pays, in this system or in imported
history, is left out here, and the database refuses it besides.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Q, Sum
from django.utils.timezone import localdate

from fpadmin import bulk
from fpadmin.crypto import decryptor, encryptor
from fpadmin.scoping import below
from households.models import Relation, Resident
from subsidies.models import (
    LIVE_STATES,
    SENT_BATCHES,
    Enrolment,
    EnrolmentChange,
    LineState,
    PaymentBatch,
    PaymentLine,
    Recovery,
    RecoveryPart,
    active_on,
    arrived_late,
    still_cut,
)
from subsidies.payments.entitlement import Payable, payables
from subsidies.payments.periods import bits_between, last_day, months_in
from subsidies.payments.shares import FEN
from subsidies.policies.book import policy_book

# What a deduction leaves of a payment: half of it at least. No source states a limit (unconfirmed).
DEDUCTED_AT_MOST = Decimal("0.5")
NO_ACCOUNT, CHANGE_WAITS, EXCLUDED, EMPLOYER_PAYS = (
    "没有银行账号", "有待审的在册变动", "另有不能同时享受的在册政策", "由原单位发放",
)  # fmt: skip
FOUND_HERE = (NO_ACCOUNT, CHANGE_WAITS, EXCLUDED, EMPLOYER_PAYS)
COLUMNS = (
    "id", "batch_id", "line_no", "state", "is_agreed", "kind", "policy_code", "slot", "year",
    "months", "month_count", "enrolment_id", "beneficiary_id", "village_id", "household_no",
    "grade", "name", "bank", "account", "account_digest", "gross", "deduction", "amount", "basis",
    "hold_reason", "reissue_of_id", "paid_on", "failed_reason", "answered_at", "late_paid_on",
    "village_told_at", "see_by", "meeting_id",
)  # fmt: skip
_LIVE_COLUMNS = (
    "pk", "beneficiary", "enrolment__resident", "beneficiary__household", "slot", "months", "gross",
    "batch__kind",
)  # fmt: skip


class Live(NamedTuple):
    """A line that pays already, as far as others are worked out by it."""

    pk: int
    beneficiary: int
    resident: int | None  # who stands on the roll; nobody of what was imported
    household: int
    slot: str
    months: int
    gross: Decimal
    kind: str


@dataclass(frozen=True, slots=True)
class Paid:
    """What live lines pay of a line's slot: months, gross, and whether all of it was imported."""

    months: int = 0
    gross: Decimal = Decimal(0)
    is_history: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """A line before it is numbered and written."""

    payable: Payable
    year: int
    kind: str
    months: int
    month_count: int
    gross: Decimal


def make_lines(batch: PaymentBatch) -> int:
    """Write the batch's lines anew, in the caller's transaction; returns how many.

    The batch is in the draft and locked. What somebody held stays held.
    """
    by_hand = batch.lines.filter(state=LineState.HELD).exclude(hold_reason__in=FOUND_HERE)
    held = dict(by_hand.values_list("beneficiary", "hold_reason"))
    RecoveryPart.objects.filter(line__batch=batch).delete()
    bulk.delete(PaymentLine.objects.filter(batch=batch))
    drafts = sorted(_drafts(batch), key=_order)
    people = {draft.payable.beneficiary for draft in drafts}
    owing = _owing(batch, people)
    accounts = accounts_of(batch, people)
    holds = _holds(batch, drafts)
    ids = bulk.reserve_ids(PaymentLine, len(drafts))
    parts: list[tuple[int, int, Decimal]] = []
    bulk.insert(
        PaymentLine, COLUMNS, _rows(batch, drafts, ids, accounts, holds, held, owing, parts)
    )
    RecoveryPart.objects.bulk_create(
        RecoveryPart(
            recovery_id=recovery, line_id=line, amount=amount, happened_on=localdate(batch.made_at),
            counts=False, by=batch.made_by, at=batch.made_at,
        )
        for recovery, line, amount in parts
    )  # fmt: skip
    bulk.analyze(PaymentLine, rows=len(drafts))
    return len(drafts)


def live_lines(policy_code: str, path: str):
    """Lines of the policy by which people under the path, or for whom others, are being or were paid."""
    here = below(path, "beneficiary__village__path")
    here |= below(path, "enrolment__resident__village__path")
    pays = Q(state__in=LIVE_STATES) | arrived_late()
    return PaymentLine.objects.filter(here, pays, policy_code=policy_code)


def _drafts(batch: PaymentBatch) -> Iterator[Draft]:
    book = policy_book(last_day(batch.policy, batch.year))
    for year, asked in _covered(batch).items():
        kind = PaymentLine.Kind.CURRENT if year == batch.year else PaymentLine.Kind.ARREARS
        found = list(
            payables(
                batch.policy_code, batch.office.path, year, bits=asked,
                book=book if year == batch.year else None,
            )
        )  # fmt: skip
        for one, paid in zip(found, _paid(batch, year, found), strict=True):
            if batch.part and batch.part != one.grade and batch.part != one.part:
                continue
            draft = _draft(one, year, kind, paid)
            if draft:
                yield draft


def _covered(batch: PaymentBatch) -> dict[int, int]:
    """The months that are looked at, by benefit year: the batch's own, and those of batches sent before."""
    policy = batch.policy
    own = bits_between(policy, batch.year, batch.from_month, batch.to_month)
    if policy.cycle != "month":
        own = 1
    covered = {batch.year: own}
    earlier = PaymentBatch.objects.filter(
        office=batch.office, policy_code=batch.policy_code, kind=PaymentBatch.Kind.REGULAR,
        state__in=SENT_BATCHES, year__lte=batch.year,
    ).exclude(pk=batch.pk)  # fmt: skip
    for year, first, last in earlier.order_by().values_list("year", "from_month", "to_month"):
        bits = bits_between(policy, year, first, last) if policy.cycle == "month" else 1
        covered[year] = covered.get(year, 0) | bits
    return dict(sorted(covered.items(), reverse=True))


def _paid(batch: PaymentBatch, year: int, found: Sequence[Payable]) -> Iterator[Paid]:
    """What live lines pay already of each of these.

    Those that pay who stands on the roll, in whatever name, and those to whoever would be paid now: a
    head may have changed since. What was imported names no roll: of a household's it counts for the first
    line, unless it went to somebody who is looked at here anyway.
    """
    slots = Q(slot=str(year)) | Q(slot__startswith="once")
    rows = live_lines(batch.policy_code, batch.office.path).filter(slots).order_by("pk")
    looked_at = {pk for one in found for pk in (one.beneficiary, one.resident)}
    by_person: dict[tuple[int, str], set[Live]] = defaultdict(set)
    by_home: dict[tuple[int, str], set[Live]] = defaultdict(set)
    for row in map(Live._make, rows.values_list(*_LIVE_COLUMNS).iterator(chunk_size=5_000)):
        for person in {row.beneficiary, row.resident} - {None}:
            by_person[person, row.slot].add(row)
        if row.resident is None and row.beneficiary not in looked_at:
            by_home[row.household, row.slot].add(row)
    is_shared = batch.policy.who in ("couple", "family")
    for one in found:
        lines = {
            row for pk in {one.beneficiary, one.resident} for row in by_person.get((pk, one.slot), ())
        }  # fmt: skip
        if is_shared:
            lines |= by_home.pop((one.household, one.slot), set())
        yield Paid(
            reduce(or_, (row.months for row in lines), 0),
            sum((row.gross for row in lines), Decimal(0)),
            all(row.kind == PaymentBatch.Kind.HISTORY for row in lines),
        )


def _draft(one: Payable, year: int, kind: str, paid: Paid) -> Draft | None:
    """What is left to pay: months that nobody paid, and what a rate that rose since adds to those paid."""
    if one.gross is None:
        return None
    missing = one.months & ~paid.months
    if missing == one.months and not paid.months:
        return Draft(one, year, kind, one.months, one.month_count, one.gross)
    if paid.is_history and not missing:
        return None
    gross = worth(one, missing)
    rise = worth(one, one.months & paid.months) - paid.gross
    if paid.months and not paid.is_history and rise > 0 and not paid.months & ~one.months:
        gross += rise
    if gross <= 0:
        return None
    return Draft(one, year, kind, missing, missing.bit_count(), gross)


def worth(one: Payable, bits: int) -> Decimal:
    """The rates of some of its months."""
    if not bits:
        return Decimal(0)
    if bits == one.months:
        return one.gross or Decimal(0)
    each = [rate for _, number, rate in one.rates for _ in range(number)]
    numbers = [number for number in range(12) if one.months >> number & 1]
    return sum(
        (rate for number, rate in zip(numbers, each, strict=True) if bits >> number & 1), Decimal(0)
    )


def _order(draft: Draft):
    one = draft.payable
    return one.path, one.household_no, one.beneficiary, -draft.year, one.enrolment


def accounts_of(batch: PaymentBatch, people: set[int]) -> Mapping[int, tuple]:
    """{person: (name, bank, sealed account, digest)}; a child without an account is paid to the head's."""
    columns = ["household_id", "name", "bank", "bank_account", "bank_account_digest"]
    rows = {
        pk: (home, tuple(own)) for pk, home, *own in bulk.lookup(Resident, "id", people, columns)
    }
    accounts = {pk: own for pk, (_, own) in rows.items()}
    if batch.policy.who != "child":
        return accounts
    without = {home for home, own in rows.values() if not own[-1]}
    columns = ["id", "relation", "death_date", "departed_on", *columns[1:]]
    heads = {
        home: tuple(own)
        for home, _, relation, died, left, *own in bulk.lookup(
            Resident, "household_id", without, columns
        )
        if relation == Relation.HEAD and died is None and left is None
    }
    for pk, (home, own) in rows.items():
        if not own[-1] and home in heads:
            accounts[pk] = heads[home]
    return accounts


def _owing(batch: PaymentBatch, people: set[int]) -> Mapping[int, list[list]]:
    """{person: [[recovery, what is still owed], …]} of what comes back out of later payments."""
    found = defaultdict(list)
    pending = Q(parts__counts=True) | still_cut("parts__")
    rows = (
        Recovery.objects.filter(
            state=Recovery.State.OPEN, by_deduction=True, line__policy_code=batch.policy_code
        )
        .annotate(cut=Sum("parts__amount", filter=pending))
        .order_by("pk")
    )
    for pk, person, amount, cut in rows.values_list("pk", "line__beneficiary", "amount", "cut"):
        left = amount - (cut or 0)
        if person in people and left > 0:
            found[person].append([pk, left])
    return found


def _holds(batch: PaymentBatch, drafts: Sequence[Draft]) -> Mapping[int, str]:
    """{line of the roll: why the office has to look first}."""
    found: dict[int, str] = {}
    lines = Enrolment.objects.filter(
        below(batch.office.path, "resident__village__path"), policy_code=batch.policy_code
    ).order_by()
    waiting = EnrolmentChange.objects.filter(decision="", enrolment__in=lines.values("pk"))
    for pk in waiting.values_list("enrolment", flat=True):
        found[pk] = CHANGE_WAITS
    book = policy_book(last_day(batch.policy, batch.year))
    others = book.rule(batch.policy_code, batch.office.path).excludes
    if others:
        month = max(batch.from_month, min(batch.to_month, last_day(batch.policy, batch.year)))
        both = Enrolment.objects.filter(active_on(month), policy_code__in=others).order_by()
        clashing = lines.filter(resident__in=both.values("resident")).values_list("pk", flat=True)
        for pk in clashing:
            found.setdefault(pk, EXCLUDED)
    for draft in drafts:
        if draft.payable.employer_pays:
            found[draft.payable.enrolment] = EMPLOYER_PAYS
    return found


def _rows(batch, drafts, ids, accounts, holds, held, owing, parts) -> Iterator[tuple]:
    opened = decryptor(Resident._meta.get_field("bank_account").context())
    seal = encryptor(PaymentLine._meta.get_field("account").context())
    for number, (pk, draft) in enumerate(zip(ids, drafts, strict=True), start=1):
        one = draft.payable
        name, bank, sealed, digest, *_ = accounts[one.beneficiary]
        account = opened(sealed) if sealed else ""
        reason = holds.get(one.enrolment) or ("" if account else NO_ACCOUNT)
        reason = reason or held.get(one.beneficiary, "")
        deduction = _deducted(pk, draft, owing.get(one.beneficiary, ()), parts)
        yield (
            pk, batch.pk, number, LineState.HELD if reason else LineState.PLANNED, False,
            draft.kind, batch.policy_code, one.slot, draft.year, draft.months, draft.month_count,
            one.enrolment, one.beneficiary, one.village, one.household_no, one.grade, name, bank,
            seal(account) if account else "", digest or "", draft.gross, deduction,
            draft.gross - deduction, json.dumps(_basis(batch, draft), ensure_ascii=False), reason,
            None, None, "", None, None, None, None, None,
        )  # fmt: skip


def _deducted(pk: int, draft: Draft, owed, parts: list) -> Decimal:
    """What is kept out of this payment; noted in `parts`."""
    room = (draft.gross * DEDUCTED_AT_MOST).quantize(FEN, ROUND_DOWN)
    whole = Decimal(0)
    for one in owed:
        part = min(one[1], room - whole)
        if part > 0:
            parts.append((one[0], pk, part))
            one[1] -= part
            whole += part
    return whole


def _basis(batch: PaymentBatch, draft: Draft) -> dict:
    """The rule's version, and the rates that the amount is the sum of."""
    one = draft.payable
    return {
        "version": batch.version_id,
        "starts": one.starts.isoformat()[:7],
        "rates": [
            [first.isoformat()[:7], number, f"{rate:.2f}"] for first, number, rate in one.rates
        ],
        "months": [
            month.isoformat()[:7] for month in months_in(batch.policy, draft.year, draft.months)
        ]
        if batch.policy.cycle == "month"
        else [],
    }
