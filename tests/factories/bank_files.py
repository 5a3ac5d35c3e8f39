"""Batches at the bank's file: without lines, for pages and who may see them, or with the file itself."""

from fpadmin import sealed
from subsidies.bank_files import writing
from subsidies.bank_files.kept import FOLDER
from subsidies.bank_files.layouts import SHIPPED
from subsidies.models import BankFile, PaymentBatch
from subsidies.services.bank_files import seal_file
from tests.factories.accounts import make_user
from tests.factories.payments import NOW, TODAY


def seal_with_file(batch: PaymentBatch, by, layout="xlsx") -> BankFile:
    """What the job does with an approved batch, here and now."""
    batch.refresh_from_db()
    words = writing.words_of(batch, TODAY)
    made = writing.make(batch, SHIPPED[layout], words)
    return seal_file(
        by=by, batch=batch, row_version=batch.row_version, made=made,
        file=writing.as_data(SHIPPED[layout], words), now=NOW, before_commit=lambda: None,
        stored=sealed.keep_parts(FOLDER, made.content),
    )  # fmt: skip


def make_approved(office, note="", **values) -> PaymentBatch:
    """Approved by three people of its own."""
    number = f"{office.code}-2018-{PaymentBatch.objects.count() + 900}"
    who = {
        step: make_user("clerk", office, f"{step}-{number}")
        for step in ("made", "submitted", "checked", "approved")
    }
    signed = {f"{step}_by": user for step, user in who.items()} | {f"{s}_at": NOW for s in who}
    return PaymentBatch.objects.create(
        **{"number": number, "office": office, "policy_code": "CN-RURAL", "year": 2018,
           "from_month": "2018-01-01", "to_month": "2018-12-01", "pay_year": 2018,
           "state": "approved", "count": 1, "total": 960, "sha256": "0" * 64, "note": note}
        | signed | values
    )  # fmt: skip


def make_filed(office, note="") -> PaymentBatch:
    """Sealed, with the row of its file; the file itself is not there."""
    batch = make_approved(office, note, state="sealed", sealed_by=None)
    layout = writing.as_data(SHIPPED["xlsx"], writing.Words("20181009", "奖励扶助", {}))
    BankFile.objects.create(
        batch=batch, layout=layout, name=f"{batch.number}.xlsx", file="bank-files/none.bin",
        sha256="0" * 64, size=1, count=1, total=960, made_by=batch.made_by, made_at=NOW,
    )  # fmt: skip
    return batch
