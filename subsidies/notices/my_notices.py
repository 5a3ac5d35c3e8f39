"""What waits at the board, for the home page: to be posted, over, objected to."""

from urllib.parse import urlencode

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.todos import Todo, TodoSource, register
from subsidies.models import Notice, Objection
from subsidies.notices import hanging

NOTICES = "subsidies:notice-list"


def items(user, day) -> list[Todo]:
    """In three queries."""
    page = reverse(NOTICES)
    over = Notice.objects.visible_to(user).filter(hanging.in_state(hanging.OVER, day))
    disputes = Objection.objects.visible_to(user).filter(outcome="")
    return [
        Todo(
            "申请待张贴公示", hanging.waiting(user).order_by().count(), reverse("subsidies:notice-create"),
            "wait", "待张贴", "打印公示表，贴出后登记张贴日期。", "去张贴",
        ),
        Todo(
            "公示期满待结束", over.order_by().count(), f"{page}?{urlencode({'state': hanging.OVER})}",
            "warn", "期满待结束", "没有异议的，结束公示后转乡镇初审。",
        ),
        Todo(
            "公示异议待处理", disputes.order_by().count(), f"{page}?disputed=open",
            "warn", "待核实", "核实前申请不能转下一步。",
        ),
    ]  # fmt: skip


def load() -> None:
    """Register the source. Called once, by ready()."""
    register(TodoSource("notices", Permission.BENEFIT_VILLAGE, items, order=43))
