"""What the reviews tell the platform: their events in the trail."""

from fpadmin.audit.log import register_types
from subsidies.services import reviews


def load() -> None:
    """Register the events. Called once, by ready()."""
    register_types(reviews.EVENT_TYPES, reviews.CHANGE_LABELS)
