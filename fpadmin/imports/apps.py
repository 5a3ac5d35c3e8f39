"""App configuration."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "fpadmin.imports"
    label = "imports"
    verbose_name = "数据导入"

    def ready(self):
        from fpadmin.accounts import workbooks
        from fpadmin.audit import log

        workbooks.load()
        log.register_types({"import.committed": "导入写入登记资料"})
