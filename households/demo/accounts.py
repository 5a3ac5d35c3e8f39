"""The demonstration's published accounts, in the township's or in an invented county's places."""

from django.conf import settings

from fpadmin.accounts.demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from fpadmin.accounts.models import Region, User
from fpadmin.accounts.services import create_account
from fpadmin.errors import RuleViolation


def make_accounts(*, village: Region, by) -> list[str]:
    """One account per role around `village`; those that exist stay. Returns the names made.

    Refused outside the demonstration: a published password opens no office's registry.
    """
    if not settings.DEMO:
        raise RuleViolation("没有设置 FPADMIN_DEMO=True，演示账号没有建立。")
    places = {12: village, 9: village.parent, 6: village.parent.parent}
    known = set(
        User.objects.filter(username__in=[a.username for a in DEMO_ACCOUNTS]).values_list(
            "username", flat=True
        )
    )
    made = []
    for account in DEMO_ACCOUNTS:
        if account.username not in known:
            create_account(
                username=account.username,
                name=account.name,
                role=account.role,
                region=places[len(account.region_code)],
                by=by,
                password=DEMO_PASSWORD,
                must_change_password=False,
            )
            made.append(account.username)
    return made
