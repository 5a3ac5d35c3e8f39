"""That somebody opened or printed a person's case."""

from django.db import transaction

from fpadmin.audit import log
from households.models import Resident

EVENT_TYPES = {
    "eligibility.viewed": "查看资格核查",
    "eligibility.sensitive_viewed": "查看涉及特殊家庭的资格核查",
    "eligibility.printed": "打印资格核查答复函",
    "eligibility.sensitive_printed": "打印涉及特殊家庭的资格核查答复函",
}


@transaction.atomic
def record_case_view(*, by, resident: Resident, sensitive: bool) -> None:
    """That `by` opened the case of a person; a sensitive one tells of a child's death or illness."""
    _record(by, resident, "eligibility.sensitive_viewed" if sensitive else "eligibility.viewed")


@transaction.atomic
def record_letter_print(*, by, resident: Resident, sensitive: bool) -> None:
    """That `by` had the reply about a person's case printed. Which policy it is about is not kept."""
    _record(by, resident, "eligibility.sensitive_printed" if sensitive else "eligibility.printed")


def _record(by, resident: Resident, type: str) -> None:
    log.record(type, by=by, target=resident, region_path=resident.village.path)
