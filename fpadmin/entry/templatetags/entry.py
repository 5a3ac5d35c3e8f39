"""{% entry %} and {% once %}: what a form carries so that it is kept while typing and saves once."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from fpadmin.entry import pages

register = template.Library()


@register.simple_tag(takes_context=True)
def once(context) -> SafeString:
    """The token of a page under @once."""
    return format_html(
        '<input type="hidden" name="once" value="{}">', pages.page_token(context["request"])
    )


@register.inclusion_tag("entry/_entry.html", takes_context=True)
def entry(context) -> dict:
    """The token, and the bar that offers or tells of a draft. Belongs inside the form, on top."""
    page = context["request"].entry
    query = context["request"].GET.copy()
    links = {}
    for wish in (pages.RESTORE, pages.DISCARD):
        query["draft"] = wish
        links[wish] = f"?{query.urlencode()}"
    return {"page": page, "links": links}
