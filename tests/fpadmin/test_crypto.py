"""Encrypted columns: bound to their place, refused when changed, searchable by digest only."""

import base64
import secrets

import pytest
from django.core.exceptions import FieldError
from django.db import connection

from fpadmin import crypto
from households.models import Resident
from tests.factories.households import make_household, make_resident

PLACE = "households_resident.id_number"
NUMBER = "53998119800501001X"


def new_key():
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def test_value_comes_back_and_equal_values_differ():
    first, second = (crypto.encrypt(NUMBER, context=PLACE) for _ in range(2))
    assert first != second
    assert NUMBER not in first
    assert crypto.decrypt(first, context=PLACE) == NUMBER
    assert crypto.decrypt(second, context=PLACE) == NUMBER


def test_blank_stays_blank():
    assert crypto.encrypt("", context=PLACE) == ""
    assert crypto.decrypt("", context=PLACE) == ""
    assert crypto.digest("") == ""


def test_every_changed_byte_is_refused():
    stored = crypto.encrypt(NUMBER, context=PLACE)
    version, key_id, encoded = stored.split(":")
    sealed = base64.b64decode(encoded)
    for place in range(len(sealed)):
        broken = bytearray(sealed)
        broken[place] ^= 1
        text = f"{version}:{key_id}:{base64.b64encode(bytes(broken)).decode()}"
        with pytest.raises(crypto.DecryptionFailed):
            crypto.decrypt(text, context=PLACE)


def test_value_moved_to_another_column_is_refused():
    stored = crypto.encrypt(NUMBER, context=PLACE)
    with pytest.raises(crypto.DecryptionFailed):
        crypto.decrypt(stored, context="households_resident.phone")


def test_missing_key_is_refused_loudly(settings):
    stored = crypto.encrypt(NUMBER, context=PLACE)
    settings.FIELD_ENCRYPTION_KEYS = f"other:{new_key()}"
    with pytest.raises(crypto.DecryptionFailed):
        crypto.decrypt(stored, context=PLACE)


def test_first_key_writes_and_all_read(settings):
    old = settings.FIELD_ENCRYPTION_KEYS
    stored = crypto.encrypt(NUMBER, context=PLACE)
    settings.FIELD_ENCRYPTION_KEYS = f"next:{new_key()},{old}"
    assert crypto.writing_key_id() == "next"
    assert crypto.encrypt(NUMBER, context=PLACE).startswith("1:next:")
    assert crypto.decrypt(stored, context=PLACE) == NUMBER


def test_files_are_sealed_for_their_own_place():
    sealed = crypto.encrypt_bytes(b"workbook", context="imports/1")
    assert b"workbook" not in sealed
    assert crypto.decrypt_bytes(sealed, context="imports/1") == b"workbook"
    with pytest.raises(crypto.DecryptionFailed):
        crypto.decrypt_bytes(sealed, context="imports/2")


def test_digest_is_stable_and_depends_on_its_key(settings):
    first = crypto.digest(NUMBER)
    assert len(first) == 43
    assert crypto.digest(NUMBER) == first
    settings.DIGEST_KEY = secrets.token_urlsafe(64)
    assert crypto.digest(NUMBER) != first


def test_database_sees_only_ciphers(village):
    resident = make_resident(make_household(village), id_number=NUMBER, phone="13012348404")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, phone FROM households_resident")
        row = cursor.fetchone()
    assert all(value.startswith("1:") for value in row)
    assert NUMBER not in str(row)
    assert "13012348404" not in str(row)
    resident.refresh_from_db()
    assert (resident.id_number, resident.phone) == (NUMBER, "13012348404")
    assert Resident.objects.get(id_number_digest=crypto.digest(NUMBER)) == resident


@pytest.mark.parametrize("lookup", ["id_number", "id_number__startswith", "phone__in"])
def test_encrypted_column_cannot_be_searched(lookup, db):
    with pytest.raises(FieldError, match="_digest"):
        Resident.objects.filter(**{lookup: [NUMBER] if lookup.endswith("in") else NUMBER}).first()
