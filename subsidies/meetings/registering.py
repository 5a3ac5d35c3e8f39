"""Makes lists, events and to-dos of 见面核实 known; called once, by ready()."""

from fpadmin.audit.log import register_types
from subsidies.meetings import due_list, my_meetings, record_list
from subsidies.services import meetings


def load() -> None:
    """Register them."""
    register_types(meetings.EVENT_TYPES, meetings.CHANGE_LABELS)
    due_list.load()
    record_list.load()
    my_meetings.load()
