"""The audit trail in the menu."""

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.menu import MenuEntry, register_entry


def load() -> None:
    """Register the menu entries. Called once, by ready()."""
    register_entry(
        MenuEntry(
            key="audit",
            label="审计记录",
            url_name="audit:event-list",
            permission=Permission.AUDIT_VIEW,
            icon="journal-text",
            order=75,
            active=("audit:event", "audit:record"),
        )
    )
    register_entry(
        MenuEntry(
            key="audit-verify",
            label="核验完整性",
            url_name="audit:chain-verify",
            permission=Permission.AUDIT_VIEW,
            icon="shield-check",
            order=76,
            active=("audit:chain",),
        )
    )
