"""App configuration."""

from django.apps import AppConfig


class HouseholdsConfig(AppConfig):
    name = "households"
    label = "households"
    verbose_name = "居民与家庭"
