"""Who waits to be seen, and what was found, for the home page."""

from datetime import date
from urllib.parse import urlencode

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.todos import Todo, TodoSource, register
from subsidies.meetings import due_list, record_list, waiting
from subsidies.models import Meeting


def items(user, day: date) -> list[Todo]:
    """For a village who is to be seen; for the clerk what is late, and what has to be looked into."""
    if not user.may(Permission.PAYMENT_VIEW):
        return [_own(user, day)]
    late = waiting.overdue(waiting.waiting(user), day).order_by()
    held = Meeting.objects.visible_to(user)
    people = late.values("beneficiary").distinct().count()
    villages = late.values("village").distinct().count()
    records = reverse("subsidies:meeting-record-list")
    return [
        Todo(
            "见面核实逾期", people, _list(state=due_list.OVERDUE), "bad", "已逾期",
            f"涉及{villages}个村，到账后15个工作日内要见到本人。", "去查看",
        ),
        Todo(
            "见面核实：资金没有收到", held.not_received().order_by().count(),
            f"{records}?{urlencode({'state': record_list.DOUBT})}",
            "warn", "待查实", "查银行流水后写明查实情况。", "去查实",
        ),
        Todo(
            "见面核实：发现去世", held.deaths().order_by().count(),
            f"{records}?{urlencode({'state': record_list.DEAD})}",
            "warn", "户籍未登记", "死亡登记请按户籍程序办理，退出另行审核。", "去查看",
        ),
    ]  # fmt: skip


def waiting_count(user) -> int:
    """How many people `user` is to see, for the menu of a village."""
    if not user.may(Permission.PAYMENT_VILLAGE) or user.may(Permission.PAYMENT_VIEW):
        return 0
    return _count(waiting.waiting(user))


def _own(user, day: date) -> Todo:
    everybody = waiting.waiting(user)
    count, late = _count(everybody), _count(waiting.overdue(everybody, day))
    return Todo(
        "待见面核实", count, _list(), "bad" if late else "wait",
        f"逾期{late}人" if late else "待见面",
        f"{count}人待见面核实，其中{late}人逾期。" if late else "资金到账后15个工作日内见到本人。",
        "去登记",
    )  # fmt: skip


def _count(lines) -> int:
    return lines.order_by().values("beneficiary").distinct().count()


def _list(**query) -> str:
    page = reverse("subsidies:meeting-list")
    return f"{page}?{urlencode(query)}" if query else page


def load() -> None:
    """Register the source. Called once, by ready()."""
    register(TodoSource("meetings", Permission.PAYMENT_VILLAGE, items, order=46))
