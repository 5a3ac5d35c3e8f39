"""App configuration."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "fpadmin.accounts"
    label = "accounts"
    verbose_name = "账号与区划"
