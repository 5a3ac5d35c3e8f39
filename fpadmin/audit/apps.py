"""App configuration."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "fpadmin.audit"
    label = "audit"
    verbose_name = "审计"

    def ready(self):
        from fpadmin.accounts.permissions import Permission
        from fpadmin.audit import invariants
        from fpadmin.audit.log import register_types
        from fpadmin.ui.menu import MenuEntry, register_entry

        invariants.load()
        register_types(
            {
                "access.denied": "越权访问被拒绝",
                "audit.verified": "核验审计记录",
                "keys.rotated": "更换加密密钥",
            },
            {
                "page": "页面",
                "method": "方式",
                "column": "数据列",
                "first_broken": "首条被改动的编号",
                "reason": "原因",
            },
        )
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
