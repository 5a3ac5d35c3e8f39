"""Events in words: what happened, to what, and what changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from fpadmin.accounts.permissions import Role
from fpadmin.audit.log import CHANGE_LABELS, EVENT_TYPES
from fpadmin.audit.models import AuditEvent, Result

_RESULT_KINDS = {
    Result.OK: "ok",
    Result.UNCHANGED: "ok",
    Result.REFUSED: "warn",
    Result.CANCELLED: "off",
    Result.FAILED: "bad",
    Result.BROKEN: "bad",
}
# Words used as values.
_WORDS = {
    "unknown_account": "没有这个登录名",
    "wrong_password": "密码不对",
    "disabled": "账号已停用",
    "locked": "账号锁定中",
    "locked_address": "该来源锁定中",
    "temporary_password_expired": "临时密码过期",
}
NOTHING = "—"


@dataclass(frozen=True)
class ChangeLine:
    """One line of the detail page. `old` and `new` are None where only `text` is known."""

    label: str
    text: str = ""
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True)
class HistoryLine:
    """One event of a record as its own page tells it."""

    at: datetime
    actor: str
    label: str
    succeeded: bool
    changes: list[ChangeLine]


def type_label(event: AuditEvent) -> str:
    """What happened, in words; a type no longer registered shows its key."""
    return EVENT_TYPES.get(event.type, event.type)


def result_tag(event: AuditEvent) -> tuple[str, str]:
    """Kind and word of the status tag."""
    if event.result not in Result.values:
        return "off", event.result
    return _RESULT_KINDS[event.result], Result(event.result).label


def role_label(event: AuditEvent) -> str:
    """The role that the actor had then."""
    return Role(event.role).label if event.role in Role.values else NOTHING


def target_label(event: AuditEvent) -> str:
    """The kind of record and its number: 居民 12. Names never stand in the trail."""
    if not event.target_type:
        return NOTHING
    model = _model(event.target_type)
    kind = model._meta.verbose_name if model else event.target_type
    return f"{kind} {event.target_id}"


def change_lines(event: AuditEvent) -> list[ChangeLine]:
    """The changes, each under the field's own name; personal fields say only that they changed."""
    model = _model(event.target_type)
    return [_line(model, key, value) for key, value in event.changes.items()]


def history_lines(events: Iterable[AuditEvent]) -> list[HistoryLine]:
    """The events for the page of the record that they tell of."""
    return [
        HistoryLine(
            at=event.at,
            actor=event.actor,
            label=type_label(event),
            succeeded=event.result in (Result.OK, Result.UNCHANGED),
            changes=change_lines(event),
        )
        for event in events
    ]


def target_types() -> list[tuple[str, str]]:
    """Every kind of record that an event can tell of, for the filter."""
    found = {
        model._meta.label_lower: str(model._meta.verbose_name)
        for model in apps.get_models()
        if hasattr(model, "Personal")
    }
    return sorted(found.items(), key=lambda pair: pair[1])


def _model(label: str):
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def _line(model, key: str, value) -> ChangeLine:
    field = _field(model, key)
    label = str(getattr(field, "verbose_name", CHANGE_LABELS.get(key, key)))
    if key == "field":  # the value names a field of the target
        value = getattr(_field(model, value), "verbose_name", value)
    if isinstance(value, list) and len(value) == 2:
        return ChangeLine(label, old=_words(field, value[0]), new=_words(field, value[1]))
    if isinstance(value, list) and len(value) == 1:
        return ChangeLine(label, text=_words(field, value[0]))
    return ChangeLine(label, text=_words(field, value))


def _field(model, name: str):
    if model is None:
        return None
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _words(field, value) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_words(field, one) for one in value)
    if isinstance(value, dict):
        return "；".join(f"{CHANGE_LABELS.get(k, k)}：{_words(None, v)}" for k, v in value.items())
    choices = dict(getattr(field, "flatchoices", None) or [])
    return str(choices.get(value, _WORDS.get(value, value)))
