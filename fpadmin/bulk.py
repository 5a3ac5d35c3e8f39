"""Bulk loads: COPY on PostgreSQL, executemany on SQLite; the same rows either way."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from django.db import connection, models


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """`count` primary keys that nobody else will use. Call inside the transaction that inserts.

    PostgreSQL takes them from the sequence; SQLite's immediate transaction is the only writer.
    """
    if count == 0:
        return []
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [table, count],
            )
            return [row[0] for row in cursor.fetchall()]
        # AUTOINCREMENT remembers the highest key ever used in sqlite_sequence.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        start = (row[0] if row else 0) + 1
        return list(range(start, start + count))


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows of database values (encrypted columns already encrypted) in column order."""
    copy_into(model._meta.db_table, columns, rows)


def copy_into(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows into any table, temporary ones too."""
    names = ", ".join(f'"{c}"' for c in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', _CopySource(rows))
            return
        marks = ", ".join(["%s"] * len(columns))
        statement = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'
        iterator = iter(rows)
        while batch := [tuple(map(_sqlite_value, row)) for row in islice(iterator, 5000)]:
            cursor.executemany(statement, batch)


def update(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Set `columns` of existing rows; each row is (pk, value, ...). One statement for all rows."""
    table = model._meta.db_table
    rows = list(rows)
    if not rows:
        return
    staged = f"staged_{table}"
    fields = {f.column: f for f in model._meta.concrete_fields}
    types = ", ".join(f'"{c}" {fields[c].db_type(connection)}' for c in columns)
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE IF EXISTS "{staged}"')
        cursor.execute(f'CREATE TEMPORARY TABLE "{staged}" (pk bigint PRIMARY KEY, {types})')
        copy_into(staged, ["pk", *columns], rows)
        assignments = ", ".join(f'"{c}" = s."{c}"' for c in columns)
        cursor.execute(
            f'UPDATE "{table}" SET {assignments} FROM "{staged}" s WHERE "{table}".id = s.pk'
        )
        cursor.execute(f'DROP TABLE "{staged}"')


def delete(rows: models.QuerySet) -> int:
    """Delete rows of one table in one statement; return how many.

    Unlike QuerySet.delete() it looks for no dependents: what still leads here makes the
    transaction fail at its end.
    """
    with connection.cursor() as cursor:
        picked, parameters = rows.order_by().values("pk").query.sql_with_params()
        cursor.execute(
            f'DELETE FROM "{rows.model._meta.db_table}" WHERE id IN ({picked})', parameters
        )
        return cursor.rowcount


def claim(model: type[models.Model], versions: Mapping[int, int]) -> bool:
    """Raise row_version of the rows, pk → the version that was read; False where one isn't that.

    What a form does for one record, for many: the rows are held until the transaction ends, and
    a form that was opened before sees the conflict.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute('DROP TABLE IF EXISTS "claimed"')
        cursor.execute('CREATE TEMPORARY TABLE "claimed" (pk bigint PRIMARY KEY, version integer)')
        copy_into("claimed", ["pk", "version"], versions.items())
        cursor.execute(
            f'UPDATE "{table}" SET row_version = row_version + 1 FROM "claimed" c '
            f'WHERE "{table}".id = c.pk AND "{table}".row_version = c.version'
        )
        count = cursor.rowcount
        cursor.execute('DROP TABLE "claimed"')
    return count == len(versions)


def _sqlite_value(value):
    if isinstance(value, datetime):  # Django keeps UTC without an offset in SQLite
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else value


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"[\\\t\n\r]")


def _copy_text(value) -> str:
    if type(value) is str:
        return value.translate(_ESCAPES) if _ESCAPED.search(value) else value
    if value is None:
        return "\\N"
    if value is True:
        return "t"
    if value is False:
        return "f"
    return str(value).translate(_ESCAPES)


class _CopySource:
    """A read-only file of COPY text made from rows as it is read, so that memory stays flat."""

    def __init__(self, rows: Iterable[Sequence[Any]]):
        self._lines: Iterator[str] = ("\t".join(map(_copy_text, row)) + "\n" for row in rows)
        self._rest = ""

    def read(self, size: int = -1) -> str:
        parts, length = [self._rest], len(self._rest)
        while size < 0 or length < size:
            chunk = "".join(islice(self._lines, 500))
            if not chunk:
                break
            parts.append(chunk)
            length += len(chunk)
        text = "".join(parts)
        if size < 0:
            self._rest = ""
            return text
        self._rest = text[size:]
        return text[:size]


def lookup(
    model: type[models.Model], column: str, values: Iterable, fields: Sequence[str]
) -> list[tuple]:
    """Rows of `model` whose `column` is one of `values`: (column, *fields), raw database values.

    One join with a temporary table, so that a hundred thousand values are no long IN list.
    """
    table = model._meta.db_table
    picked = ", ".join(f't."{name}"' for name in (column, *fields))
    with connection.cursor() as cursor:
        cursor.execute('DROP TABLE IF EXISTS "looked_up"')
        kind = model._meta.get_field(column).rel_db_type(connection)
        cursor.execute(f'CREATE TEMPORARY TABLE "looked_up" (value {kind} PRIMARY KEY)')
        copy_into("looked_up", ["value"], ((value,) for value in values))
        if connection.vendor == "postgresql":
            cursor.execute('ANALYZE "looked_up"')
        cursor.execute(
            f'SELECT {picked} FROM "looked_up" l JOIN "{table}" t ON t."{column}" = l.value'
        )
        rows = cursor.fetchall()
        cursor.execute('DROP TABLE "looked_up"')
    return rows


def one_at_a_time(name: str) -> None:
    """Wait until no other transaction holds `name`; held until this transaction ends.

    SQLite's immediate transaction already is the only writer.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])


def analyze(*tables: type[models.Model], rows: int) -> None:
    """Fresh statistics after a large load, so that the next query is planned on what is there."""
    if rows >= 5_000 and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in tables:
                cursor.execute(f'ANALYZE "{model._meta.db_table}"')
