"""The uploaded workbooks themselves: encrypted in the storage, under names that say nothing."""

import secrets
from datetime import datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from fpadmin import crypto
from fpadmin.imports.kinds import Unreadable
from fpadmin.imports.models import ImportBatch

CONTEXT = "imports.file"
FOLDER = "imports"


def keep(content: bytes) -> str:
    """Store the workbook; return the storage name."""
    sealed = crypto.encrypt_bytes(content, context=CONTEXT)
    return default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}.bin", ContentFile(sealed))


def read(batch: ImportBatch) -> bytes:
    """The workbook as it was uploaded. Raises Unreadable where it was purged or changed."""
    if not batch.file:
        raise Unreadable("file_gone", "上传的文件已按期限清除。请重新上传。")
    try:
        with default_storage.open(batch.file) as file:
            return crypto.decrypt_bytes(file.read(), context=CONTEXT)
    except (FileNotFoundError, crypto.DecryptionFailed):
        raise Unreadable("file_gone", "保存的文件打不开了。请重新上传。") from None


def drop(name: str) -> None:
    """Remove a stored workbook; nothing happens where it is gone."""
    if name:
        default_storage.delete(name)


def drop_orphans(before: datetime) -> int:
    """Remove stored files older than `before` that belong to no batch; return how many."""
    try:
        names = default_storage.listdir(FOLDER)[1]
    except FileNotFoundError:
        return 0
    known = set(ImportBatch.objects.exclude(file="").values_list("file", flat=True))
    orphans = [
        path
        for path in (f"{FOLDER}/{name}" for name in names)
        if path not in known and default_storage.get_modified_time(path) < before
    ]
    for path in orphans:
        default_storage.delete(path)
    return len(orphans)
