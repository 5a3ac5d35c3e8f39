"""App configuration."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    name = "fpadmin.deploy"
    label = "deploy"
    verbose_name = "部署与备份"

    def ready(self):
        from fpadmin.audit.log import register_types
        from fpadmin.deploy import services

        register_types(services.EVENT_TYPES, services.CHANGE_LABELS)
