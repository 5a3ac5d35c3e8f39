"""The list of the rolls (在册对象): page, export, and what may be done with many."""

from fpadmin.audit.log import register_types
from subsidies.services import enrolments


def load() -> None:
    """Register the list, its acts and events. Called once, by ready()."""
    register_types(enrolments.EVENT_TYPES, enrolments.CHANGE_LABELS)
