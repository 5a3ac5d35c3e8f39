"""One's own password once more before an act that cannot be taken back, such as releasing money.

Wrong tries are counted as failed sign-ins are, but apart from them: after SIGN_IN_FAILURES within
SIGN_IN_LOCK_MINUTES the act is refused to this account, which stays signed in.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from fpadmin.accounts.models import SignInAttempt, User
from fpadmin.accounts.sign_in import UNKNOWN_ADDRESS
from fpadmin.audit import log
from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation

FIELD = "password"
WRONG = "密码不对，没有办理。请重新输入您登录用的密码。"


def blocked_message() -> str:
    """The sentence for somebody who was wrong too often."""
    return f"密码输错次数太多，没有办理。请{settings.SIGN_IN_LOCK_MINUTES}分钟后再试。"


def confirm_password(*, by: User, password: str, address: str, target) -> None:
    """Nothing where the password is the user's own, else RuleViolation; the denied try is recorded.

    Call it before the service, outside of what the service undoes. `target` is what was to be acted on.
    """
    name = digest(f"step-up:{by.pk}")
    since = timezone.now() - timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)
    # Held, so that tries at the same moment count each other.
    with transaction.atomic():
        account = User.objects.select_for_update(of=("self",)).get(pk=by.pk)
        tries = SignInAttempt.objects.filter(username_digest=name)
        if tries.filter(at__gte=since).count() >= settings.SIGN_IN_FAILURES:
            refusal, reason = blocked_message(), "locked"
        elif account.check_password(password):
            tries.delete()
            return
        else:
            tries.filter(at__lt=since).delete()
            SignInAttempt.objects.create(address=address or UNKNOWN_ADDRESS, username_digest=name)
            refusal, reason = WRONG, "wrong_password"
        log.record(
            "step_up.refused", by=by, target=target, changes={"reason": reason}, result="refused"
        )
    raise RuleViolation(refusal, field=FIELD)
