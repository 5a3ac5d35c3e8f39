"""Result files of jobs: encrypted, written whole or not at all, checked before they are served."""

import hashlib
import os
import secrets
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from fpadmin import crypto
from fpadmin.jobs.models import Job

CONTEXT = "jobs.result"


def keep(job_id: int, content: bytes) -> tuple[str, str]:
    """Store `content` for the job; return the storage name and the sha256 of the content.

    A crash leaves a temporary file or a whole one, never half of one under the final name.
    """
    name = f"{_folder(job_id)}/{secrets.token_hex(8)}.bin"
    sealed = crypto.encrypt_bytes(content, context=CONTEXT)
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:  # an object store shows an object only once it is whole
        name = default_storage.save(name, ContentFile(sealed))
    else:
        _write_whole(path, sealed)
    return name, hashlib.sha256(content).hexdigest()


def read(job: Job) -> bytes | None:
    """The content of the result file; None unless the job is done and the file is what it wrote."""
    if job.state != Job.State.DONE or not job.result_file:
        return None
    try:
        with default_storage.open(job.result_file) as file:
            content = crypto.decrypt_bytes(file.read(), context=CONTEXT)
    except (FileNotFoundError, crypto.DecryptionFailed):
        return None
    return content if hashlib.sha256(content).hexdigest() == job.result_sha256 else None


def drop_all_but(job_id: int, kept: str) -> None:
    """Remove what earlier or failed runs of the job left, and keep the file named `kept` ("": none)."""
    try:
        names = default_storage.listdir(_folder(job_id))[1]
    except FileNotFoundError:
        return
    for name in names:
        if f"{_folder(job_id)}/{name}" != kept:
            default_storage.delete(f"{_folder(job_id)}/{name}")


def _folder(job_id: int) -> str:
    return f"jobs/{job_id}"


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
