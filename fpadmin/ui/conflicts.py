"""Two people edited one record: what each has, field by field, and the answer put together."""

import json
from dataclasses import dataclass

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


def seal(initial: dict, row_version: int) -> str:
    """What the record held when the form was opened, sealed for the way through the browser."""
    values = {name: _raw(value) for name, value in initial.items()}
    return crypto.encrypt(json.dumps([row_version, values]), context=_CONTEXT)


def unseal(text: str, row_version: int) -> dict | None:
    """The values sealed with that version; None when it is none of ours."""
    try:
        version, values = json.loads(crypto.decrypt(text, context=_CONTEXT))
    except (crypto.DecryptionFailed, ValueError, AttributeError):
        return None
    return values if version == row_version else None


def differences(form: forms.Form, opened: dict, theirs: dict) -> list[Difference]:
    """The fields that somebody changed, with the three values in words."""
    found = []
    for name, field in form.fields.items():
        if name not in theirs or name not in opened:
            continue
        mine = _raw(form.data.get(name, ""))
        mine = _raw(form.cleaned_data.get(name)) if name in form.cleaned_data else mine
        if isinstance(field, forms.TypedChoiceField) or _is_looked_up(form, name):
            mine = form.data.get(name, "")
        current = _raw(theirs[name])
        if current == opened[name]:
            continue
        found.append(
            Difference(
                name=name,
                label=str(field.label),
                opened=_word(field, opened[name]),
                mine=_word(field, mine),
                theirs=_word(field, current),
                keep=THEIRS if mine == opened[name] else MINE,
            )
        )
    return [d for d in found if d.mine != d.theirs]


def put_together(data: QueryDict, theirs: dict) -> QueryDict:
    """The posted form with the other's value wherever the clerk chose it."""
    merged = data.copy()
    for name, value in theirs.items():
        if data.get(f"use_{name}") == THEIRS:
            merged[name] = _raw(value)
    return merged


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
    if not raw:
        return "—"
    if isinstance(field, forms.ModelChoiceField):
        found = field.queryset.filter(pk=raw).first()
        return str(found) if found else "—"
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(raw, raw))
    return raw
