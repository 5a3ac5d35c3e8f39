"""Tags of the registry's pages: ages in words, and identifiers that show only their mask."""

from django import template

from fpadmin.ui.templatetags.ui import NOTHING
from households.forms.residents import RevealForm
from households.models import Resident
from households.presenters import age_words, ethnic_group_word, marks_of, mask_of
from households.services import REVEALABLE

register = template.Library()
LABELS = {name: str(Resident._meta.get_field(name).verbose_name) for name in REVEALABLE}


@register.filter
def age_at(born, day) -> str:
    """35岁, 4个月, 12天"""
    age = age_words(born, day)
    return f"{age}岁" if age.isdigit() else age


@register.filter
def age_cell(born, day) -> str:
    """35, 4个月: for a column headed 年龄."""
    return age_words(born, day)


@register.filter
def ethnic_group(resident) -> str:
    """汉族, 其他, or — where it is not known."""
    return ethnic_group_word(resident.ethnicity) or NOTHING


@register.filter
def marks(resident) -> list[str]:
    """Properties of a person: certificate, disability, death."""
    return marks_of(resident)


@register.filter
def identifier_label(name: str) -> str:
    """What the identifier is called."""
    return LABELS.get(name, name)


@register.inclusion_tag("households/_masked.html", takes_context=True)
def masked(context, resident, name: str) -> dict:
    """An identifier as its mask, with the eye that asks for a reason where the role may see it."""
    stored = getattr(resident, name)
    return {
        "resident": resident,
        "field": name,
        "label": LABELS[name],
        "shown": mask_of(name, stored) if stored else NOTHING,
        "can_reveal": bool(stored) and context.get("can_reveal", False),
        "reasons": RevealForm.REASONS,
        "csrf_token": context.get("csrf_token"),
    }
