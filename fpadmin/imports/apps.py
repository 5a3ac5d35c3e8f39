"""App configuration."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "fpadmin.imports"
    label = "imports"
    verbose_name = "数据导入"
