"""The trail of what the commands `eligibility` and `payments` were asked."""

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from households.models import Resident

EVENT_TYPES = {
    "eligibility.listed": "查询符合条件的人员",
    "eligibility.explained": "核查一人资格",
    "payment.computed": "测算应发名单",
}


def record_listed(*, by, region: Region, count: int) -> None:
    """That everybody who qualifies was listed; of which policy is not told, as it may tell of a death."""
    log.record("eligibility.listed", by=by, target=region, region_path=region.path, count=count)


def record_explained(*, by, resident: Resident) -> None:
    """That one person's case was explained."""
    log.record("eligibility.explained", by=by, target=resident, region_path=resident.village.path)


def record_payable(*, by, region: Region, count: int) -> None:
    """That everybody whom the rolls make payable was listed; the policy is not told, as above."""
    log.record("payment.computed", by=by, target=region, region_path=region.path, count=count)
