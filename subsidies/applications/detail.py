"""The page of one application: what it says, who did what, and whose turn it is."""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from fpadmin.accounts.permissions import Permission
from subsidies.applications import papers
from subsidies.applications.application_list import number_words, state_tag
from subsidies.applications.looking import Looked, look
from subsidies.applications.steps import (
    ACTIONS,
    NEXT,
    is_own,
    may_decide,
    may_edit,
    progress,
    waiting_words,
)
from subsidies.eligibility.explaining import Outcome
from subsidies.eligibility.masking import NO_OTHER, NOT_TOLD
from subsidies.eligibility.predicates import EXCLUDES
from subsidies.models import (
    OPEN_STATES,
    Application,
    ApplicationState,
    ApplicationStep,
    Enrolment,
)
from subsidies.notices import terms
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.policies.seeing import sees_sensitive

State = ApplicationState


@dataclass(frozen=True)
class Happening:
    """One step for _components/timeline.html."""

    day: date
    title: str
    text: str
    by: str
    strong: bool = False


def heading(user, application: Application, today: date) -> dict:
    """What every page of an application says on top."""
    steps = list(application.steps.select_related("by"))
    return {
        "application": application,
        "resident": application.resident,
        "policy_name": catalogue.name_of(application.policy_code),
        "number": number_words(application.pk, application.applied_on),
        "tag": state_tag(application),
        "next": NEXT[application.state],
        "waiting": waiting_words(application, today, terms.changes()),
        "progress": progress(
            application, steps, with_notice=_has_notice(application, steps, today)
        ),
        "history": [_happening(step) for step in reversed(steps)],
        "last_return": _last_return(application, steps),
        "can_reveal": user.may(Permission.IDENTITY_REVEAL),
    }


def context(user, application: Application, today: date) -> dict:
    """The whole page: as of today while it is under way, else as it was decided."""
    looked = look(application, today, user=user) if application.state in OPEN_STATES else None
    criteria = looked.criteria if looked else _as_decided(user, application)
    decides = may_decide(user, application)
    own = decides and is_own(user, application)
    kinds = papers.kinds_for(user, application)
    hanging = terms.term_over(application, today) if application.state == State.NOTICE else None
    return heading(user, application, today) | {
        "looked": looked,
        "criteria": criteria,
        "is_meeting": looked.is_meeting if looked else all(one.holds for one in criteria),
        "as_of": looked.case.day if looked else application.decision.get("as_of", ""),
        "rule": looked.rule if looked else None,
        "facts": list(application.attested.items()),
        "papers": papers.papers_of(application),
        "removable": kinds,
        "can_add": bool(papers.addable_for(user, application)),
        "can_edit": may_edit(user, application),
        "is_own": own,
        "can_pass": decides and not own and not hanging,
        "hanging": hanging,
        "can_return": decides,
        "can_refuse": decides and not own and application.state == State.COUNTY,
        "is_on_notice": application.state == State.NOTICE,
        "notices": terms.notices_of(application),
        "warnings": _warnings(looked),
        "enrolment": Enrolment.objects.visible_to(user).filter(application=application).first(),
        "can_post": application.state == State.NOTICE
        and user.may(Permission.BENEFIT_VILLAGE)
        and terms.live_line(application) is None,
    }


def last_reason(application: Application) -> str:
    """Why it was sent back last, "" where it wasn't or was sent on since."""
    return _last_return(application, list(application.steps.all())).get("reason", "")


def _last_return(application: Application, steps: list[ApplicationStep]) -> dict:
    """Who sent it back or refused it, when and why, while that is how it stands."""
    if application.state not in (State.RETURNED, State.REFUSED):
        return {}
    step = next((s for s in reversed(steps) if s.action in ("return", "refuse")), None)
    return {"reason": step.reason, "by": step.by.name, "at": step.at} if step else {}


def _has_notice(application: Application, steps: list[ApplicationStep], today: date) -> bool:
    """Whether its way leads over a public notice: as it went, else as the rule has it now."""
    passed = [step.action for step in steps if step.from_state == State.VILLAGE]
    if passed and passed[-1].startswith("pass"):
        return passed[-1] == "pass"
    path = application.resident.village.path
    return policy_book(today).rule(application.policy_code, path).notice_days > 0


def _happening(step: ApplicationStep) -> Happening:
    stage = State(step.from_state).label if step.from_state else ""
    title = ACTIONS[step.action]
    if stage and step.action not in ("submit", "withdraw"):
        title = f"{stage.removeprefix('待')}：{title}"
    return Happening(
        timezone.localtime(step.at).date(), title, step.reason, step.by.name,
        strong=step.action in ("return", "refuse"),
    )  # fmt: skip


def _as_decided(user, application: Application) -> list[Outcome]:
    """The criteria as they stood when it was last sent on.

    One that was confirmed is kept off by no roll; of the others it stays open to who may not know.
    """
    hides = not sees_sensitive(user) and application.state != State.CONFIRMED
    document = application.decision.get("document", "")
    return [
        Outcome(EXCLUDES, NO_OTHER, None, NOT_TOLD, document)
        if hides and one["key"] == EXCLUDES
        else Outcome(one["key"], one["text"], one["holds"], one["value"], document)
        for one in application.decision.get("criteria", [])
    ]


def _warnings(looked: Looked | None) -> list[str]:
    """What somebody should look at before it goes on."""
    if looked is None:
        return []
    said = [] if looked.rule.is_on else [f"这里没有启用“{looked.rule.policy.name}”"]
    said += [f"不符合：{one}" for one in looked.failing]
    said += [f"还没有填写证明事项：{one}" for one in looked.unproved]
    said += looked.conflicts
    if looked.missing:
        said.append("缺材料：" + "、".join(looked.missing))
    return said
