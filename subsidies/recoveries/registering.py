"""What recoveries tell the platform: events of the trail, the list, what waits."""

from fpadmin.audit.log import register_types
from subsidies.recoveries import recovery_list
from subsidies.services import recoveries


def load() -> None:
    """Register them. Called once, by ready()."""
    register_types(recoveries.EVENT_TYPES, recoveries.CHANGE_LABELS)
    recovery_list.load()
