"""That somebody printed the roster of a batch."""

from fpadmin.audit import log
from subsidies.models import PaymentBatch

EVENT_TYPES = {"payment.printed": "打印发放花名册"}


def record_batch_print(*, by, batch: PaymentBatch, count: int) -> None:
    """That `by` printed so many lines of the batch."""
    log.record("payment.printed", by=by, target=batch, region_path=batch.office.path, count=count)
