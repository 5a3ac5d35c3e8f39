"""The files themselves: a zip that opens with a password, encrypted once more in the storage."""

import hashlib
import io
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import BinaryIO

import pyzipper
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from fpadmin import crypto
from fpadmin.exports.models import Export

CONTEXT = "exports.file"
FOLDER = "exports"
# Without letters and digits that look alike: the password is typed from a screen.
_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
_PASSWORD_LENGTH = 14


def make_password() -> str:
    """A new password of a file."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_PASSWORD_LENGTH))


def zipped(name: str, password: str, write: Callable[[BinaryIO], None]) -> bytes:
    """An AES-256 zip with one file called `name`, whose content `write` puts into a stream.

    The content is in the clear in memory only, a piece at a time.
    """
    buffer = io.BytesIO()
    with pyzipper.AESZipFile(
        buffer, "w", compression=pyzipper.ZIP_STORED, encryption=pyzipper.WZ_AES
    ) as archive:
        archive.setpassword(password.encode())
        with archive.open(name, "w", force_zip64=True) as stream:
            write(stream)
    return buffer.getvalue()


def keep(content: bytes) -> tuple[str, str]:
    """Store the file; return its storage name and the sha256 of the content."""
    sealed = crypto.encrypt_bytes(content, context=CONTEXT)
    name = default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}.bin", ContentFile(sealed))
    return name, hashlib.sha256(content).hexdigest()


def read(export: Export) -> bytes | None:
    """The file as it was made; None where it is gone or was changed."""
    if not export.file:
        return None
    try:
        with default_storage.open(export.file) as file:
            content = crypto.decrypt_bytes(file.read(), context=CONTEXT)
    except (FileNotFoundError, crypto.DecryptionFailed):
        return None
    return content if hashlib.sha256(content).hexdigest() == export.sha256 else None


def drop(name: str) -> None:
    """Remove a stored file; nothing happens where it is gone."""
    if name:
        default_storage.delete(name)


def drop_orphans(before: datetime) -> int:
    """Remove files older than `before` that belong to no export; return how many."""
    try:
        names = default_storage.listdir(FOLDER)[1]
    except FileNotFoundError:
        return 0
    known = set(Export.objects.exclude(file="").values_list("file", flat=True))
    orphans = [
        path
        for path in (f"{FOLDER}/{name}" for name in names)
        if path not in known and default_storage.get_modified_time(path) < before
    ]
    for path in orphans:
        default_storage.delete(path)
    return len(orphans)
