"""The uploaded workbooks themselves, sealed in the storage."""

from datetime import datetime

from fpadmin import sealed
from fpadmin.imports.kinds import Unreadable
from fpadmin.imports.models import ImportBatch

FOLDER = "imports"


def keep(content: bytes) -> str:
    """Store the workbook; return the storage name."""
    return sealed.keep(FOLDER, content)


def read(batch: ImportBatch) -> bytes:
    """The workbook as it was uploaded. Raises Unreadable where it was purged or changed."""
    if not batch.file:
        raise Unreadable("file_gone", "上传的文件已按期限清除。请重新上传。")
    content = sealed.read(FOLDER, batch.file)
    if content is None:
        raise Unreadable("file_gone", "保存的文件打不开了。请重新上传。")
    return content


def drop(name: str) -> None:
    """Remove a stored workbook; nothing happens where it is gone."""
    sealed.drop(name)


def drop_orphans(before: datetime) -> int:
    """Remove stored files older than `before` that belong to no batch; return how many."""
    known = set(ImportBatch.objects.exclude(file="").values_list("file", flat=True))
    return sealed.drop_orphans(FOLDER, known=known, before=before)
