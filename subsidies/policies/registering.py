"""What the policies add to the log, to the menu and to the demonstration."""

from fpadmin.audit.log import register_types
from subsidies.policies import demonstration
from subsidies.services import policies, workdays


def load() -> None:
    """Register all of it. Called once, by ready()."""
    register_types(policies.EVENT_TYPES, policies.CHANGE_LABELS)
    register_types(workdays.EVENT_TYPES, workdays.CHANGE_LABELS)
    demonstration.load()
