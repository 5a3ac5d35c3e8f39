"""createaccount on an empty installation."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from fpadmin.accounts.models import User
from fpadmin.audit.models import AuditEvent


def run(*arguments):
    out = StringIO()
    call_command("createaccount", *arguments, stdout=out)
    return out.getvalue()


def test_first_account_gets_a_one_time_password(county):
    out = run("chenzq", "--name=陈志强", "--role=administrator", f"--region={county.code}")
    password = re.search(r"\S+$", out.strip())[0]
    account = User.objects.get(username="chenzq")
    assert account.check_password(password)
    assert account.must_change_password
    event = AuditEvent.objects.get(type="account.created")
    assert event.actor == "系统：createaccount"


def test_missing_region_says_how_to_import_regions(db):
    with pytest.raises(CommandError, match="import_workbook regions .* --office 539981"):
        run("chenzq", "--name=陈志强", "--role=administrator", "--region=539981")


def test_wrong_level_and_taken_name_are_refused(county, village):
    with pytest.raises(CommandError, match="要设在"):
        run("chenzq", "--name=陈志强", "--role=administrator", f"--region={village.code}")
    run("chenzq", "--name=陈志强", "--role=administrator", f"--region={county.code}")
    with pytest.raises(CommandError, match="已有人使用"):
        run("chenzq", "--name=陈志强", "--role=administrator", f"--region={county.code}")


def test_no_account_ships_with_the_product(db):
    assert not User.objects.exists()
