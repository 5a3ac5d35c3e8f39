"""How accounts and the table of permissions are shown."""

from datetime import datetime

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import PERMISSION_LABELS, ROLE_PERMISSIONS, Role


def is_locked(account: User, now: datetime) -> bool:
    """Whether failed sign-ins keep the account out at `now`."""
    return bool(account.locked_until and account.locked_until > now)


def account_state(account: User, now: datetime) -> tuple[str, str]:
    """Kind and word of the status tag: disabled, else locked, else a temporary password, else fine."""
    if not account.is_active:
        return "off", "已停用"
    if is_locked(account, now):
        return "warn", "已锁定"
    if account.must_change_password:
        return "wait", "待改密码"
    return "ok", "启用"


def permission_table() -> list[tuple[str, list[bool]]]:
    """Each permission's words, and whether each role holds it, in the order of Role."""
    return [
        (label, [permission in ROLE_PERMISSIONS[role] for role in Role])
        for permission, label in PERMISSION_LABELS.items()
    ]
