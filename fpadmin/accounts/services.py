"""Changes to accounts and regions. Each is one transaction that ends in an audit event."""

from copy import copy
from datetime import date

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from fpadmin.accounts import rules
from fpadmin.accounts.models import PasswordHistory, Region, SignInAttempt, User
from fpadmin.accounts.passwords import HISTORY, temporary_password
from fpadmin.accounts.permissions import Role
from fpadmin.accounts.sign_in import username_digest
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim

# Without one of each nobody could make accounts or unlock them.
_INDISPENSABLE = (Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)
_TAKEN = "这个登录名已有人使用，请换一个。"


@transaction.atomic
def create_account(
    *,
    username: str,
    name: str,
    role: str,
    region: Region,
    by,
    password: str | None = None,
    must_change_password: bool = True,
) -> tuple[User, str]:
    """A new account and its password: a random temporary one unless a command gives one.

    Refuses a taken or malformed login name, and a role that doesn't stand at the region's level.
    """
    username = rules.check_username(username)
    rules.check_role_region(role, region)
    if User.objects.filter(username=username).exists():
        raise RuleViolation(_TAKEN, field="username")
    password = password or temporary_password()
    account = User(
        username=username,
        name=name.strip(),
        role=role,
        region=region,
        must_change_password=must_change_password,
        password_changed_at=timezone.now(),
    )
    account.set_password(password)
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:  # the same name a moment ago
        raise RuleViolation(_TAKEN, field="username") from None
    _record("account.created", account, by, {"role": [None, role], "region": [None, region.code]})
    return account, password


@transaction.atomic
def update_account(*, account: User, row_version: int, name: str, region: Region, by) -> User:
    """The person's name and place. A moved account signs in again; its role stays.

    Raises EditConflict when somebody saved name, place or role since `row_version`.
    """
    claim(account, row_version)
    account = _locked(account)
    before = copy(account)
    rules.check_role_region(account.role, region)
    account.name, account.region = name.strip(), region
    changes = log.changes_between(before, account, ("name", "region"))
    if "region" in changes:
        changes["region"] = [before.region.code, region.code]
        _end_sessions(account)
    account.save(update_fields=["name", "region", "session_version"])
    _record("account.changed", account, by, changes)
    return account


@transaction.atomic
def disable_account(*, account: User, by) -> User:
    """The person can no longer sign in, and every session ends. Nobody disables himself."""
    account = _locked(account)
    if account.pk == getattr(by, "pk", None):
        raise RuleViolation("不能停用自己的账号，请让另一位系统管理员来办。")
    _refuse_last(account)
    account.is_active = False
    _end_sessions(account)
    account.save(update_fields=["is_active", "session_version"])
    _record("account.disabled", account, by, {"is_active": [True, False]})
    return account


@transaction.atomic
def enable_account(*, account: User, by) -> tuple[User, str]:
    """The account works again, with a new temporary password."""
    account = _locked(account)
    account.is_active = True
    password = _give_temporary_password(account)
    account.save(update_fields=["is_active", *_PASSWORD_FIELDS])
    _record("account.enabled", account, by, {"is_active": [False, True]})
    return account, password


@transaction.atomic
def reset_password(*, account: User, by) -> tuple[User, str]:
    """A random temporary password in place of a forgotten one; the administrator never picks it.

    Sessions end. A lock stays: unlocking belongs to the security administrator.
    """
    account = _locked(account)
    if account.pk == getattr(by, "pk", None):
        raise RuleViolation("自己的密码请在“修改密码”里改。")
    if not account.is_active:
        raise RuleViolation("这个账号已停用，请先启用。")
    password = _give_temporary_password(account)
    account.save(update_fields=_PASSWORD_FIELDS)
    _record("account.password_reset", account, by, {"password": ["已变更"]})
    return account, password


@transaction.atomic
def change_role(*, account: User, row_version: int, role: str, region: Region, by) -> User:
    """Another role, at a region of its level; sessions end. Nobody changes his own role.

    Raises EditConflict when somebody saved name, place or role since `row_version`.
    """
    claim(account, row_version)
    account = _locked(account)
    if account.pk == getattr(by, "pk", None):
        raise RuleViolation("不能改自己的角色，请让另一位安全管理员来办。")
    rules.check_role_region(role, region)
    if role != account.role:
        _refuse_last(account)
    changes = {}
    if role != account.role:
        changes["role"] = [account.role, role]
    if region.pk != account.region_id:
        changes["region"] = [account.region.code, region.code]
    account.role, account.region = role, region
    _end_sessions(account)
    account.save(update_fields=["role", "region", "session_version"])
    _record("account.role_changed", account, by, changes)
    return account


@transaction.atomic
def unlock_account(*, account: User, by) -> User:
    """Ends a lock after failed sign-ins before its time."""
    account = _locked(account)
    account.failed_sign_ins, account.locked_until = 0, None
    account.save(update_fields=["failed_sign_ins", "locked_until"])
    SignInAttempt.objects.filter(username_digest=username_digest(account.username)).delete()
    _record("account.unlocked", account, by, {})
    return account


@transaction.atomic
def change_own_password(*, account: User, current: str, password: str) -> User:
    """The person's own new password; every session ends, this one too unless it is renewed.

    Refuses a wrong current password and one that the password rules forbid.
    """
    account = _locked(account)
    if not account.check_password(current):
        raise RuleViolation("现在的密码不对。", field="current")
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise RuleViolation("".join(error.messages), field="password") from None
    _remember_password(account)
    account.set_password(password)
    account.must_change_password = False
    account.password_changed_at = timezone.now()
    _end_sessions(account)
    account.save(update_fields=_PASSWORD_FIELDS)
    _record("account.password_changed", account, account, {"password": ["已变更"]})
    return account


@transaction.atomic
def sign_out(*, account: User) -> None:
    """Ends every session of the account, on every machine."""
    User.objects.filter(pk=account.pk).update(session_version=F("session_version") + 1)
    _record("sign_out", account, account, {})


@transaction.atomic
def create_region(
    *,
    code: str,
    name: str,
    urban_rural: str,
    valid_from: date | None,
    valid_until: date | None,
    by,
) -> Region:
    """A new region under the one whose code begins its own.

    Refuses a taken or malformed code and a missing parent.
    """
    level = rules.level_of_code(code)
    taken = RuleViolation(f"区划代码{code}已经有了。", field="code")
    if Region.objects.filter(code=code).exists():
        raise taken
    above = rules.parent_code(code)
    parent = Region.objects.filter(code=above).first() if above else None
    if above and parent is None:
        raise RuleViolation(f"上级区划{above}还没有登记，请先登记上级。", field="code")
    _check_dates(valid_from, valid_until)
    region = Region(
        code=code,
        name=name.strip(),
        level=level,
        parent=parent,
        path=f"{parent.path if parent else ''}{code}.",
        urban_rural=urban_rural,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    try:
        with transaction.atomic():
            region.save()
    except IntegrityError as error:
        if "unique" not in str(error).lower():
            raise
        raise taken from None  # the same code a moment ago
    log.record("region.created", by=by, target=region, region_path=region.path)
    return region


@transaction.atomic
def update_region(
    *,
    region: Region,
    row_version: int,
    name: str,
    urban_rural: str,
    valid_from: date | None,
    valid_until: date | None,
    by,
) -> Region:
    """Name, kind and dates of a region; code and place in the tree stay.

    Refuses to end a region while one directly below it goes on. Raises EditConflict when
    somebody saved since `row_version`.
    """
    claim(region, row_version)
    region = Region.objects.select_for_update().get(pk=region.pk)
    before = copy(region)
    _check_dates(valid_from, valid_until)
    if valid_until:
        open_child = Region.objects.valid_on(valid_until).filter(parent=region).first()
        if open_child:
            raise RuleViolation(
                f"下级的{open_child.name}在这一天以后仍然启用，请先停用它。", field="valid_until"
            )
    region.name, region.urban_rural = name.strip(), urban_rural
    region.valid_from, region.valid_until = valid_from, valid_until
    fields = ["name", "urban_rural", "valid_from", "valid_until"]
    region.save(update_fields=fields)
    changes = log.changes_between(before, region, fields)
    log.record("region.changed", by=by, target=region, region_path=region.path, changes=changes)
    return region


_PASSWORD_FIELDS = ["password", "must_change_password", "password_changed_at", "session_version"]


def _locked(account: User) -> User:
    """The row as it stands now, held until the transaction ends."""
    return User.objects.select_for_update(of=("self",)).get(pk=account.pk)


def _end_sessions(account: User) -> None:
    account.session_version += 1


def _refuse_last(account: User) -> None:
    if account.role not in _INDISPENSABLE or not account.is_active:
        return
    # Locks all of them, so that two administrators cannot remove each other at once.
    holders = User.objects.select_for_update(of=("self",)).filter(role=account.role, is_active=True)
    if not [h for h in holders.order_by("pk") if h.pk != account.pk]:
        raise RuleViolation(f"这是最后一个启用的{account.get_role_display()}，请先另设一个。")


def _give_temporary_password(account: User) -> str:
    password = temporary_password()
    _remember_password(account)
    account.set_password(password)
    account.must_change_password = True
    account.password_changed_at = timezone.now()
    _end_sessions(account)
    return password


def _remember_password(account: User) -> None:
    """Keep the password being replaced, unless it was a temporary one, and no more than the rule needs."""
    if account.must_change_password:
        return
    PasswordHistory.objects.create(user=account, password=account.password)
    kept = account.old_passwords.order_by("-pk").values_list("pk", flat=True)[:HISTORY]
    account.old_passwords.exclude(pk__in=list(kept)).delete()


def _check_dates(valid_from: date | None, valid_until: date | None) -> None:
    if valid_from and valid_until and valid_until <= valid_from:
        raise RuleViolation("停用日期必须晚于启用日期。", field="valid_until")


def _record(type: str, account: User, by, changes: dict) -> None:
    log.record(type, by=by, target=account, region_path=account.region.path, changes=changes)
