"""Files that only the program can read: encrypted in the storage, under names that say nothing.

Each kind of file has a folder of its own, which also binds its encryption.
"""

import secrets
from collections.abc import Collection
from datetime import datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from fpadmin import crypto


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


def drop(name: str) -> None:
    """Remove a stored file; nothing happens where it is gone."""
    if name:
        default_storage.delete(name)


def drop_orphans(folder: str, *, known: Collection[str], before: datetime) -> int:
    """Remove files of the folder older than `before` that are not `known`; return how many."""
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return 0
    orphans = [
        path
        for path in (f"{folder}/{name}" for name in names)
        if path not in known and default_storage.get_modified_time(path) < before
    ]
    for path in orphans:
        default_storage.delete(path)
    return len(orphans)


def _context(folder: str) -> str:
    return f"{folder}.file"
