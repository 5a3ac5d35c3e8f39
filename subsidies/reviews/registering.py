"""What the reviews tell the platform: events of the trail, lists, and what waits."""

from datetime import date

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.ui import todos
from fpadmin.ui.todos import Todo, TodoSource
from subsidies.reviews import line_list, overview, turnover_list
from subsidies.services import reviews, rosters


def load() -> None:
    """Register them. Called once, by ready()."""
    register_types(reviews.EVENT_TYPES, reviews.CHANGE_LABELS)
    register_types(rosters.EVENT_TYPES, rosters.CHANGE_LABELS)
    line_list.load()
    turnover_list.load()
    todos.register(TodoSource("annual-reviews", Permission.BENEFIT_EDIT, todos_of, order=45))


def todos_of(user, day: date) -> list[Todo]:
    """What open reviews still ask of the office, and last year's that nobody has begun."""
    url, last = reverse("subsidies:review-list"), day.year - 1
    return [
        Todo("年审对象未处理", overview.open_lines(user), url, "wait", "待处理", act="去处理"),
        Todo(
            f"{last}年度年审还没有做的政策",
            overview.not_made(user, day),
            f"{url}?year={last}",
            "warn",
            "未开始",
            act="去年审",
        ),
    ]
