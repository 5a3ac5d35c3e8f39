"""That somebody printed archives, and health with them."""

from collections.abc import Iterable

from fpadmin.audit import log
from households.models import SpecialFamily

EVENT_TYPES = {"special.printed": "打印特殊家庭档案"}


def record_archive_print(*, by, families: Iterable[SpecialFamily], health_for: str = "") -> None:
    """One event for each archive, and one more for its health where that was printed for a purpose.

    The families come with household and village.
    """
    entries = []
    for family in families:
        common = {
            "target_type": family._meta.label_lower,
            "target_id": str(family.pk),
            "region_path": family.household.village.path,
        }
        entries.append(log.Entry("special.printed", **common))
        if health_for:
            changes = {"what": f"打印，{health_for}"}
            entries.append(log.Entry("special.health_viewed", **common, changes=changes))
    log.record_many(entries, by=by)
