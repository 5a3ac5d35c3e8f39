"""Tags of the benefits' pages."""

from django import template

from fpadmin.accounts.permissions import Permission

register = template.Library()


@register.inclusion_tag("subsidies/_eligibility_tabs.html", takes_context=True)
def eligibility_tabs(context, tab: str) -> dict:
    """The tabs of 资格核查 that the user may open; `tab` (list, outlook, scenario) is the current one."""
    return {"tab": tab, "may_budget": context["request"].user.may(Permission.BENEFIT_BUDGET)}
