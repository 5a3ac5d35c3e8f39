"""The trail of what the command `eligibility` was asked."""

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from households.models import Resident

EVENT_TYPES = {
    "eligibility.listed": "查询符合条件的人员",
    "eligibility.explained": "核查一人资格",
}


def record_listed(*, by, region: Region, count: int) -> None:
    """That everybody who qualifies was listed; of which policy is not told, as it may tell of a death."""
    log.record("eligibility.listed", by=by, target=region, region_path=region.path, count=count)


def record_explained(*, by, resident: Resident) -> None:
    """That one person's case was explained."""
    log.record("eligibility.explained", by=by, target=resident, region_path=resident.village.path)
