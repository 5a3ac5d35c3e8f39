"""Encryption of identifying columns, and the keyed digest by which they are searched.

A value is stored as text `1:<key id>:<base64 of nonce and ciphertext>`: AES-256-GCM, bound to its
table and column. Keys come from settings.FIELD_ENCRYPTION_KEYS (`id:base64,…`; the first writes,
all read), so that a key can be retired by `rotate_keys`.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models

VERSION = "1"


class DecryptionFailed(Exception):
    """The stored text was changed, moved to another column, or its key is not here."""


@lru_cache
def _ciphers(setting: str) -> dict[str, AESGCM]:
    ciphers = {}
    for part in setting.split(","):
        key_id, _, encoded = part.strip().partition(":")
        key = base64.urlsafe_b64decode(encoded.encode())
        if len(key) != 32:
            raise ImproperlyConfigured(
                f"FIELD_ENCRYPTION_KEYS: key {key_id!r} is not 32 bytes long"
            )
        ciphers[key_id] = AESGCM(key)
    return ciphers


def writing_key_id() -> str:
    """The id of the key that writes."""
    return next(iter(_ciphers(settings.FIELD_ENCRYPTION_KEYS)))


def encrypt_bytes(plain: bytes, *, context: str) -> bytes:
    """`plain` sealed for `context`; only decrypt_bytes with the same context opens it."""
    key_id, cipher = next(iter(_ciphers(settings.FIELD_ENCRYPTION_KEYS).items()))
    nonce = os.urandom(12)
    sealed = nonce + cipher.encrypt(nonce, plain, context.encode())
    return f"{VERSION}:{key_id}:".encode() + sealed


def decrypt_bytes(stored: bytes, *, context: str) -> bytes:
    """The plain bytes. Raises DecryptionFailed rather than returning rubbish."""
    version, _, rest = stored.partition(b":")
    key_id, _, sealed = rest.partition(b":")
    cipher = _ciphers(settings.FIELD_ENCRYPTION_KEYS).get(key_id.decode(errors="replace"))
    if version.decode(errors="replace") != VERSION or cipher is None:
        raise DecryptionFailed(f"no key {key_id!r} for a value of {context}")
    try:
        return cipher.decrypt(sealed[:12], sealed[12:], context.encode())
    except InvalidTag:
        raise DecryptionFailed(f"a value of {context} was changed or belongs elsewhere") from None


def encrypt(plain: str, *, context: str) -> str:
    """Text for an encrypted column; "" stays "" so that blank is visible without a key."""
    if plain == "":
        return ""
    head, _, sealed = encrypt_bytes(plain.encode(), context=context).partition(b":")
    key_id, _, sealed = sealed.partition(b":")
    return f"{head.decode()}:{key_id.decode()}:{base64.b64encode(sealed).decode()}"


def encryptor(context: str) -> Callable[[str], str]:
    """encrypt() for one column, with its key looked up once: for a hundred thousand values."""
    key_id, cipher = next(iter(_ciphers(settings.FIELD_ENCRYPTION_KEYS).items()))
    head, sealing, bound = f"{VERSION}:{key_id}:", cipher.encrypt, context.encode()

    def encrypt_one(plain: str) -> str:
        if not plain:
            return ""
        nonce = os.urandom(12)
        sealed = nonce + sealing(nonce, plain.encode(), bound)
        return head + base64.b64encode(sealed).decode()

    return encrypt_one


def decrypt(stored: str, *, context: str) -> str:
    """The text that encrypt() sealed for `context`. Raises DecryptionFailed rather than returning rubbish."""
    if stored == "":
        return ""
    version, key_id, encoded = stored.split(":", 2)
    return decrypt_bytes(
        f"{version}:{key_id}:".encode() + base64.b64decode(encoded), context=context
    ).decode()


def decryptor(context: str) -> Callable[[str], str]:
    """decrypt() for one column, with its keys looked up once: for a hundred thousand values."""
    ciphers, bound = _ciphers(settings.FIELD_ENCRYPTION_KEYS), context.encode()

    def decrypt_one(stored: str) -> str:
        if not stored:
            return ""
        version, key_id, encoded = stored.split(":", 2)
        cipher = ciphers.get(key_id)
        if version != VERSION or cipher is None:
            raise DecryptionFailed(f"no key {key_id!r} for a value of {context}")
        sealed = base64.b64decode(encoded)
        try:
            return cipher.decrypt(sealed[:12], sealed[12:], bound).decode()
        except InvalidTag:
            raise DecryptionFailed(
                f"a value of {context} was changed or belongs elsewhere"
            ) from None

    return decrypt_one


def digest(value: str) -> str:
    """HMAC-SHA256 of a normalised identifier under DIGEST_KEY, 43 characters; "" for "".

    The only way to search or compare an encrypted column.
    """
    if value == "":
        return ""
    mac = hmac.new(settings.DIGEST_KEY.encode(), value.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


class EncryptedCharField(models.TextField):
    """Text that the database only sees encrypted. Search its digest column instead.

    Every lookup but isnull raises, since equal values have different ciphers.
    """

    description = "encrypted text"

    def context(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def from_db_value(self, value, expression, connection):
        return value if value is None else decrypt(value, context=self.context())

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return value if value is None else encrypt(value, context=self.context())

    def get_lookup(self, lookup_name):
        if lookup_name != "isnull":
            raise FieldError(
                f"{self.name} is encrypted: filter on {self.name}_digest=digest(value)"
            )
        return super().get_lookup(lookup_name)


class DigestField(models.CharField):
    """The digest of an encrypted column; "" where there is none (null where it must be unique)."""

    def __init__(self, **kwargs):
        kwargs.setdefault("max_length", 43)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("editable", False)
        super().__init__(**kwargs)
