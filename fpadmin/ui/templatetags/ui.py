"""Tags and filters of every page: icons, status words, masks, numbers, dates, form controls."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django import forms, template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_filters.widgets import SuffixedMultiWidget

from fpadmin import identity
from fpadmin.ui import sprite as sprites

register = template.Library()

NOTHING = "—"
# kind → class and icon; README of the look lists the words that go with each kind.
STATUS_KINDS = {
    "ok": ("fp-tag fp-tag-ok", "check-circle-fill"),
    "run": ("fp-tag fp-tag-run", "arrow-right-circle-fill"),
    "wait": ("fp-tag", "clock"),
    "warn": ("fp-tag fp-tag-warn", "exclamation-triangle-fill"),
    "bad": ("fp-tag fp-tag-bad", "exclamation-octagon-fill"),
    "off": ("fp-tag", "dash-circle"),
    "lock": ("fp-tag", "lock-fill"),
}
NOTE_KINDS = {
    "": ("fp-note", "info-circle-fill", "note"),
    "ok": ("fp-note fp-note-ok", "check-circle-fill", "status"),
    "warn": ("fp-note fp-note-warn", "exclamation-triangle-fill", "status"),
    "bad": ("fp-note fp-note-bad", "exclamation-octagon-fill", "alert"),
}
MESSAGE_KINDS = {"success": "ok", "warning": "warn", "error": "bad"}
# Messages that name no field; a field that has its own keeps it.
DJANGO_MESSAGES = (
    forms.Field.default_error_messages["required"],
    forms.ChoiceField.default_error_messages["invalid_choice"],
    forms.ModelChoiceField.default_error_messages["invalid_choice"],
)
# Django's validators, whose own words speak of 变量 and 值.
LIMITS = {
    "max_length": "{label}最多{limit_value}个字，现在有{show_value}个",
    "min_length": "{label}至少{limit_value}个字，现在有{show_value}个",
    "max_value": "{label}不能大于{limit_value}",
    "min_value": "{label}不能小于{limit_value}",
}
WEEKDAYS = "一二三四五六日"


# Icons, states, properties ---------------------------------------------------------------------


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """One icon of the sprite. It never stands alone: a word or an aria-label goes with it."""
    if name not in sprites.ICONS:
        raise KeyError(f"icon {name!r} is not in fpadmin.ui.sprite.ICONS; add it there")
    return format_html(
        '<svg class="fp-i{}" aria-hidden="true"><use href="#i-{}"></use></svg>',
        f" {extra}" if extra else "",
        name,
    )


@register.simple_tag
def sprite() -> SafeString:
    """The hidden symbols that icon() refers to; once in every page."""
    return sprites.sprite()


@register.simple_tag
def status_tag(kind: str, label) -> SafeString:
    """The state of a process: icon, word and colour. An unknown kind raises KeyError."""
    css, icon_name = STATUS_KINDS[kind]
    return format_html('<span class="{}">{}{}</span>', css, icon(icon_name), label)


@register.simple_tag
def attribute(label) -> SafeString:
    """A property of a person or household (低保, 二孩): outlined, without colour."""
    return format_html('<span class="fp-attr">{}</span>', label)


@register.filter
def note_kind(message) -> str:
    """The kind of note for a message of django.contrib.messages."""
    return MESSAGE_KINDS.get(message.level_tag, "")


# Masks, numbers, dates -------------------------------------------------------------------------


@register.filter
def mask_id(value) -> str:
    """539981********0028"""
    return identity.mask_id_number(value) if value else NOTHING


@register.filter
def mask_phone(value) -> str:
    """130****8404"""
    return identity.mask_phone(value) if value else NOTHING


@register.filter
def mask_account(value) -> str:
    """6299****8225"""
    return identity.mask_account(value) if value else NOTHING


@register.filter
def number(value, places: int = 0) -> str:
    """15,142; a minus sign for negatives; nothing to count is —, zero is 0."""
    if value is None or value == "":
        return NOTHING
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded:,f}".replace("-", "−")


@register.filter
def money(value) -> str:
    """670,080.00"""
    return number(value, 2)


@register.filter
def percent(value) -> str:
    """97.37 → 97.37%; no denominator (None) is —."""
    text = number(value, 2)
    return text if text == NOTHING else f"{text}%"


@register.filter
def date_cn(value) -> str:
    """2018年9月30日, for sentences."""
    if not value:
        return NOTHING
    value = _local(value)
    return f"{value.year}年{value.month}月{value.day}日"


@register.filter
def date_dash(value) -> str:
    """2018-09-30, for tables and fields."""
    return _local(value).strftime("%Y-%m-%d") if value else NOTHING


@register.filter
def time_dash(value) -> str:
    """2018-09-30 09:42, local time."""
    return _local(value).strftime("%Y-%m-%d %H:%M") if value else NOTHING


@register.filter
def weekday_cn(value: date) -> str:
    """星期二"""
    return f"星期{WEEKDAYS[value.weekday()]}"


def _local(value):
    if isinstance(value, datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value


# Form controls ---------------------------------------------------------------------------------


@register.filter
def control(field, css: str = "") -> SafeString:
    """A bound field's widget with the look's class; the widget itself carries none."""
    widget = field.field.widget
    classes = [widget.attrs.get("class", ""), css or _control_class(widget)]
    if field.errors:
        classes.append("is-invalid")
    attrs = {"class": " ".join(filter(None, classes))}
    if is_pair(field):
        attrs["label"] = field.label  # its template makes 年龄从 and 年龄到 of it
    return field.as_widget(attrs=attrs)


@register.filter
def options(field) -> list:
    """The single choices of a radio or checkbox group: [(input, label, id)]."""
    return [
        (choice.tag(), choice.choice_label, choice.id_for_label)
        for choice in _classed(field).subwidgets
    ]


@register.filter
def is_group(field) -> bool:
    """Whether the field is a set of radios or checkboxes."""
    return isinstance(field.field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple)


@register.filter
def is_check(field) -> bool:
    """Whether the field is one checkbox, whose label stands beside it."""
    return type(field.field.widget) is forms.CheckboxInput


@register.filter
def is_pair(field) -> bool:
    """Whether the field is a range with two inputs."""
    return isinstance(field.field.widget, SuffixedMultiWidget)


@register.filter
def first_input(field) -> str:
    """The id that a link to this field must name: a group's is that of its first choice."""
    if is_group(field) and field.subwidgets:
        return field.subwidgets[0].id_for_label
    return field.id_for_label or field.auto_id


@register.filter
def is_password(field) -> bool:
    """Whether the field hides what is typed, so that it gets a button to show it."""
    return isinstance(field.field.widget, forms.PasswordInput)


@register.filter
def error_messages(field) -> list[str]:
    """The field's messages; Django's own ones in words that name the field and say what to do."""
    return [
        _plain_message(field, error, message)
        for error, message in zip(field.errors.as_data(), field.errors, strict=True)
    ]


def _plain_message(field, error, message: str) -> str:
    label = field.label
    if error.code == "required" and error.message in DJANGO_MESSAGES:
        if is_check(field):
            return f"请勾选“{label}”"
        chosen = isinstance(field.field, forms.ChoiceField | forms.ModelChoiceField)
        return f"请{'选择' if chosen else '填写'}{label}"
    if error.code == "invalid_choice" and error.message in DJANGO_MESSAGES:
        return f"{label}没有这个选项，请重新选择"
    if error.code in LIMITS and error.params and "limit_value" in error.params:
        return LIMITS[error.code].format(label=label, **error.params)
    return message


@register.filter
def error_count(form) -> int:
    """How many messages the form carries."""
    return sum(len(messages) for messages in form.errors.values())


def _control_class(widget) -> str:
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"


def _classed(field):
    field.field.widget.attrs["class"] = "form-check-input"
    return field


# Blocks ----------------------------------------------------------------------------------------


@register.simple_block_tag
def panel(content, title: str = "", **options) -> str:
    """The only box. Options: id, hint, link and link_label, foot, flush (no padding), css."""
    return render_to_string(
        "_components/panel.html", {"content": content, "title": title, **options}
    )


@register.simple_block_tag
def page_header(content, title: str, sub: str = "") -> str:
    """The page's h1, one line of context, and the actions that stand between the tags."""
    return render_to_string(
        "_components/page_header.html", {"title": title, "sub": sub, "actions": _text(content)}
    )


@register.simple_block_tag
def note(content, kind: str = "", title: str = "") -> str:
    """A verdict or news for the whole page, with what to do next."""
    return render_to_string(
        "_components/note.html", {"content": _text(content), "kind": kind, "title": title}
    )


@register.simple_block_tag(takes_context=True)
def confirm(context, content, label: str, cancel: str, back: str = "取消", **options) -> str:
    """The form of a confirm page around what will happen, said in words. Option: stop."""
    return render_to_string(
        "_components/confirm.html",
        {
            "content": content,
            "label": label,
            "cancel": cancel,
            "back": back,
            "csrf_token": context.get("csrf_token"),
            **options,
        },
    )


@register.simple_block_tag
def crumbs(content) -> str:
    """The breadcrumb, unless it is empty (home)."""
    if not content.strip():
        return ""
    return format_html('<nav aria-label="当前位置"><ol class="breadcrumb">{}</ol></nav>', content)


@register.simple_tag
def crumb(label, target: str = "", *args) -> SafeString:
    """One step of the breadcrumb: linked to a URL name or path, or the current place."""
    if not target:
        return format_html('<li class="breadcrumb-item active" aria-current="page">{}</li>', label)
    url = target if target.startswith("/") else reverse(target, args=args)
    return format_html('<li class="breadcrumb-item"><a href="{}">{}</a></li>', url, label)


@register.simple_tag
def note_parts(kind: str) -> dict:
    """Class, icon and ARIA role of a note of this kind."""
    css, icon_name, role = NOTE_KINDS[kind]
    return {"css": css, "icon": icon_name, "role": role}


def _text(content: SafeString) -> str:
    """The content, or nothing when it is only white space. strip() would unmark it as safe."""
    return content if content.strip() else ""
