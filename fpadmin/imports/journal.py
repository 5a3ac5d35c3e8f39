"""Remembers what writing a batch does to the tables, row by row or by ranges of keys.

New rows cost one line for each unbroken run of keys. What a changed row held before is kept
encrypted, whatever the column.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from django.db import models

from fpadmin import bulk
from fpadmin.crypto import encryptor
from fpadmin.imports.models import ImportEffect

KEPT = "imports_importeffect.kept"
_COLUMNS = [
    "batch_id", "action", "model", "object_id", "other_id", "version", "columns", "kept",
]  # fmt: skip
Action = ImportEffect.Action


class Journal:
    """The effects of one batch, written as they are told; without a batch nothing is kept."""

    def __init__(self, batch_id: int | None = None):
        self._batch = batch_id
        self.keeps = batch_id is not None
        self._ranges: dict[type[models.Model], list[tuple[int, int]]] = {}

    def created(self, model: type[models.Model], ids: Sequence[int]) -> None:
        """The rows `ids`, in ascending order, are new."""
        ranges = list(ranges_of(ids))
        self._ranges.setdefault(model, []).extend(ranges)
        self._write(
            (Action.CREATED, model, first, last, None, "", "") for first, last in ranges
        )  # fmt: skip

    def changed(
        self,
        model: type[models.Model],
        rows: Iterable[tuple[int, int | None, dict[str, list]]],
    ) -> None:
        """(pk, row_version afterwards or None, {column: [old, new]}) of existing rows.

        Values as the database holds them, but encrypted columns in clear. Where the table has a
        row_version, that alone tells of later edits, and [old] is enough.
        """
        seal = encryptor(KEPT)
        self._write(
            (Action.CHANGED, model, pk, None, version, f",{','.join(values)},", seal(_json(values)))
            for pk, version, values in rows
        )

    def linked(
        self, model: type[models.Model], link: str, pairs: Iterable[tuple[int, int]]
    ) -> None:
        """(row, row that its link now leads to): set because a number was registered."""
        old = (pair for pair in pairs if not self.is_new(model, pair[0]))
        self._write((Action.LINKED, model, pk, to, None, f",{link}_id,", "") for pk, to in old)

    def removed(self, model: type[models.Model], rows: Iterable[tuple[int, dict]]) -> None:
        """(pk, {column: value}) of rows that are deleted."""
        seal = encryptor(KEPT)
        self._write(
            (Action.REMOVED, model, pk, None, None, "", seal(_json(values))) for pk, values in rows
        )

    def is_new(self, model: type[models.Model], pk: int) -> bool:
        """Whether this batch created the row."""
        return any(first <= pk <= last for first, last in self._ranges.get(model, ()))

    def _write(self, rows: Iterator[tuple]) -> None:
        if not self.keeps:
            return
        bulk.insert(
            ImportEffect,
            _COLUMNS,
            (
                (self._batch, str(action), model._meta.label_lower, *rest)
                for action, model, *rest in rows
            ),
        )


def ranges_of(ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Unbroken runs of ascending numbers, as (first, last)."""
    if not ids:
        return
    first = ids[0]
    for one, following in pairwise(ids):
        if following != one + 1:
            yield first, one
            first = following
    yield first, ids[-1]


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, default=str, separators=(",", ":"))
