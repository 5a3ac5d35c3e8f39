"""What re-issues tell the platform: events of the trail, the list of accounts, what waits."""

from fpadmin.audit.log import register_types
from subsidies.reissues import account_list
from subsidies.services import reissues


def load() -> None:
    """Register them. Called once, by ready()."""
    register_types(reissues.EVENT_TYPES, reissues.CHANGE_LABELS)
    account_list.load()
