"""App configuration."""

from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    name = "subsidies"
    label = "subsidies"
    verbose_name = "利益导向"

    def ready(self):
        from subsidies import menu
        from subsidies.rolls import roll_list

        menu.load()
        roll_list.load()
