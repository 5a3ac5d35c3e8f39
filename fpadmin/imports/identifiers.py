"""Identifying cells of a table: their text and their digests, for every kind of workbook alike."""

from collections.abc import Iterable

from fpadmin.crypto import digest
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR


def text_of(value) -> str:
    """The number or text of a typed cell; "" where it is blank, wrong or cleared."""
    if value is None or value is CLEAR:
        return ""
    return value if isinstance(value, str) else value.number


def digests_of(table: Table, keys: Iterable[str]) -> dict[str, list[str]]:
    """The digest of each cell of these columns; "" where blank. Each distinct text is digested once."""
    memo: dict[str, str] = {"": ""}
    digests: dict[str, list[str]] = {}
    for key in keys:
        column = digests[key] = []
        for value in table.columns[key]:
            text = text_of(value)
            if text not in memo:
                memo[text] = digest(text)
            column.append(memo[text])
    return digests
