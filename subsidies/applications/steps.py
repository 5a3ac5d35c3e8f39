"""Whose turn it is: which step asks for which permission, who may not take it, and what to say of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import F, Q
from django.utils import timezone

from fpadmin.accounts.permissions import Permission
from fpadmin.workdays import is_workday, workdays_between
from subsidies.models import Application, ApplicationState, ApplicationStep
from subsidies.notices.terms import changes
from subsidies.policies import catalogue

State = ApplicationState
OVERDUE_AFTER = 5  # working days that one step may take
# A public notice has a term of its own; an unsent form keeps nobody waiting.
TIMED = (State.RETURNED, State.VILLAGE, State.TOWNSHIP, State.COUNTY)
PERMISSIONS = {
    State.VILLAGE: Permission.BENEFIT_VILLAGE,
    State.NOTICE: Permission.BENEFIT_VILLAGE,
    State.TOWNSHIP: Permission.BENEFIT_REVIEW,
    State.COUNTY: Permission.BENEFIT_CONFIRM,
}
# Who passed which step. The notice has nobody: its term decides, not a person.
PASSED_BY = {
    State.VILLAGE: "village_passed_by",
    State.TOWNSHIP: "township_passed_by",
    State.COUNTY: "county_passed_by",
}
OWN = "这份申请由您经办或者您已审过一步，请换一位同事办理。"
NEXT = {
    State.DRAFT: "填写中，补齐后由经办人提交",
    State.RETURNED: "等经办人按退回意见修改后再次提交",
    State.VILLAGE: "等村级评议：本村宣传员，或者提交人以外的镇（街道）经办",
    State.NOTICE: "公示中，期满没有异议后转乡镇初审",
    State.TOWNSHIP: "等乡镇（街道）审核人员初审",
    State.COUNTY: "等县级主管确认",
    State.CONFIRMED: "已办结，已列入在册对象",
    State.REFUSED: "已办结，不予确认",
    State.WITHDRAWN: "已撤销",
}
TAGS = {
    State.DRAFT: "wait", State.RETURNED: "warn", State.VILLAGE: "run", State.NOTICE: "run",
    State.TOWNSHIP: "run", State.COUNTY: "run", State.CONFIRMED: "ok", State.REFUSED: "off",
    State.WITHDRAWN: "off",
}  # fmt: skip
RETURN_PHRASES = (
    "身份证、户口簿照片不清楚，请重拍后上传。",
    "缺少独生子女证或生育证明，请补充。",
    "缺少证明材料，请补充后再报。",
    "子女情况和登记不一致，请核实后更正登记。",
    "婚姻状况和登记不一致，请核实后更正登记。",
    "户口情况需要核实，请补充户口簿或派出所证明。",
    "村级评议或公示材料不全，请补齐。",
)
ACTIONS = {
    "create": "登记申请", "edit": "修改", "submit": "提交", "pass": "通过",
    "pass_without_notice": "通过，不用公示", "return": "退回", "refuse": "不予确认",
    "withdraw": "撤销",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step for _components/steps.html."""

    label: str
    note: str
    state: str


def may_decide(user, application: Application) -> bool:
    """Whether the step that the application waits for is the user's by role."""
    permission = PERMISSIONS.get(application.state)
    return permission is not None and user.may(permission)


def is_own(user, application: Application) -> bool:
    """Whether the user submitted it or has passed a step of it: the next is somebody else's."""
    if application.state == State.NOTICE:
        return False
    return user.pk in {
        application.submitted_by_id,
        application.village_passed_by_id,
        application.township_passed_by_id,
    }


def may_edit(user, application: Application) -> bool:
    """Whether the user may change, submit or withdraw it now."""
    return application.state in (State.DRAFT, State.RETURNED) and user.may(Permission.BENEFIT_APPLY)


def waits_for(user, day: date) -> Q:
    """Applications that this user is to see to: own forms, and steps that are nobody else's first.

    The village reviews what others made; the township what a village made, what only few may see,
    and what a village has left lying.
    """
    own = Q(pk__in=[])
    if user.may(Permission.BENEFIT_APPLY):
        own |= Q(state=State.DRAFT, created_by=user) | Q(state=State.RETURNED, submitted_by=user)
    if user.may(Permission.BENEFIT_VILLAGE):
        village = Q(state=State.VILLAGE) & ~Q(submitted_by=user)
        if user.region.level < user.region.Level.VILLAGE:
            village &= (
                Q(submitted_by__region=F("resident__village"))
                | Q(policy_code__in=catalogue.sensitive_codes())
                | overdue(day)
            )
        own |= village
    for state, permission in PERMISSIONS.items():
        if state in (State.TOWNSHIP, State.COUNTY) and user.may(permission):
            own |= (
                Q(state=state)
                & _not_by("submitted_by", user)
                & _not_by("village_passed_by", user)
                & _not_by("township_passed_by", user)
            )
    return own


def overdue(day: date) -> Q:
    """Applications that have waited for a step longer than OVERDUE_AFTER working days."""
    last = _last_overdue(day)
    end = timezone.make_aware(datetime.combine(last + timedelta(days=1), time.min))
    return Q(state__in=TIMED, waiting_since__lt=end)


def waiting_words(application: Application, day: date, changed: dict[date, bool]) -> str:
    """今天 or 等了3天, with 逾期2个工作日; "" where nothing waits."""
    if application.waiting_since is None or application.state not in (*TIMED, State.NOTICE):
        return ""
    since = timezone.localtime(application.waiting_since).date()
    days = max((day - since).days, 0)
    words = f"等了{days}天" if days else "今天收到"
    late = days_late(application, day, changed)
    return f"{words}，逾期{late}个工作日" if late else words


def days_late(application: Application, day: date, changed: dict[date, bool]) -> int:
    """Working days beyond OVERDUE_AFTER that the step has taken."""
    if application.waiting_since is None or application.state not in TIMED:
        return 0
    since = timezone.localtime(application.waiting_since).date()
    return max(workdays_between(since, day, changed) - OVERDUE_AFTER, 0)


def progress(
    application: Application, steps: Iterable[ApplicationStep], *, with_notice: bool
) -> list[Step]:
    """The way from application to confirmation, with who passed what in this round."""
    taken = this_round(steps)
    stations = [
        (State.DRAFT, "提交申请"), (State.VILLAGE, "村级评议"), (State.NOTICE, "公示"),
        (State.TOWNSHIP, "乡镇初审"), (State.COUNTY, "县级确认"),
    ]  # fmt: skip
    if not with_notice:
        stations = [one for one in stations if one[0] != State.NOTICE]
    state = State.DRAFT if application.state == State.RETURNED else application.state
    made = []
    for station, label in stations:
        step = taken.get(station)
        if station == state:
            made.append(Step(label, "现在", "now"))
        elif step:
            day = timezone.localtime(step.at)
            made.append(Step(label, f"{step.by.name}　{day:%m-%d}", "done"))
        else:
            made.append(Step(label, "", ""))
    return made


def this_round(steps: Iterable[ApplicationStep]) -> dict[str, ApplicationStep]:
    """The forward steps since it was last submitted, by the state they led out of."""
    taken: dict[str, ApplicationStep] = {}
    for step in sorted(steps, key=lambda one: one.pk):
        if step.action == "submit":
            taken = {State.DRAFT: step}
        elif step.action.startswith("pass"):
            taken[step.from_state] = step
        elif step.action == "return":
            taken = {}
    return taken


def _not_by(field: str, user) -> Q:
    return Q(**{f"{field}__isnull": True}) | ~Q(**{field: user})


def _last_overdue(day: date) -> date:
    """The latest day of arrival that makes a step overdue on `day`."""
    changed = changes()
    worked = 0
    while worked <= OVERDUE_AFTER:
        worked += is_workday(day, changed)
        day -= timedelta(days=1)
    return day
