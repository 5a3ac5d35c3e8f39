"""App configuration."""

from django.apps import AppConfig


class HouseholdsConfig(AppConfig):
    name = "households"
    label = "households"
    verbose_name = "居民与家庭"

    def ready(self):
        from households import resources

        resources.load()
        from fpadmin.audit.log import register_types

        register_types({"demo.loaded": "生成演示数据"})
