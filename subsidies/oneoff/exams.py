"""The roll of exam points: which exam each kind belongs to, and what it is worth. No money anywhere."""

from django.db.models import F, QuerySet

from subsidies.models import ExamPoints
from subsidies.rolls.states import NEVER_PAID

CODE = "YN-EXAM"
Exam = ExamPoints.Exam
POINTS = {Exam.SENIOR: 10, Exam.SENIOR_COUNTY: 20, Exam.COLLEGE: 20}
EXAM_OF = {Exam.SENIOR: "中考", Exam.SENIOR_COUNTY: "中考", Exam.COLLEGE: "高考"}


def candidates(lines: QuerySet) -> QuerySet:
    """These lines of rolls that are of exam points, with what was recorded."""
    mine = lines.filter(policy_code=CODE).exclude(NEVER_PAID)
    return mine.annotate(
        exam=F("exam_points__exam"),
        exam_year=F("exam_points__year"),
        points=F("exam_points__points"),
        school=F("exam_points__school"),
    )


def exam_words(exam: str | None) -> str:
    """What the points are for; 未登记 where none are recorded."""
    return Exam(exam).label if exam else "未登记"
