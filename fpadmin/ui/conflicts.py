"""Two people edited one record: what each has, field by field, and the answer put together."""

import json
from dataclasses import dataclass, field

from django import forms
from django.http import QueryDict

from fpadmin import crypto

MINE, THEIRS = "mine", "theirs"
_CONTEXT = "ui.opened-record"


@dataclass(frozen=True)
class Difference:
    """One field on which the two differ, or that either has changed."""

    name: str
    label: str
    opened: str
    mine: str
    theirs: str
    keep: str  # which side is taken unless the clerk chooses otherwise


@dataclass(frozen=True)
class Opened:
    """What the record held when the form was opened; of its encrypted numbers digest and end."""

    values: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, list[str]] = field(default_factory=dict)


def seal(record, initial: dict) -> str:
    """What the record holds as its form opens, sealed for the way through the browser."""
    values = {name: _raw(value) for name, value in initial.items()}
    content = [record.row_version, values, _numbers_of(record)]
    return crypto.encrypt(json.dumps(content), context=_CONTEXT)


def unseal(text: str, row_version: int) -> Opened:
    """What was sealed with that version; nothing when it is none of ours."""
    try:
        version, values, numbers = json.loads(crypto.decrypt(text, context=_CONTEXT))
    except (crypto.DecryptionFailed, ValueError, AttributeError):
        return Opened()
    return Opened(values, numbers) if version == row_version else Opened()


def differences(form: forms.Form, before: Opened, theirs: dict, current) -> list[Difference]:
    """The fields that the other changed and that differ from what was typed, in words.

    Numbers are never in the form's initial values; where both typed one, their ends are shown.
    """
    opened, found = before.values, []
    for name, asked in form.fields.items():
        if name not in theirs or name not in opened:
            continue
        mine = _raw(form.data.get(name, ""))
        mine = _raw(form.cleaned_data.get(name)) if name in form.cleaned_data else mine
        if isinstance(asked, forms.TypedChoiceField) or _is_looked_up(form, name):
            mine = form.data.get(name, "")
        held = _raw(theirs[name])
        if held == opened[name]:
            continue
        found.append(
            Difference(
                name=name,
                label=str(asked.label),
                opened=_word(asked, opened[name]),
                mine=_word(asked, mine),
                theirs=_word(asked, held),
                keep=THEIRS if mine == opened[name] else MINE,
            )
        )
    return [d for d in found if d.mine != d.theirs] + _numbers_of_both(form, before, current)


def put_together(data: QueryDict, theirs: dict) -> QueryDict:
    """The posted form with the other's value wherever the clerk chose it."""
    merged = data.copy()
    for choice in data:  # a box without its tick is not in the data, its choice is
        name = choice.removeprefix("use_")
        if name != choice and data[choice] == THEIRS:
            merged[name] = _raw(theirs.get(name))  # a number left blank stays as the other saved it
    return merged


def _numbers_of(record) -> dict[str, list[str]]:
    return {
        column.name: [crypto.digest(value), value[-4:]]
        for column in record._meta.concrete_fields
        if isinstance(column, crypto.EncryptedCharField)
        for value in [getattr(record, column.name)]
    }


def _numbers_of_both(form: forms.Form, before: Opened, current) -> list[Difference]:
    found = []
    for name, (digest, end) in _numbers_of(current).items():
        typed = form.cleaned_data.get(name) or form.data.get(name, "")
        was = before.numbers.get(name)
        if name not in form.fields or not typed or was == [digest, end]:
            continue
        if crypto.digest(typed) != digest:
            label = str(form.fields[name].label)
            words = (was[1] if was else "", typed[-4:], end)
            found.append(Difference(name, label, *map(_ending, words), keep=MINE))
    return found


def _ending(end: str) -> str:
    return f"尾号{end}" if end[-1:].isalnum() and end.isascii() else end or "—"


def _is_looked_up(form: forms.Form, name: str) -> bool:
    """A record found by what was typed, a code for one: the form shows that again, not its key."""
    found = hasattr(form.cleaned_data.get(name), "pk")
    return found and not isinstance(form.fields[name], forms.ModelChoiceField)


def _raw(value) -> str:
    if value is None:
        return ""
    return str(value.pk) if hasattr(value, "pk") else str(value)


def _word(field: forms.Field, raw: str) -> str:
    """The value as the page shows it."""
    if isinstance(field, forms.BooleanField):
        return "是" if raw == "True" else "否"
    if not raw:
        return "—"
    if isinstance(field, forms.ModelChoiceField):
        found = field.queryset.filter(pk=raw).first()
        return str(found) if found else "—"
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(raw, raw))
    return raw
