"""Tags of the payments' pages."""

from django import template
from django.urls import reverse

from fpadmin.accounts.permissions import Permission

register = template.Library()

# (key, label, route, permission) of the tabs of 资金发放.
TABS = (
    ("batches", "发放批次", "subsidies:batch-list", Permission.PAYMENT_VIEW),
    ("funds", "资金台账", "subsidies:fund-list", Permission.PAYMENT_VIEW),
    ("exceptions", "回盘异常", "subsidies:exception-list", Permission.PAYMENT_VIEW),
    ("accounts", "账户更正", "subsidies:account-list", Permission.PAYMENT_VILLAGE),
    ("recoveries", "追回", "subsidies:recovery-list", Permission.PAYMENT_VIEW),
    ("persons", "经手人数", "subsidies:persons-list", Permission.PAYMENT_VIEW),
    ("layouts", "银行文件格式", "subsidies:layout-list", Permission.PAYMENT_VIEW),
)


@register.inclusion_tag("subsidies/_batch_tabs.html", takes_context=True)
def payment_tabs(context, tab: str) -> dict:
    """The tabs of 资金发放 that the user may open; `tab` is the key of the current one."""
    user = context["request"].user
    return {
        "tab": tab,
        "tabs": [
            (key, label, reverse(route)) for key, label, route, permission in TABS
            if user.may(permission)
        ],
    }  # fmt: skip
