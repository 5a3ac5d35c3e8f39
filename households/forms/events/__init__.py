"""The forms of life events, one per kind; event_form() builds the right one for any user and data."""

from datetime import date

from households.forms.events.arrivals import InflowForm, MoveInForm
from households.forms.events.base import Event, EventForm
from households.forms.events.couples import BirthForm, MarriageForm
from households.forms.events.homes import HeadChangeForm, HouseholdMoveForm, MergeForm, SplitForm
from households.forms.events.leaving import HukouForm, MoveOutForm, OutflowForm, ReturnForm
from households.forms.events.persons import CorrectionForm, DeathForm, DivorceForm
from households.models import Household, Resident

FORMS: dict[str, type[EventForm]] = {
    form.kind: form
    for form in (
        BirthForm, DeathForm, MarriageForm, DivorceForm, CorrectionForm, MoveInForm, MoveOutForm,
        InflowForm, OutflowForm, ReturnForm, HukouForm, SplitForm, MergeForm, HeadChangeForm,
        HouseholdMoveForm,
    )
}  # fmt: skip

__all__ = ["FORMS", "Event", "EventForm", "event_form"]


def event_form(
    kind: str,
    data,
    *,
    user,
    today: date,
    resident: Resident | None = None,
    household: Household | None = None,
    **kwargs,
) -> EventForm:
    """The form of that kind about `resident` or `household`, bound to `data` unless it is None.

    Every person and household that it can name is one that `user` may see: what somebody else
    filled in is judged anew by binding the same data for another user.
    """
    form = FORMS[kind]
    return form(data, user=user, today=today, resident=resident, household=household, **kwargs)
