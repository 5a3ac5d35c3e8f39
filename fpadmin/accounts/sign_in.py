"""Checking a login name and a password: the same answer and the same work whatever is wrong.

An account locks after SIGN_IN_FAILURES failures in a row for SIGN_IN_LOCK_MINUTES. An address
that fails SIGN_IN_ADDRESS_FAILURES times within that time is refused for every account, so one
address can write only so many events. The last security administrator who isn't locked is never
locked as an account, only from the address that failed: a stranger cannot shut out whoever unlocks.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from fpadmin.accounts.models import SignInAttempt, User
from fpadmin.accounts.permissions import Role
from fpadmin.accounts.rules import normal_username
from fpadmin.audit import log
from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation

DOOR = log.SystemJob("登录")
TEMPORARY_DAYS = 7  # how long a temporary password opens the change page
UNKNOWN_ADDRESS = "0.0.0.0"  # a server on a local socket doesn't say where a request comes from


def refused_message() -> str:
    """The one sentence for every kind of failure, so that it tells nothing about the account."""
    return (
        f"登录名或密码不对，或者账号暂时不能登录。连续{settings.SIGN_IN_FAILURES}次输错会锁定"
        f"{settings.SIGN_IN_LOCK_MINUTES}分钟；忘记密码请找系统管理员重置。"
    )


def throttled_message() -> str:
    """The sentence for an address that failed too often, whatever the account."""
    return f"这台电脑登录失败次数太多，请{settings.SIGN_IN_LOCK_MINUTES}分钟后再试。"


def check_credentials(*, username: str, password: str, address: str) -> User:
    """The account, when it may sign in now; the event is recorded. Raises RuleViolation otherwise."""
    address = address or UNKNOWN_ADDRESS
    since = _window_start()
    if _failures(since, address=address) >= settings.SIGN_IN_ADDRESS_FAILURES:
        raise RuleViolation(throttled_message())
    username = normal_username(username)
    user = User.objects.filter(username=username).first()
    # One password hash on every path, outside the transaction: it takes a tenth of a second.
    if user is None:
        make_password(password)
        correct = False
    else:
        correct = user.check_password(password)
    with transaction.atomic():
        reason = _settle(user, correct, username_digest(username), address)
    if reason:
        raise RuleViolation(refused_message())
    user.refresh_from_db()
    return user


def username_digest(username: str) -> str:
    """How a failed attempt names the account: typed names may be passwords, so never in clear."""
    return digest(f"sign-in:{username}")


def _settle(user, correct: bool, name: str, address: str) -> str:
    """Write what follows from the attempt; the reason of a refusal, "" for success."""
    now = timezone.now()
    if user is not None:
        checked = user.password
        user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        correct = correct and user.password == checked  # changed while we were hashing
    reason = _refusal(user, correct, name, address, now)
    if not reason:
        SignInAttempt.objects.filter(address=address, username_digest=name).delete()
        User.objects.filter(pk=user.pk).update(failed_sign_ins=0, locked_until=None)
        log.record("sign_in.ok", by=user, target=user)
        return ""
    SignInAttempt.objects.filter(address=address, at__lt=_window_start()).delete()
    SignInAttempt.objects.create(address=address, username_digest=name)
    log.record(
        "sign_in.failed",
        by=DOOR,
        target=user,
        region_path=user.region.path if user else "",
        changes={"reason": reason},
        result="refused",
    )
    if reason == "wrong_password":
        _count_failure(user, now)
    return reason


def _refusal(user, correct: bool, name: str, address: str, now) -> str:
    if user is None:
        return "unknown_account"
    if not user.is_active:
        return "disabled"
    if user.locked_until and user.locked_until > now:
        return "locked"
    if _is_last_guard(user, now) and (
        _failures(_window_start(), address=address, username_digest=name)
        >= settings.SIGN_IN_FAILURES
    ):
        return "locked_address"
    if not correct:
        return "wrong_password"
    if user.must_change_password and user.password_changed_at:
        expired = user.password_changed_at + timedelta(days=TEMPORARY_DAYS) < now
        return "temporary_password_expired" if expired else ""
    return ""


def _count_failure(user, now) -> None:
    if _is_last_guard(user, now):
        return
    was_locked = user.locked_until is not None  # a lock that has run out; counting starts anew
    user.failed_sign_ins = 1 if was_locked else user.failed_sign_ins + 1
    user.locked_until = None
    if user.failed_sign_ins >= settings.SIGN_IN_FAILURES:
        user.locked_until = now + timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)
        log.record("account.locked", by=DOOR, target=user, region_path=user.region.path)
    user.save(update_fields=["failed_sign_ins", "locked_until"])


def _is_last_guard(user, now) -> bool:
    """Whether no other security administrator could sign in and unlock."""
    if user.role != Role.SECURITY_ADMINISTRATOR:
        return False
    others = User.objects.filter(role=Role.SECURITY_ADMINISTRATOR, is_active=True).exclude(
        pk=user.pk
    )
    return not others.exclude(locked_until__gt=now).exists()


def _window_start():
    return timezone.now() - timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)


def _failures(since, **where) -> int:
    return SignInAttempt.objects.filter(at__gte=since, **where).count()
