"""The files themselves: a zip that opens with a password, encrypted once more in the storage.

However large one is, only a piece of it is in memory.
"""

import hashlib
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import pyzipper

from fpadmin import sealed
from fpadmin.crypto import DecryptionFailed
from fpadmin.exports.models import Export

FOLDER = "exports"
# Without letters and digits that look alike: the password is typed from a screen.
_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
_PASSWORD_LENGTH = 14


@dataclass(frozen=True)
class Kept:
    """A file in the storage: its name there, and what proves it whole."""

    name: str
    sha256: str
    size: int


def make_password() -> str:
    """A new password of a file."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_PASSWORD_LENGTH))


@contextmanager
def zipped(password: str) -> Iterator["Zip"]:
    """An AES-256 zip that is filled file by file, in a temporary file that never holds plain content."""
    with (
        tempfile.TemporaryFile() as target,
        pyzipper.AESZipFile(
            target, "w", compression=pyzipper.ZIP_STORED, encryption=pyzipper.WZ_AES
        ) as archive,
    ):
        archive.setpassword(password.encode())
        yield Zip(archive, target)


class Zip:
    """A zip being filled. finish() ends it and gives the whole of it to read."""

    def __init__(self, archive: pyzipper.AESZipFile, target: BinaryIO):
        self._archive, self._target = archive, target

    def add(self, name: str, write: Callable[[BinaryIO], Any]) -> None:
        """A file called `name`, whose content `write` puts into a stream, a piece at a time."""
        with self._archive.open(name, "w", force_zip64=True) as stream:
            write(stream)

    def finish(self) -> BinaryIO:
        self._archive.close()
        self._target.seek(0)
        return self._target


def keep(content: BinaryIO) -> Kept:
    """Store the file."""
    digest, size = hashlib.sha256(), 0
    while part := content.read(sealed.PART):
        digest.update(part)
        size += len(part)
    content.seek(0)
    return Kept(sealed.keep_parts(FOLDER, content), digest.hexdigest(), size)


def read(export: Export) -> Iterator[bytes] | None:
    """The file as it was made, piece by piece; None where it is gone or was changed.

    It is looked through before: nobody gets half a file.
    """
    digest = hashlib.sha256()
    try:
        for part in sealed.parts(export.file) if export.file else ():
            digest.update(part)
    except (FileNotFoundError, DecryptionFailed):
        return None
    return sealed.parts(export.file) if digest.hexdigest() == export.sha256 else None


def drop(name: str) -> None:
    """Remove a stored file; nothing happens where it is gone."""
    sealed.drop(name)


def drop_orphans(before: datetime) -> int:
    """Remove files older than `before` that belong to no export; return how many."""
    known = set(Export.objects.exclude(file="").values_list("file", flat=True))
    return sealed.drop_orphans(FOLDER, known=known, before=before)
