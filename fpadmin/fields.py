"""A text column that both databases compare byte by byte, so that prefix ranges work."""

from django.db import models


class BytewiseCharField(models.CharField):
    """CharField with collation "C" on PostgreSQL; SQLite's default BINARY is the same order.

    A prefix search is a range (`>= prefix`, `< next string`) served by a plain index, whatever
    the database's locale.
    """

    def db_parameters(self, connection):
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


def next_string(prefix: str) -> str:
    """The first string after every string that starts with `prefix`, in code point order."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
