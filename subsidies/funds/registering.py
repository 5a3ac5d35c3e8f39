"""What the funds add to the lists, to the log and to what must hold; called once, by ready()."""

from fpadmin.audit.log import register_types
from subsidies.funds import entry_list, fund_list
from subsidies.payments import invariants
from subsidies.services import persons


def load() -> None:
    """Register all of it. The events of the movements themselves belong to the payments."""
    fund_list.load()
    entry_list.load()
    invariants.load()
    register_types(persons.EVENT_TYPES)
