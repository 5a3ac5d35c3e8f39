"""App configuration."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "fpadmin.accounts"
    label = "accounts"
    verbose_name = "账号与区划"

    def ready(self):
        from fpadmin import checks  # noqa: F401 - registers the system checks
        from fpadmin.accounts.permissions import Permission
        from fpadmin.audit.log import register_types
        from fpadmin.ui.menu import MenuEntry, register_entry

        register_types(
            {
                "sign_in.ok": "登录",
                "sign_in.failed": "登录失败",
                "sign_out": "退出登录",
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
        register_entry(
            MenuEntry(
                key="accounts",
                label="账号",
                url_name="accounts:account-list",
                permission=Permission.ACCOUNTS_MANAGE,
                icon="person-badge",
                order=70,
                active=("accounts:account",),
            )
        )
        register_entry(
            MenuEntry(
                key="roles",
                label="角色与锁定",
                url_name="accounts:role-list",
                permission=Permission.ROLES_MANAGE,
                icon="person-gear",
                order=71,
                active=("accounts:role", "accounts:permission"),
            )
        )
        register_entry(
            MenuEntry(
                key="regions",
                label="行政区划",
                url_name="accounts:region-list",
                permission=Permission.REGIONS_VIEW,
                icon="diagram-3",
                order=72,
                active=("accounts:region",),
            )
        )
