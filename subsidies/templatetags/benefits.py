"""Tags of the benefits' pages."""

from django import template

from fpadmin.accounts.permissions import Permission
from subsidies.policies.book import documents_in

register = template.Library()


@register.filter
def documents(document: str) -> str:
    """The documents of one text in a line, as Chinese parts them."""
    return "、".join(documents_in(document or ""))


@register.inclusion_tag("subsidies/_eligibility_tabs.html", takes_context=True)
def eligibility_tabs(context, tab: str) -> dict:
    """The tabs of 资格核查 that the user may open; `tab` (list, outlook, scenario) is the current one."""
    return {"tab": tab, "may_budget": context["request"].user.may(Permission.BENEFIT_BUDGET)}
