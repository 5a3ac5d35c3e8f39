"""Imports the workbooks of special families: archives (特殊家庭档案) and the log (特殊家庭联系记录).

An archive is known by its household and 建档日期, a record by the contact and the day. See
imports/engine.py for the order of calls.
"""

from households.special_import.families import plan_families
from households.special_import.records import plan_records, write_records
from households.special_import.undoing import changed_since, voided_since
from households.special_import.writing import write_families

__all__ = [
    "changed_since", "plan_families", "plan_records", "voided_since", "write_families",
    "write_records",
]  # fmt: skip
