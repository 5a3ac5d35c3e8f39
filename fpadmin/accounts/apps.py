"""App configuration."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "fpadmin.accounts"
    label = "accounts"
    verbose_name = "账号与区划"

    def ready(self):
        from fpadmin import checks  # noqa: F401 - registers the system checks
        from fpadmin.accounts import menu
        from fpadmin.audit.log import register_types

        menu.load()
        register_types(
            {
                "sign_in.ok": "登录",
                "sign_in.failed": "登录失败",
                "sign_out": "退出登录",
                "step_up.refused": "再次输入密码没有通过",
                "account.locked": "账号锁定",
                "account.unlocked": "解除锁定",
                "account.created": "新建账号",
                "account.changed": "修改账号",
                "account.disabled": "停用账号",
                "account.enabled": "启用账号",
                "account.password_reset": "重置密码",
                "account.password_changed": "修改本人密码",
                "account.role_changed": "调整角色",
                "region.created": "新建区划",
                "region.changed": "修改区划",
            }
        )
