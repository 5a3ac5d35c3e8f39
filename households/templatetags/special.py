"""Tags and filters of the special families' pages."""

from django import template

from households.special import family_section

register = template.Library()


@register.simple_tag(takes_context=True)
def archive_section(context, part) -> str:
    """One part of an archive, drawn by its own template; see households/special/sections.py."""
    drawn = context.template.engine.get_template(part.section.template)
    with context.push(**part.context, section=part.section):
        return drawn.render(context)


@register.filter
def child_state(child) -> str:
    """2012-05-06去世, 存活: without any illness."""
    return family_section.child_state(child)


@register.filter
def low_income_words(spell) -> str:
    """2017-01-01起享受, 不享受."""
    return family_section.low_income_words(spell)
