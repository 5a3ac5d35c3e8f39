"""App configuration."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "fpadmin.ui"
    label = "ui"
    verbose_name = "界面"

    def ready(self):
        from fpadmin.accounts.permissions import Permission
        from fpadmin.audit import log
        from fpadmin.ui import services
        from fpadmin.ui.menu import MenuEntry, register_entry

        log.register_types(services.EVENT_TYPES, services.CHANGE_LABELS)
        register_entry(
            MenuEntry("home", "今日工作", "home", Permission.SIGNED_IN, icon="house-door", order=0)
        )
