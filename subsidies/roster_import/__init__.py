"""Imports other departments' lists (外部名单): kept beside the registry to be compared, never merged into it.

An entry is known by its office, source, number and date. See imports/engine.py for the order of calls.
"""

from subsidies.roster_import.entries import plan_entries
from subsidies.roster_import.writing import write_entries

__all__ = ["plan_entries", "write_entries"]
