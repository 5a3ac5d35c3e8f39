"""App configuration."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "fpadmin.ui"
    label = "ui"
    verbose_name = "界面"
