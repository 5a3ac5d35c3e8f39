"""App configuration."""

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "fpadmin.reporting"
    label = "reporting"
    verbose_name = "报表"
