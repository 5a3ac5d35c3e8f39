"""Makes the payments' events and their demonstration known; called once, by ready()."""

from fpadmin.audit.log import register_types
from subsidies.payments import demonstration
from subsidies.services import bank_returns, funds, payment_papers, payments


def load() -> None:
    """Register event types, the words of their changes, and the step of the demonstration."""
    register_types(payments.EVENT_TYPES, payments.CHANGE_LABELS)
    register_types(funds.EVENT_TYPES, funds.CHANGE_LABELS)
    register_types(bank_returns.EVENT_TYPES, bank_returns.CHANGE_LABELS)
    register_types(payment_papers.EVENT_TYPES)
    demonstration.load()
