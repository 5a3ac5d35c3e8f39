"""Imports the workbook of rolls (利益导向在册名册). A line is known by policy, person and first month.

See imports/engine.py for the order of calls.
"""

from subsidies.enrolment_import.lines import plan_enrolments
from subsidies.enrolment_import.writing import write_enrolments

__all__ = ["plan_enrolments", "write_enrolments"]
