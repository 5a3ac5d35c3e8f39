"""The grade, class or stage of a line that was imported without one, so that its rate is known."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from subsidies.models import Enrolment
from subsidies.oneoff.grades import refusals

EVENT_TYPES = {"enrolment.grade_set": "补登等级、学段或类别"}


@transaction.atomic
def set_grades(*, by, enrolments: Sequence[Enrolment], grade: str) -> dict[int, str]:
    """Give lines without a grade this one; returns {enrolment: why not} of those left as they were.

    A grade that stands is not changed: whoever moves up ends one line and begins another.
    """
    if not grade:
        raise RuleViolation("请选择等级、学段或类别。", field="grade")
    keys = [one.pk for one in enrolments]
    held = Enrolment.objects.visible_to(by).select_for_update(of=("self",)).filter(pk__in=keys)
    rows = list(held.select_related("resident__village").order_by("pk"))
    refused = refusals(rows, grade) | {
        pk: "不在您的区划内。" for pk in set(keys) - {one.pk for one in rows}
    }
    moved = [one for one in rows if one.pk not in refused]
    Enrolment.objects.filter(pk__in=[one.pk for one in moved]).update(
        grade=grade, row_version=F("row_version") + 1
    )
    for one in moved:
        log.record(
            "enrolment.grade_set", by=by, target=one, region_path=one.resident.village.path,
            changes={"fields": ["grade"]},
        )  # fmt: skip
    return refused
