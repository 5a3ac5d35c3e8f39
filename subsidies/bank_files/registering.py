"""What the bank files tell the platform: events of the trail, and the job that writes one."""

from fpadmin.audit.log import register_types
from subsidies.bank_files import runs
from subsidies.services import bank_files, bank_layouts


def load() -> None:
    """Register them. Called once, by ready()."""
    register_types(bank_layouts.EVENT_TYPES, bank_layouts.CHANGE_LABELS)
    register_types(bank_files.EVENT_TYPES, bank_files.CHANGE_LABELS)
    runs.load()
