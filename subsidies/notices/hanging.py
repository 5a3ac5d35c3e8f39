"""What hangs, what is over, and what waits to be posted."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from fpadmin.accounts.models import Region
from subsidies.models import Application, ApplicationState, Notice, NoticeLine, Objection
from subsidies.notices import terms
from subsidies.policies import catalogue

HANGING, OVER, ENDED = "hanging", "over", "ended"
STATES = {HANGING: "公示中", OVER: "期满待结束", ENDED: "已结束"}


@dataclass(frozen=True)
class Group:
    """Applications of one village and policy that wait to be posted."""

    village: Region
    policy_code: str
    count: int

    @property
    def policy_name(self) -> str:
        return catalogue.name_of(self.policy_code)


def in_state(state: str, day: date) -> Q:
    """Notices that hang on `day`, are over but not ended, or were ended."""
    return {
        HANGING: Q(closed_on__isnull=True, ends_on__gte=day),
        OVER: Q(closed_on__isnull=True, ends_on__lt=day),
        ENDED: Q(closed_on__isnull=False),
    }[state]


def state_of(notice: Notice, day: date) -> str:
    """The key of STATES, as in_state() has it."""
    if notice.closed_on:
        return ENDED
    return HANGING if day <= notice.ends_on else OVER


def tag_of(notice: Notice, day: date, changed: dict[date, bool]) -> tuple[str, str]:
    """Kind and words of its status tag."""
    state = state_of(notice, day)
    if state != HANGING:
        return ("ok" if state == ENDED else "warn"), STATES[state]
    left = terms.days_left(notice, day, changed)
    return ("run", f"还剩{left}个工作日") if left else ("warn", "今天是最后一天")


def waiting(user) -> QuerySet[Application]:
    """Applications past the village's review that no notice carries yet."""
    there = Application.objects.visible_to(user).filter(state=ApplicationState.NOTICE)
    return there.filter(~terms.carried())


def waiting_groups(user) -> list[Group]:
    """The same by village and policy, villages in their order."""
    counted = (
        waiting(user)
        .order_by()
        .values("resident__village", "policy_code")
        .annotate(number=Count("pk"))
        .order_by("resident__village__path", "policy_code")
    )
    rows = list(counted)
    places = {row["resident__village"] for row in rows}
    villages = Region.objects.visible_to(user).select_related("parent").in_bulk(places)
    return [
        Group(villages[row["resident__village"]], row["policy_code"], row["number"]) for row in rows
    ]


def last_phone(user, village: Region) -> str:
    """The office's line on the township's newest notice: most likely the next one's too."""
    notices = Notice.objects.visible_to(user).filter(village__parent=village.parent_id)
    return notices.order_by("-pk").values_list("phone", flat=True).first() or ""


def for_list(user) -> QuerySet[Notice]:
    """With `people` (lines that the user sees and that weren't taken off) and `disputes` (open ones)."""
    lines = NoticeLine.objects.visible_to(user).filter(removed_on__isnull=True)
    disputes = Objection.objects.visible_to(user).filter(outcome="")
    return Notice.objects.visible_to(user).annotate(
        people=_number_of(lines), disputes=_number_of(disputes)
    )


def lines_of(user, notice: Notice) -> QuerySet[NoticeLine]:
    """The lines that the user sees, with their people and `is_disputed`, as the sheet orders them."""
    lines = NoticeLine.objects.visible_to(user).filter(notice=notice)
    return (
        lines.select_related("application__resident__household__group")
        .annotate(is_disputed=terms.disputed())
        .order_by("application__resident__household__number", "application__resident", "pk")
    )


def objections_of(user, notice: Notice) -> QuerySet[Objection]:
    """Objections against what the user sees of the notice; the open ones first."""
    objections = Objection.objects.visible_to(user).filter(notice=notice)
    people = objections.select_related("application__resident", "recorded_by", "decided_by")
    return people.order_by("outcome", "-raised_on", "-pk")


def _number_of(parts: QuerySet) -> Coalesce:
    """How many of `parts` belong to the notice of the outer query."""
    own = parts.filter(notice=OuterRef("pk")).order_by().values("notice")
    counted = own.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
