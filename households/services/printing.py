"""That somebody printed people's names."""

from fpadmin.audit import log

EVENT_TYPES = {"registry.printed": "打印名册或户表"}
CHANGE_LABELS = {"what": "名称"}


def record_print(*, by, what: str, count: int) -> None:
    """That `by` had so many rows printed, and as what."""
    log.record("registry.printed", by=by, count=count, changes={"what": what})
