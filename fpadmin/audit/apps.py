"""App configuration."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "fpadmin.audit"
    label = "audit"
    verbose_name = "审计"
