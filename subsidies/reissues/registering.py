"""What re-issues tell the platform: events of the trail."""

from fpadmin.audit.log import register_types
from subsidies.services import reissues


def load() -> None:
    """Register them. Called once, by ready()."""
    register_types(reissues.EVENT_TYPES, reissues.CHANGE_LABELS)
