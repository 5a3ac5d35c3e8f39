"""The digest of a batch's list: what was submitted is what is checked, approved and sent."""

import hashlib
from decimal import Decimal
from typing import NamedTuple

from django.db.models import QuerySet

from subsidies.models import PaymentBatch

# Not the key of the person's record: two records may turn out to be one person and be merged.
_COLUMNS = (
    "line_no", "name", "account_digest", "policy_code", "slot", "months", "gross", "deduction",
    "amount",
)  # fmt: skip


class Totals(NamedTuple):
    """Of a list of lines: how many, how much, and the sha256 of who is paid what."""

    count: int
    total: Decimal
    sha256: str


def totals_of(lines: QuerySet) -> Totals:
    """Of these lines in their order. Accounts go in as digests: nothing is decrypted."""
    count, total, digest = 0, Decimal(0), hashlib.sha256()
    for row in lines.order_by("line_no").values_list(*_COLUMNS).iterator(chunk_size=5_000):
        count += 1
        total += row[-1]
        digest.update(("\x1f".join(map(_text, row)) + "\n").encode())
    return Totals(count, total, digest.hexdigest())


def agreed(batch: PaymentBatch) -> Totals:
    """Of the lines that were submitted, as they stand now."""
    return totals_of(batch.lines.filter(is_agreed=True))


def _text(value) -> str:
    return f"{value:.2f}" if isinstance(value, Decimal) else str(value)
