"""That somebody printed an application, and whole numbers with it."""

from fpadmin.audit import log
from subsidies.models import Application

EVENT_TYPES = {"application.printed": "打印申报审批表或回执"}


def record_application_print(*, by, application: Application, what: str) -> None:
    """That `by` printed it, as what."""
    log.record(
        "application.printed",
        by=by,
        target=application,
        region_path=application.resident.village.path,
        changes={"what": what},
    )
