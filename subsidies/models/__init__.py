"""Benefits: policies' versions, rolls, applications, reviews, comparison."""

from subsidies.models.applications import (
    OPEN_STATES,
    TRANSITIONS,
    Application,
    ApplicationPaper,
    ApplicationState,
    ApplicationStep,
    Notice,
    NoticeLine,
    Objection,
)
from subsidies.models.comparison import Difference, RosterEntry, RosterSource
from subsidies.models.enrolments import (
    Enrolment,
    EnrolmentChange,
    ExitReason,
    Suspension,
    active_on,
    seen_by,
)
from subsidies.models.policies import (
    NOTICE_DAYS,
    PolicyExclusion,
    PolicyRate,
    PolicyVersion,
    ReturnDeadline,
    Scenario,
    WorkdayChange,
)
from subsidies.models.reviews import AnnualReview, ReviewDecision, ReviewFinding, ReviewLine

__all__ = [
    "NOTICE_DAYS", "OPEN_STATES", "TRANSITIONS", "AnnualReview", "Application", "ApplicationPaper",
    "ApplicationState", "ApplicationStep", "Difference", "Enrolment", "EnrolmentChange",
    "ExitReason", "Notice", "NoticeLine", "Objection", "PolicyExclusion", "PolicyRate",
    "PolicyVersion", "ReturnDeadline", "ReviewDecision", "ReviewFinding", "ReviewLine",
    "RosterEntry", "RosterSource", "Scenario", "Suspension", "WorkdayChange", "active_on", "seen_by",
]  # fmt: skip
