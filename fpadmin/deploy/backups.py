"""Backups: a folder with the sealed database, the sealed files, and a manifest that vouches for both.

One statement of the database's state: the dump and the row counts of the manifest come from one
snapshot. Files are copied after it, so that every row of the dump finds its file.
"""

import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from fpadmin.deploy import sealing

FORMAT = 1
DATABASE, FILES, MANIFEST = "database.age", "files.age", "manifest.json"
NAME = "fpadmin-%Y%m%dT%H%M%SZ"
BLOCK = 1024 * 1024
# Retention never leaves fewer than these, however old they are.
ALWAYS_KEPT = 3
ABANDONED_AFTER = timedelta(days=1)


class BackupFailed(Exception):
    """The backup or the restore cannot be done; the text is a sentence for the administrator."""


@dataclass(frozen=True)
class Backup:
    """One whole backup. `tables` are the rows of each table in the snapshot."""

    path: Path
    made_at: datetime
    vendor: str
    tables: dict[str, int]
    migrations: list[str]
    parts: dict[str, str]

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


def make(*, directory: Path, recipient: str, now: datetime) -> Backup:
    """A new backup in `directory`, under its final name only when it is whole."""
    try:
        sealing.check_recipient(recipient)
    except sealing.WrongKey:
        raise BackupFailed("BACKUP_RECIPIENT不是有效的备份公钥，没有备份。") from None
    path = directory / now.astimezone(UTC).strftime(NAME)
    part = path.with_name(f".{path.name}.part")
    try:
        part.mkdir(mode=0o700, parents=True)
        with _sealed(part / DATABASE, recipient) as (target, database_digest):
            tables = _dump(target)
        with _sealed(part / FILES, recipient) as (target, files_digest):
            _pack(target)
        manifest = {
            "format": FORMAT,
            "made_at": now.astimezone(UTC).isoformat(),
            "vendor": connection.vendor,
            "tables": tables,
            "migrations": sorted(".".join(m) for m in MigrationRecorder(connection).applied_migrations()),
            "parts": {DATABASE: database_digest.hexdigest(), FILES: files_digest.hexdigest()},
        }  # fmt: skip
        manifest["mac"] = _mac(manifest)
        _write(part / MANIFEST, json.dumps(manifest, indent=1).encode())
        part.rename(path)
    except OSError as problem:
        raise BackupFailed(f"写不了备份：{problem.strerror}（{problem.filename}）。") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return _backup(path, manifest)


def names(directory: Path) -> list[Path]:
    """The whole backups of a directory, oldest first."""
    return sorted(path.parent for path in directory.glob(f"fpadmin-*/{MANIFEST}"))


def made_at(path: Path) -> datetime:
    """When a backup was made, by its name."""
    return datetime.strptime(path.name, NAME).replace(tzinfo=UTC)


def newest(directory: Path) -> datetime | None:
    """When the newest backup was made."""
    found = names(directory)
    return made_at(found[-1]) if found else None


def drop_old(*, directory: Path, before: datetime) -> int:
    """Remove backups made before `before`, but never the last three; return how many.

    What a backup that was cut off left behind goes too.
    """
    found = names(directory)
    old = [path for path in found[:-ALWAYS_KEPT] if made_at(path) < before]
    for path in old:
        shutil.rmtree(path)
    for part in directory.glob(".fpadmin-*.part"):
        if datetime.fromtimestamp(part.stat().st_mtime, UTC) < before + ABANDONED_AFTER:
            shutil.rmtree(part, ignore_errors=True)
    return len(old)


def check(path: Path) -> Backup:
    """The backup, once manifest and parts proved to be what was written. Raises BackupFailed."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BackupFailed(f"{path}里没有可读的{MANIFEST}，不是完整的备份。") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BackupFailed("这份备份的格式不认识，没有恢复任何数据。")
    if not hmac.compare_digest(manifest.pop("mac", ""), _mac(manifest)):
        raise BackupFailed(
            "备份清单的校验码不对：清单被改动过，或者AUDIT_KEY不是备份时的那一个。没有恢复任何数据。"
        )
    for name, digest in manifest["parts"].items():
        try:
            with open(path / name, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            raise BackupFailed(f"备份里缺少{name}，没有恢复任何数据。") from None
        if found != digest:
            raise BackupFailed(f"{name}的内容被改动或残缺，没有恢复任何数据。")
    backup = _backup(path, manifest)
    unknown = set(backup.migrations) - _own_migrations()
    if unknown:
        raise BackupFailed(
            f"这份备份由更新的程序版本生成（{min(unknown)}）。请先升级程序，没有恢复任何数据。"
        )
    if backup.vendor != connection.vendor:
        raise BackupFailed(f"这份备份来自{backup.vendor}，不能恢复到{connection.vendor}。")
    return backup


def open_all(backup: Backup, identity: str) -> None:
    """Read both parts to the end without writing anything. Raises BackupFailed."""
    for name in backup.parts:
        with _opened(backup.path / name, identity) as source:
            while source.read(BLOCK):
                pass


def refuse_occupied() -> None:
    """Raise BackupFailed unless database and file folder are empty: a restore overwrites nothing."""
    if connection.introspection.table_names():
        raise BackupFailed("目标数据库不是空的。恢复只写入空数据库，没有改动任何数据。")
    media = Path(settings.MEDIA_ROOT)
    if media.exists() and any(media.iterdir()):
        raise BackupFailed(f"文件目录{media}不是空的。恢复只写入空目录，没有改动任何数据。")


def put_back(backup: Backup, identity: str) -> None:
    """Write the database, whole or not at all, then the files. Raises BackupFailed."""
    refuse_occupied()
    with _opened(backup.path / DATABASE, identity) as source:
        (_load_sqlite if connection.vendor == "sqlite" else _load_postgresql)(source)
    with (
        _opened(backup.path / FILES, identity) as source,
        tarfile.open(fileobj=source, mode="r|") as archive,
    ):
        archive.extractall(settings.MEDIA_ROOT, filter="data")


def differing_tables(backup: Backup) -> list[str]:
    """Tables whose rows here are not as many as in the backup."""
    with connection.cursor() as cursor:
        found = _counts(cursor, connection.introspection.table_names(cursor))
    return sorted(
        table
        for table in found.keys() | backup.tables.keys()
        if found.get(table) != backup.tables.get(table)
    )


def _backup(path: Path, manifest: dict) -> Backup:
    return Backup(
        path=path,
        made_at=datetime.fromisoformat(manifest["made_at"]),
        vendor=manifest["vendor"],
        tables=manifest["tables"],
        migrations=manifest["migrations"],
        parts=manifest["parts"],
    )


def _mac(manifest: dict) -> str:
    """Under AUDIT_KEY: whoever has the public key alone cannot pass a backup off as ours."""
    body = json.dumps(manifest, sort_keys=True)
    key = settings.AUDIT_KEY.encode()
    return hmac.new(key, f"backup manifest\n{body}".encode(), hashlib.sha256).hexdigest()


def _own_migrations() -> set[str]:
    return {".".join(key) for key in MigrationLoader(None).disk_migrations}


@contextmanager
def _sealed(path: Path, recipient: str):
    """(what to write into, digest of what reaches the disk)."""
    digest = hashlib.sha256()
    with open(path, "xb", opener=_private) as file:
        sealer = sealing.Sealer(_Digesting(file, digest), recipient)
        yield sealer, digest
        sealer.close()
        file.flush()
        os.fsync(file.fileno())


class _Digesting:
    """Writes through and digests."""

    def __init__(self, file, digest):
        self.file, self.digest = file, digest

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self.file.write(data)


@contextmanager
def _opened(path: Path, identity: str) -> Iterator[sealing.Opener]:
    with open(path, "rb") as file:
        try:
            yield sealing.Opener(file, identity)
        except sealing.WrongKey:
            raise BackupFailed("恢复私钥不对：这份备份不是为它加密的。") from None
        except sealing.Damaged:
            raise BackupFailed(f"{path.name}的内容被改动或残缺。") from None


def _private(path, flags):
    return os.open(path, flags, 0o600)


def _write(path: Path, content: bytes) -> None:
    with open(path, "xb", opener=_private) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _counts(cursor, tables: list[str]) -> dict[str, int]:
    found = {}
    for table in sorted(tables):
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        found[table] = cursor.fetchone()[0]
    return found


def _dump(target: sealing.Sealer) -> dict[str, int]:
    """Write the database; the rows of each table in what was written."""
    return (_dump_sqlite if connection.vendor == "sqlite" else _dump_postgresql)(target)


def _dump_postgresql(target: sealing.Sealer) -> dict[str, int]:
    command = [_program("pg_dump"), "--format=custom", "--compress=3", "--no-password"]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        command.append(f"--snapshot={cursor.fetchone()[0]}")
        tables = _counts(cursor, connection.introspection.table_names(cursor))
        with tempfile.TemporaryFile() as complaints:
            with subprocess.Popen(
                command, env=_libpq(), stdout=subprocess.PIPE, stderr=complaints
            ) as process:
                shutil.copyfileobj(process.stdout, target, BLOCK)
            if process.returncode:
                raise BackupFailed(f"pg_dump没有成功：{_last_line(complaints)}")
    return tables


def _load_postgresql(source: sealing.Opener) -> None:
    connection.close()
    command = [
        _program("pg_restore"), "--dbname", connection.settings_dict["NAME"], "--single-transaction",
        "--exit-on-error", "--no-owner", "--no-privileges", "--no-password",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(command, env=_libpq(), stdin=subprocess.PIPE, stderr=complaints)
        try:
            shutil.copyfileobj(source, process.stdin, BLOCK)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it says why on stderr
        except BaseException:
            process.kill()  # nothing is committed
            raise
        finally:
            process.wait()
        if process.returncode:
            raise BackupFailed(f"pg_restore没有成功，数据库仍是空的：{_last_line(complaints)}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise BackupFailed(f"没有找到{name}。请安装PostgreSQL的客户端程序。")
    return found


def _libpq() -> dict[str, str]:
    """The connection for PostgreSQL's programs; the password is not among their arguments."""
    values = connection.settings_dict
    given = {
        "PGDATABASE": values["NAME"], "PGUSER": values["USER"], "PGPASSWORD": values["PASSWORD"],
        "PGHOST": values["HOST"], "PGPORT": str(values["PORT"]),
    }  # fmt: skip
    return os.environ | {name: value for name, value in given.items() if value}


def _last_line(complaints) -> str:
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return lines[0][:200] if lines else "没有说明"


def _dump_sqlite(target: sealing.Sealer) -> dict[str, int]:
    name = Path(connection.settings_dict["NAME"])
    with tempfile.TemporaryDirectory(dir=name.parent, prefix=".backup-") as folder:
        copy = Path(folder) / "copy.sqlite3"
        with closing(sqlite3.connect(name)) as live, closing(sqlite3.connect(copy)) as kept:
            live.backup(kept)
            query = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
            tables = _counts(kept.cursor(), [row[0] for row in kept.execute(query)])
        with open(copy, "rb") as file:
            shutil.copyfileobj(file, target, BLOCK)
    return tables


def _load_sqlite(source: sealing.Opener) -> None:
    connection.close()
    name = Path(connection.settings_dict["NAME"])
    part = name.with_name(f".{name.name}.part")
    try:
        with open(part, "wb", opener=_private) as file:
            shutil.copyfileobj(source, file, BLOCK)
        with closing(sqlite3.connect(part)) as copy:
            if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupFailed("备份里的数据库没有通过完整性检查，没有恢复任何数据。")
        for suffix in ("-wal", "-shm"):
            name.with_name(name.name + suffix).unlink(missing_ok=True)
        part.replace(name)
    finally:
        for suffix in ("", "-wal", "-shm"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)


def _pack(target: sealing.Sealer) -> None:
    """Every stored file, as a tar; one that is deleted meanwhile is left out."""
    media = Path(settings.MEDIA_ROOT)
    with tarfile.open(fileobj=target, mode="w|") as archive:
        for path in sorted(media.rglob("*")):
            if path.suffix == ".part" or not path.is_file():
                continue
            try:
                archive.add(path, arcname=path.relative_to(media).as_posix(), recursive=False)
            except FileNotFoundError:
                continue
