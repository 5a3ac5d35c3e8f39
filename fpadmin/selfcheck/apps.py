"""App configuration."""

from django.apps import AppConfig


class SelfcheckConfig(AppConfig):
    name = "fpadmin.selfcheck"
    label = "selfcheck"
    verbose_name = "数据自检"

    def ready(self):
        from fpadmin.selfcheck import menu

        menu.load()
