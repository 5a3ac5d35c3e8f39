"""Events in words: what happened, to what, and what changed."""

from dataclasses import dataclass

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from fpadmin.accounts.permissions import Role
from fpadmin.audit.log import EVENT_TYPES
from fpadmin.audit.models import AuditEvent

RESULTS = {
    "ok": ("ok", "成功"),
    "refused": ("warn", "被拒绝"),
    "failed": ("bad", "失败"),
    "broken": ("bad", "发现改动"),
}
# Keys of `changes` that are no field of the target, and words used as values.
_KEYS = {
    "reason": "原因",
    "page": "页面",
    "method": "方式",
    "column": "数据列",
    "first_broken": "首条被改动的编号",
}
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


def type_label(event: AuditEvent) -> str:
    """What happened, in words; a type no longer registered shows its key."""
    return EVENT_TYPES.get(event.type, event.type)


def result_tag(event: AuditEvent) -> tuple[str, str]:
    """Kind and word of the status tag."""
    return RESULTS.get(event.result, ("off", event.result))


def role_label(event: AuditEvent) -> str:
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
    field = None
    if model is not None:
        try:
            field = model._meta.get_field(key)
        except FieldDoesNotExist:
            field = None
    label = str(getattr(field, "verbose_name", _KEYS.get(key, key)))
    if isinstance(value, list) and len(value) == 2:
        return ChangeLine(label, old=_words(field, value[0]), new=_words(field, value[1]))
    if isinstance(value, list) and len(value) == 1:
        return ChangeLine(label, text=_words(field, value[0]))
    return ChangeLine(label, text=_words(field, value))


def _words(field, value) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_words(field, one) for one in value)
    if isinstance(value, dict):
        return "；".join(f"{_KEYS.get(k, k)}：{_words(None, v)}" for k, v in value.items())
    choices = dict(getattr(field, "flatchoices", None) or [])
    return str(choices.get(value, _WORDS.get(value, value)))
