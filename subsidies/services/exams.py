"""Points in an exam (升学加分): recorded once for each exam of a child, the highest alone."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households.models import Resident
from households.services.scope import require_visible
from subsidies.models import Enrolment, ExamPoints
from subsidies.oneoff.exams import CODE, EXAM_OF, POINTS

EVENT_TYPES = {"exam.recorded": "登记升学加分"}
CHANGE_LABELS = {"fields": "字段"}
OLDEST = 2004


@transaction.atomic
def record_points(
    *,
    by,
    enrolment: Enrolment,
    row_version: int,
    exam: str,
    year: int,
    school: str = "",
    corrects: bool = False,
    today: date,
    now: datetime,
) -> ExamPoints:
    """The points of one exam; `row_version` is 0 where none stood when the form was opened.

    Refuses a second kind of points for the same exam on another line of the child's, fewer points than
    stand already (unless they were a mistake, `corrects`), and a year to come.
    """
    if enrolment.policy_code != CODE:
        raise RuleViolation("这条记录不是升学加分。")
    require_visible(Enrolment.objects.visible_to(by), enrolment)
    Resident.objects.select_for_update(no_key=True).values_list("pk").get(pk=enrolment.resident_id)
    if not OLDEST <= year <= today.year:
        raise RuleViolation(f"年度应在{OLDEST}年到{today.year}年之间。", field="year")
    others = ExamPoints.objects.filter(enrolment__resident=enrolment.resident_id)
    for other in others.exclude(enrolment=enrolment):
        if EXAM_OF[other.exam] == EXAM_OF[exam]:
            raise RuleViolation(
                f"这名考生{other.year}年的{EXAM_OF[exam]}已登记加{other.points}分，"
                "同一考试只享受最高的一项，请在原来那条上修改。",
                field="exam",
            )
    points = ExamPoints.objects.filter(enrolment=enrolment).first()
    if points is None:
        points = _created(enrolment, exam, year, school, by, now)
    else:
        _refuse_lower(points, exam, corrects)
        claim(points, row_version)
        points.exam, points.year, points.points = exam, year, POINTS[exam]
        points.school, points.recorded_by, points.recorded_at = school.strip(), by, now
        points.save(
            update_fields=["exam", "year", "points", "school", "recorded_by", "recorded_at"]
        )
        points.refresh_from_db()
    log.record(
        "exam.recorded", by=by, target=enrolment, region_path=enrolment.resident.village.path,
        changes={"fields": ["exam", "year", "points", "school"]},
    )  # fmt: skip
    return points


def _refuse_lower(points: ExamPoints, exam: str, corrects: bool) -> None:
    lower = EXAM_OF[points.exam] == EXAM_OF[exam] and POINTS[exam] < points.points
    if lower and not corrects:
        raise RuleViolation(
            f"已登记加{points.points}分，只享受最高的一项。原来登记有误的，请勾选“更正”。",
            field="exam",
        )


def _created(enrolment: Enrolment, exam: str, year: int, school: str, by, now) -> ExamPoints:
    try:
        with transaction.atomic():
            return ExamPoints.objects.create(
                enrolment=enrolment, exam=exam, year=year, points=POINTS[exam],
                school=school.strip(), recorded_by=by, recorded_at=now,
            )  # fmt: skip
    except IntegrityError:
        raise RuleViolation("刚刚有别人登记过，请重新打开查看。") from None
