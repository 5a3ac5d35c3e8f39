"""rotate_keys: every value ends under the first key, none is lost, digests stay."""

import base64
import secrets
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from fpadmin import crypto, rotation
from fpadmin.audit.log import SystemJob
from fpadmin.audit.models import AuditEvent
from households.models import Resident
from tests.factories.households import make_household, make_resident

JOB = SystemJob("rotate_keys")


def run(*arguments):
    out, err = StringIO(), StringIO()
    call_command("rotate_keys", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def key_ids(column="id_number"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM households_resident WHERE {column} <> ''")
        return [row[0].split(":")[1] for row in cursor.fetchall()]


def the_column(name="id_number"):
    return next(c for c in rotation.encrypted_columns() if str(c) == f"households_resident.{name}")


@pytest.fixture
def old_rows(village, settings):
    """Five residents under the first key, and then a new key in front of it."""
    household = make_household(village)
    people = [
        make_resident(household, name=f"人{n}", relation="子", phone=f"1301234840{n}")
        for n in range(5)
    ]
    old = settings.FIELD_ENCRYPTION_KEYS
    fresh = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    settings.FIELD_ENCRYPTION_KEYS = f"k9:{fresh},{old}"
    return people


def test_every_column_of_every_model_is_known():
    names = {str(column) for column in rotation.encrypted_columns()}
    assert {
        "households_resident.id_number", "households_resident.phone",
        "households_resident.bank_account", "households_childrecord.child_id_number",
    } <= names  # fmt: skip


def test_values_move_to_the_first_key_and_read_the_same(old_rows, settings):
    before = list(Resident.objects.order_by("pk").values())
    out, err = run()
    assert "households_resident.id_number: 5 rotated to k9" in out
    assert "households_resident.phone: 5 rotated to k9" in out
    assert "households_resident.bank_account: 0 rotated" in out
    assert err == ""
    assert set(key_ids() + key_ids("phone")) == {"k9"}
    assert list(Resident.objects.order_by("pk").values()) == before
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS.partition(",")[0]
    assert list(Resident.objects.order_by("pk").values()) == before


def test_second_run_finds_nothing(old_rows):
    run()
    events = AuditEvent.objects.filter(type="keys.rotated").count()
    out, _ = run()
    assert "households_resident.id_number: 0 rotated" in out
    assert AuditEvent.objects.filter(type="keys.rotated").count() == events


def test_each_batch_is_recorded_with_its_count(old_rows):
    outcome = rotation.rotate_column(column=the_column(), by=JOB, batch=2)
    assert outcome.rotated == 5
    events = AuditEvent.objects.filter(type="keys.rotated").order_by("pk")
    assert [event.count for event in events] == [2, 2, 1]
    assert events[0].actor == "系统：rotate_keys"
    assert events[0].changes == {"column": "households_resident.id_number"}


def test_dry_run_counts_and_changes_nothing(old_rows):
    out, _ = run("--dry-run")
    assert "households_resident.id_number: 5 to rotate" in out
    assert "k9" not in key_ids()
    assert not AuditEvent.objects.filter(type="keys.rotated").exists()


def test_value_changed_meanwhile_is_kept(old_rows, monkeypatch):
    """Somebody saves a new phone between our read and our write."""
    person = old_rows[0]
    replace = rotation._replace

    def slow(column, fresh, by):
        Resident.objects.filter(pk=person.pk).update(phone="13999990000")
        return replace(column, fresh, by)

    monkeypatch.setattr(rotation, "_replace", slow)
    outcome = rotation.rotate_column(column=the_column("phone"), by=JOB)
    assert outcome.rotated == 4
    assert Resident.objects.get(pk=person.pk).phone == "13999990000"
    assert set(key_ids("phone")) == {"k9"}


def test_value_without_its_key_is_named_and_left_alone(old_rows, settings):
    person = old_rows[2]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE households_resident SET phone = %s WHERE id = %s",
            ["1:lost:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", person.pk],
        )
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("rotate_keys", stdout=out, stderr=err)
    assert stop.value.code == 1
    assert f"households_resident.phone: row {person.pk} cannot be read" in err.getvalue()
    assert sorted(key_ids("phone")) == ["k9", "k9", "k9", "k9", "lost"]


def test_failed_event_leaves_the_old_ciphers(old_rows, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError("no audit")

    monkeypatch.setattr(rotation.log, "record", broken)
    with pytest.raises(OSError, match="no audit"):
        rotation.rotate_column(column=the_column(), by=JOB)
    assert "k9" not in key_ids()


def test_digest_is_the_same_after_rotation(old_rows):
    run()
    person = old_rows[1]
    assert Resident.objects.get(id_number_digest=crypto.digest(person.id_number)) == person
