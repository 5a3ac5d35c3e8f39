"""Makes the bank's answers known: the workbook, the desk's list, to-dos. Called once, by ready()."""

from fpadmin.audit.log import register_types
from subsidies.bank_returns import desk, kind
from subsidies.services import return_desk

EVENT_TYPES = {"bank_return.queued": "回盘转异常核实"}


def load() -> None:
    """Register everything there is of them."""
    register_types(EVENT_TYPES)
    register_types(return_desk.EVENT_TYPES, return_desk.CHANGE_LABELS)
    kind.load()
    desk.load()
