"""The files themselves: a zip that opens with a password, encrypted once more in the storage."""

import hashlib
import io
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import BinaryIO

import pyzipper

from fpadmin import sealed
from fpadmin.exports.models import Export

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
    return sealed.keep(FOLDER, content), hashlib.sha256(content).hexdigest()


def read(export: Export) -> bytes | None:
    """The file as it was made; None where it is gone or was changed."""
    content = sealed.read(FOLDER, export.file)
    same = content is not None and hashlib.sha256(content).hexdigest() == export.sha256
    return content if same else None


def drop(name: str) -> None:
    """Remove a stored file; nothing happens where it is gone."""
    sealed.drop(name)


def drop_orphans(before: datetime) -> int:
    """Remove files older than `before` that belong to no export; return how many."""
    known = set(Export.objects.exclude(file="").values_list("file", flat=True))
    return sealed.drop_orphans(FOLDER, known=known, before=before)
