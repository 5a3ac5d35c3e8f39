"""What a merge does to rows of any table, kept so that it can be taken back exactly.

A journal is told of every write, makes it, and becomes JSON. Restoring goes the other way: values and
links first, rows that were taken out last, when nothing stands in their place any more.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import F
from django.db.models.functions import Now

Reference = tuple[type[models.Model], models.Field]
# What says only that somebody wrote: it goes on rising, also when everything else is as it was.
COUNTERS = ("row_version", "updated_at")


def references(model: type[models.Model]) -> list[Reference]:
    """(model, field) of every foreign key that points at `model`, in any app, hidden ones too."""
    return [
        (found.related_model, found.field)
        for found in model._meta.get_fields(include_hidden=True)
        if found.auto_created and not found.concrete and (found.one_to_many or found.one_to_one)
    ]


def numbered(field: models.Field) -> tuple[str, str] | None:
    """The columns that keep the ID number of the person whom this link leads to, and its digest."""
    names = (f"{field.name}_id_number", f"{field.name}_id_number_digest")
    known = {f.name for f in field.model._meta.concrete_fields}
    return names if known.issuperset(names) else None


def row_of(record: models.Model) -> dict[str, Any]:
    """{column: value} of all columns, as JSON brings them back."""
    return {f.attname: _plain(getattr(record, f.attname)) for f in record._meta.concrete_fields}


class Journal:
    """The writes of one merge: values changed, links moved, rows taken out, rows made."""

    def __init__(self, content: dict[str, Any] | None = None):
        content = content or {}
        self.values: dict[str, dict[str, dict[str, list]]] = content.get("values", {})
        self.links: list[list] = content.get("links", [])
        self.removed: list[list] = content.get("removed", [])
        self.made: list[list] = content.get("made", [])

    def content(self) -> dict[str, Any]:
        """Everything, to be kept as JSON."""
        return {
            "values": self.values, "links": self.links, "removed": self.removed, "made": self.made
        }  # fmt: skip

    def set(self, records: list, **new: Any) -> None:
        """Write these columns of rows of one model; a second time keeps what stood there at first."""
        if not records:
            return
        rows = self.values.setdefault(records[0]._meta.label_lower, {})
        for record in records:
            kept = rows.setdefault(str(record.pk), {})
            for name, value in new.items():
                first = kept[name][0] if name in kept else _plain(getattr(record, name))
                kept[name] = [first, _plain(value)]
                setattr(record, name, value)
        _write(type(records[0]), [record.pk for record in records], new)

    def move(self, model: type[models.Model], field: models.Field, pks: list[int], to: int) -> None:
        """Point these rows at another one. They all pointed at the same row before."""
        if pks:
            (before,) = set(
                model._base_manager.filter(pk__in=pks).values_list(field.attname, flat=True)
            )
            self.links.append([model._meta.label_lower, field.attname, pks, before, to])
            _write(model, pks, {field.attname: to})

    def remove(self, record: models.Model) -> None:
        """Take the row out."""
        self.removed.append([record._meta.label_lower, row_of(record)])
        type(record)._base_manager.filter(pk=record.pk).delete()

    def make(self, record: models.Model) -> None:
        """Add the row."""
        record.save(force_insert=True)
        self.made.append([record._meta.label_lower, record.pk])

    def changed_since(self) -> type[models.Model] | None:
        """The model of a row that no longer is as this journal left it; None where all are."""
        for label, pk in self.made:
            model = apps.get_model(label)
            if not model._base_manager.filter(pk=pk).exists():
                return model
        for label, attname, pks, _, to in self.links:
            model = apps.get_model(label)
            if model._base_manager.filter(pk__in=pks, **{attname: to}).count() != len(pks):
                return model
        for label, rows in self.values.items():
            model = apps.get_model(label)
            found = {str(r.pk): r for r in model._base_manager.filter(pk__in=list(rows))}
            for pk, columns in rows.items():
                if pk not in found or any(
                    _plain(getattr(found[pk], name)) != new for name, (_, new) in columns.items()
                ):
                    return model
        return None

    def restore(self) -> None:
        """Put every row back as it was, in the order that no unique constraint minds."""
        for label, pk in self.made:
            apps.get_model(label)._base_manager.filter(pk=pk).delete()
        # Backwards, so that a number is free again before the row that held it takes it back.
        for label, rows in reversed(self.values.items()):
            model = apps.get_model(label)
            for pk, columns in reversed(rows.items()):
                before = {name: old for name, (old, _) in columns.items()}
                _write(model, [model._meta.pk.to_python(pk)], _python(model, before))
        for label, attname, pks, before, _ in reversed(self.links):
            _write(apps.get_model(label), pks, {attname: before})
        for label, row in reversed(self.removed):
            model = apps.get_model(label)
            columns = _python(model, row)
            model(**columns).save(force_insert=True)
            # Once more by name: saving a new row sets what auto_now_add sets.
            key = columns.pop(model._meta.pk.attname)
            model._base_manager.filter(pk=key).update(**columns)


def dumps(content: dict[str, Any]) -> str:
    """The text to keep, encrypted."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    return str(value)


def _python(model: type[models.Model], row: dict[str, Any]) -> dict[str, Any]:
    fields = {f.attname: f for f in model._meta.concrete_fields}
    return {name: fields[name].to_python(value) for name, value in row.items()}


def _write(model: type[models.Model], pks: Iterable[int], columns: dict[str, Any]) -> None:
    counters = {"row_version": F("row_version") + 1, "updated_at": Now()}
    known = {f.name for f in model._meta.concrete_fields}
    columns = {**columns, **{name: counters[name] for name in COUNTERS if name in known}}
    model._base_manager.filter(pk__in=pks).update(**columns)
