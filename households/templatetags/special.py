"""Tags of the special families' pages."""

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def archive_section(context, part) -> str:
    """One part of an archive, drawn by its own template; see households/special/sections.py."""
    drawn = context.template.engine.get_template(part.section.template)
    with context.push(**part.context, section=part.section):
        return drawn.render(context)
