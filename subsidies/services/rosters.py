"""That somebody printed a roster, or a year's list of who entered or left."""

from fpadmin.accounts.models import Region
from fpadmin.audit import log

EVENT_TYPES = {"roster.printed": "打印花名册或新增、退出名单"}
CHANGE_LABELS = {"what": "名称"}


def record_roster_print(*, by, place: Region, what: str, count: int) -> None:
    """That `by` printed so many lines of the place's rolls, and as what."""
    log.record(
        "roster.printed", by=by, target=place, region_path=place.path, count=count,
        changes={"what": what},
    )  # fmt: skip
