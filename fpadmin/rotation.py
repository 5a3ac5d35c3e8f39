"""Key rotation: re-encrypts the columns of every model, batch by batch, beside running writers.

Works on the raw columns, since an encrypted field opens its value on reading. Digests stay: they
stand under a key of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.apps import apps
from django.db import connection, transaction

from fpadmin import bulk, crypto
from fpadmin.audit import log

BATCH = 5_000


@dataclass(frozen=True)
class EncryptedColumn:
    """One encrypted column of one table."""

    table: str
    key: str
    column: str
    context: str

    def __str__(self):
        return f"{self.table}.{self.column}"


@dataclass
class Rotated:
    """How many values moved to the first key, and the rows whose own key is missing."""

    rotated: int = 0
    unreadable: list[int] = field(default_factory=list)


def encrypted_columns() -> Iterator[EncryptedColumn]:
    """Every EncryptedCharField of every model."""
    for model in apps.get_models():
        for one in model._meta.local_concrete_fields:
            if isinstance(one, crypto.EncryptedCharField):
                meta = model._meta
                yield EncryptedColumn(meta.db_table, meta.pk.column, one.column, one.context())


def waiting(column: EncryptedColumn) -> int:
    """How many values are under another key than the first."""
    condition, parameters = _not_under_first_key(column)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{column.table}" WHERE {condition}', parameters)
        return cursor.fetchone()[0]


def rotate_column(*, column: EncryptedColumn, by, batch: int = BATCH) -> Rotated:
    """Put every value of `column` under the first key; each batch is a transaction with its event.

    A value that somebody changed meanwhile is left alone: it was written under the first key.
    """
    outcome, last = Rotated(), 0
    while rows := _next_batch(column, last, batch):
        last = rows[-1][0]
        fresh = []
        for pk, old in rows:
            try:
                plain = crypto.decrypt(old, context=column.context)
            except (crypto.DecryptionFailed, ValueError):
                outcome.unreadable.append(pk)
                continue
            fresh.append((pk, old, crypto.encrypt(plain, context=column.context)))
        if fresh:
            outcome.rotated += _replace(column, fresh, by)
    return outcome


def _not_under_first_key(column: EncryptedColumn) -> tuple[str, list]:
    prefix = f"{crypto.VERSION}:{crypto.writing_key_id()}:"
    name = f'"{column.column}"'
    return f"{name} <> '' AND substr({name}, 1, %s) <> %s", [len(prefix), prefix]


def _next_batch(column: EncryptedColumn, last: int, size: int) -> list[tuple[int, str]]:
    condition, parameters = _not_under_first_key(column)
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT "{column.key}", "{column.column}" FROM "{column.table}" '
            f'WHERE "{column.key}" > %s AND {condition} ORDER BY "{column.key}" LIMIT %s',
            [last, *parameters, size],
        )
        return cursor.fetchall()


def _replace(column: EncryptedColumn, fresh: list[tuple[int, str, str]], by) -> int:
    """Swap old for new ciphers where the old one is still there; one statement."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute('DROP TABLE IF EXISTS "staged_rotation"')
        cursor.execute(
            'CREATE TEMPORARY TABLE "staged_rotation" '
            "(pk bigint PRIMARY KEY, old_cipher text, new_cipher text)"
        )
        bulk.copy_into("staged_rotation", ["pk", "old_cipher", "new_cipher"], fresh)
        cursor.execute(
            f'UPDATE "{column.table}" SET "{column.column}" = s.new_cipher '
            f'FROM "staged_rotation" s WHERE "{column.table}"."{column.key}" = s.pk '
            f'AND "{column.table}"."{column.column}" = s.old_cipher'
        )
        count = cursor.rowcount
        cursor.execute('DROP TABLE "staged_rotation"')
        log.record("keys.rotated", by=by, count=count, changes={"column": str(column)})
    return count
