"""Imports the workbook of payments made before this system (历史发放记录).

See imports/engine.py for the order of calls.
"""

from subsidies.payments_import.lines import plan_payments
from subsidies.payments_import.writing import write_payments

__all__ = ["plan_payments", "write_payments"]
