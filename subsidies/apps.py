"""App configuration."""

from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    name = "subsidies"
    label = "subsidies"
    verbose_name = "利益导向"

    def ready(self):
        from subsidies import menu
        from subsidies.eligibility import candidate_list
        from subsidies.policies import registering
        from subsidies.rolls import roll_list

        menu.load()
        registering.load()
        roll_list.load()
        candidate_list.load()
