"""Files that only the program can read: encrypted in the storage, under names that say nothing.

Each kind of file has a folder of its own, which also binds its encryption.
"""

import secrets
import tempfile
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import BinaryIO

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from fpadmin import crypto

PART = 1024 * 1024
_LENGTH = 4  # bytes before each part that say how long it is


def keep(folder: str, content: bytes) -> str:
    """Store the content; return its storage name."""
    sealed = crypto.encrypt_bytes(content, context=_context(folder))
    return default_storage.save(f"{folder}/{secrets.token_hex(16)}.bin", ContentFile(sealed))


def read(folder: str, name: str) -> bytes | None:
    """The content as it was stored; None where it is gone or was changed."""
    if not name:
        return None
    try:
        with default_storage.open(name) as file:
            return crypto.decrypt_bytes(file.read(), context=_context(folder))
    except (FileNotFoundError, crypto.DecryptionFailed):
        return None


def keep_parts(folder: str, source: BinaryIO) -> str:
    """Store a file of any size, sealed part by part; return its storage name. Read it by parts()."""
    name = f"{folder}/{secrets.token_hex(16)}.bin"
    with tempfile.TemporaryFile() as target:
        ahead, number = source.read(PART), 0
        while True:
            part, ahead = ahead, source.read(PART)
            sealed = crypto.encrypt_bytes(part, context=_part(name, number, last=not ahead))
            target.write(len(sealed).to_bytes(_LENGTH) + sealed)
            if not ahead:
                break
            number += 1
        target.seek(0)
        return default_storage.save(name, File(target))


def parts(name: str) -> Iterator[bytes]:
    """The content of keep_parts(), piece by piece; raises DecryptionFailed at the first wrong byte.

    A part that was changed, moved, added or left out is wrong. FileNotFoundError where it is gone.
    """
    with default_storage.open(name) as file:
        head, number = file.read(_LENGTH), 0
        while head:
            sealed, head = file.read(int.from_bytes(head)), file.read(_LENGTH)
            yield crypto.decrypt_bytes(sealed, context=_part(name, number, last=not head))
            number += 1
        if not number:
            raise crypto.DecryptionFailed(f"{name} has no part")


def drop(name: str) -> None:
    """Remove a stored file; nothing happens where it is gone."""
    if name:
        default_storage.delete(name)


def names(folder: str) -> set[str]:
    """The storage names of all files of the folder."""
    try:
        return {f"{folder}/{name}" for name in default_storage.listdir(folder)[1]}
    except FileNotFoundError:
        return set()


def drop_orphans(folder: str, *, known: Collection[str], before: datetime) -> int:
    """Remove files of the folder older than `before` that are not `known`; return how many."""
    orphans = [
        path
        for path in names(folder) - set(known)
        if default_storage.get_modified_time(path) < before
    ]
    for path in orphans:
        default_storage.delete(path)
    return len(orphans)


def _context(folder: str) -> str:
    return f"{folder}.file"


def _part(name: str, number: int, *, last: bool) -> str:
    """Binds a part to its file and place; the end is told apart, so that nothing can be cut off."""
    return f"{name}.{number}.{'last' if last else 'more'}"
