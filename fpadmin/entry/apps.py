"""App configuration."""

from django.apps import AppConfig


class EntryConfig(AppConfig):
    name = "fpadmin.entry"
    label = "entry"
    verbose_name = "填表"

    def ready(self):
        from fpadmin.audit.log import register_types
        from fpadmin.entry import services

        register_types(services.EVENT_TYPES)
