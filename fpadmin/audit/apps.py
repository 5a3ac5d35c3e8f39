"""App configuration."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "fpadmin.audit"
    label = "audit"
    verbose_name = "审计"

    def ready(self):
        from fpadmin.audit import invariants, menu, services
        from fpadmin.audit.log import register_types

        invariants.load()
        menu.load()
        register_types(services.EVENT_TYPES, services.CHANGE_LABELS)
