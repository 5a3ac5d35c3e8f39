"""Who may still change a meeting, and which wait to be looked into."""

from datetime import date

from django.utils.timezone import localdate

from subsidies.models import Meeting


def may_correct(user, meeting: Meeting, today: date) -> bool:
    """Who recorded it, on the same day, while it stands and nobody has looked into it."""
    return (
        meeting.met_by_id == user.pk
        and localdate(meeting.recorded_at) == today
        and meeting.replaced_by_id is None
        and meeting.settled_at is None
    )


def may_settle(meeting: Meeting) -> bool:
    """Whether money was said not to have come, and nobody has looked into it; see not_received()."""
    return (
        meeting.delivered in (Meeting.Delivered.NO, Meeting.Delivered.UNCLEAR)
        and meeting.replaced_by_id is None
        and meeting.settled_at is None
    )
