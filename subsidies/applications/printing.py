"""申报审批表 and 回执: what stands on the paper. Numbers are covered unless the page is told otherwise."""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from subsidies.applications import detail
from subsidies.applications.papers import papers_of
from subsidies.applications.steps import this_round
from subsidies.models import Application, ApplicationState

BOXES = (
    (ApplicationState.VILLAGE, "村（社区）评议意见"),
    (ApplicationState.TOWNSHIP, "乡镇（街道）审核意见"),
    (ApplicationState.COUNTY, "县级确认意见"),
)


@dataclass(frozen=True)
class Box:
    """One box to sign: who passed the step here, when and with what words; empty where nobody has yet."""

    label: str
    words: str = ""
    by: str = ""
    on: date | None = None


def form_context(user, application: Application, today: date) -> dict:
    """Everything that the form says, with its boxes as far as steps were passed in this round."""
    taken = this_round(application.steps.select_related("by"))
    boxes = []
    for state, label in BOXES:
        step = taken.get(state)
        if step is None:
            boxes.append(Box(label))
        else:
            on = timezone.localtime(step.at).date()
            boxes.append(Box(label, step.reason or "同意。", step.by.name, on))
    return detail.context(user, application, today) | {
        "boxes": boxes,
        "papers": papers_of(application),
        "day": today,
        "spouse": application.resident.spouse,
    }
