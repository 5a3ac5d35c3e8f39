"""Applications: made, edited, submitted, passed from the village to the county, sent back, refused.

Only the steps of models.TRANSITIONS; each locks the row and looks at its state again, so that of many
at once one is taken.
"""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import IntegrityError, transaction

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households.models import Resident
from households.services.scope import require_visible
from subsidies.applications.looking import (
    Looked,
    already_on,
    applicant_of,
    book_for,
    facts_to_attest,
    in_whose_name,
    look,
    start_month,
)
from subsidies.applications.steps import OWN, PASSED_BY, is_own, may_decide
from subsidies.eligibility.explaining import as_record
from subsidies.models import TRANSITIONS, Application, ApplicationState, ApplicationStep
from subsidies.notices import terms
from subsidies.policies.book import Rule
from subsidies.policies.seeing import codes_for
from subsidies.services.enrolments import enrol

EVENT_TYPES = {
    "application.created": "登记待遇申请",
    "application.edited": "修改待遇申请",
    "application.submitted": "提交待遇申请",
    "application.passed": "通过待遇申请",
    "application.returned": "退回待遇申请",
    "application.refused": "不予确认待遇申请",
    "application.withdrawn": "撤销待遇申请",
}
ALREADY = "这位居民的同一申请还在办理，不能再申请一次。"
TAKEN_MEANWHILE = "这份申请已经不在这一步，可能刚被别人办理。请重新打开查看。"
NOT_YOUR_STEP = "这一步不由您的岗位办理。"
NO_REASON = "请写明退回的原因，让经办人知道怎么改。"
NO_REFUSAL_REASON = "请写明不予确认的理由。"
NOTE_NEEDED = "按登记情况不符合条件，手工登记要写明理由。"
_STEP_EVENTS = {
    "submit": "application.submitted", "return": "application.returned",
    "refuse": "application.refused", "withdraw": "application.withdrawn",
}  # fmt: skip


@transaction.atomic
def create_application(
    *,
    by,
    resident: Resident,
    policy_code: str,
    applied_on: date,
    grade: str = "",
    attested: Mapping[str, str] | None = None,
    note: str = "",
    by_rule: bool = True,
    today: date,
    now: datetime,
) -> Application:
    """A form of its own for one person and policy, not yet sent on.

    Refuses a policy that is not on in the place, is closed, or may not be named to `by`; a second open
    application; somebody in whose name the policy isn't applied for, or who draws it already. `by_rule`
    is False for one made by hand of somebody who doesn't qualify by the records: that needs a note.
    """
    require_visible(Resident.objects.visible_to(by), resident)
    if resident.merged_into_id:
        raise RuleViolation("这份居民记录已经并入另一份，请到保留的那份办理。")
    if policy_code not in codes_for(by):
        raise RuleViolation("您的岗位不能办理这项政策的申请。", field="policy")
    rule = book_for(policy_code, today).rule(policy_code, resident.village.path)
    _refuse_closed(rule)
    _refuse_other_applicant(resident, rule)
    fault = already_on(by, resident, policy_code, today)
    if fault:
        raise RuleViolation(f"{fault}。", field="policy")
    if not by_rule and not note:
        raise RuleViolation(NOTE_NEEDED, field="note")
    values = _checked(rule, applied_on, grade, attested or {}, today)
    try:
        with transaction.atomic():
            application = Application.objects.create(
                policy_code=policy_code,
                resident=resident,
                note=note,
                by_rule=by_rule,
                version=rule.version,
                created_by=by,
                **values,
            )
    except IntegrityError:
        raise RuleViolation(ALREADY, field="policy") from None
    require_visible(Application.objects.visible_to(by), application)
    _step(application, "create", "", by, now)
    _record("application.created", application, by, {"state": ["", application.state]})
    return application


@transaction.atomic
def edit_application(
    *,
    by,
    application: Application,
    row_version: int,
    applied_on: date,
    grade: str = "",
    attested: Mapping[str, str] | None = None,
    note: str = "",
    by_rule: bool,
    today: date,
    now: datetime,
) -> Application:
    """Correct one that was not sent on or was sent back. Who applies for what stays."""
    claim(application, row_version)
    application = _locked(application)
    require_visible(Application.objects.visible_to(by), application)
    _refuse_state(application, ("draft", "returned"))
    rule = _rule(application, today)
    if not by_rule and not note:
        raise RuleViolation(NOTE_NEEDED, field="note")
    new = _checked(rule, applied_on, grade, attested or {}, today)
    new |= {"note": note, "by_rule": by_rule}
    changed = sorted(name for name, value in new.items() if getattr(application, name) != value)
    for name, value in new.items():
        setattr(application, name, value)
    application.save(update_fields=list(new))
    _record("application.edited", application, by, {"fields": changed})
    return application


@transaction.atomic
def submit(*, by, application: Application, today: date, now: datetime) -> Application:
    """Send it to the village. Judged anew; the passes of an earlier round are cleared.

    Refuses what the records contradict, unless it was made by hand with a note; a fact that no paper
    proves; and whoever is kept off the roll by another.
    """
    application = _open(by, application, "submit")
    looked = _judged(by, application, today, must_qualify=application.by_rule)
    application.submitted_by = by
    for name in PASSED_BY.values():
        setattr(application, name, None)
    return _move(by, application, "submit", now, looked=looked, saved=_SUBMITTED)


@transaction.atomic
def pass_step(
    *, by, application: Application, today: date, now: datetime, opinion: str = ""
) -> Application:
    """One step forward; at the county onto the roll.

    Refuses whoever isn't asked at this step, submitted it or passed a step before; what the records
    contradict now; and a notice whose term isn't over.
    """
    application = _open(by, application, "pass")
    _refuse_actor(by, application)
    state = application.state
    if state == ApplicationState.NOTICE:
        reason = terms.term_over(application, today)
        if reason:
            raise RuleViolation(reason)
    looked = _judged(
        by,
        application,
        today,
        must_qualify=application.by_rule or state == ApplicationState.COUNTY,
    )
    if state in PASSED_BY:
        setattr(application, PASSED_BY[state], by)
    action = "pass"
    if state == ApplicationState.VILLAGE and looked.rule.notice_days == 0:
        action = "pass_without_notice"
    saved = [PASSED_BY[state]] if state in PASSED_BY else []
    _move(by, application, action, now, looked=looked, saved=saved, reason=opinion)
    if application.state == ApplicationState.CONFIRMED:
        enrol(
            by=by,
            resident=application.resident,
            policy_code=application.policy_code,
            start_month=application.start_month,
            grade=application.grade,
            application=application,
            version=application.version,
            decision=application.decision,
        )
    return application


@transaction.atomic
def return_step(
    *, by, application: Application, reason: str, today: date, now: datetime
) -> Application:
    """Back to whoever submitted it, with the reason. A notice that it hung on is for it no more."""
    application = _open(by, application, "return")
    _refuse_role(by, application)
    if not reason:
        raise RuleViolation(NO_REASON, field="reason")
    terms.take_off(application, today)
    return _move(by, application, "return", now, reason=reason)


@transaction.atomic
def refuse(*, by, application: Application, reason: str, now: datetime) -> Application:
    """The county's no, with the reason, for good; a new application may be made."""
    application = _open(by, application, "refuse")
    _refuse_actor(by, application)
    if not reason:
        raise RuleViolation(NO_REFUSAL_REASON, field="reason")
    return _move(by, application, "refuse", now, reason=reason)


@transaction.atomic
def withdraw(*, by, application: Application, now: datetime, reason: str = "") -> Application:
    """Given up before it was sent on, or after it came back."""
    application = _open(by, application, "withdraw")
    return _move(by, application, "withdraw", now, reason=reason)


_SUBMITTED = ["submitted_by", *PASSED_BY.values()]


def _open(by, application: Application, action: str) -> Application:
    """The locked row, where it is the writer's to see, still in the state that they saw, and the action
    leads out of that.
    """
    seen, application = application.state, _locked(application)
    require_visible(Application.objects.visible_to(by), application)
    _refuse_state(application, [seen])
    _refuse_state(application, [state for state, ways in TRANSITIONS.items() if action in ways])
    return application


def _locked(application: Application) -> Application:
    Application.objects.select_for_update().values_list("pk").get(pk=application.pk)
    return Application.objects.select_related(
        "resident__village", "resident__household", "resident__spouse", "version"
    ).get(pk=application.pk)


def _judged(by, application: Application, today: date, *, must_qualify: bool) -> Looked:
    _rule(application, today)
    looked = look(application, today, user=by)
    if must_qualify and looked.failing:
        raise RuleViolation("按现在的登记不符合条件：" + "；".join(looked.failing) + "。")
    if looked.unproved:
        raise RuleViolation("还没有填写证明事项：" + "；".join(looked.unproved) + "。")
    if looked.conflicts:
        raise RuleViolation("；".join(looked.conflicts).rstrip("。") + "。")
    return looked


def _move(
    by, application: Application, action: str, now: datetime, *, looked: Looked | None = None,
    saved=(), reason: str = "",
) -> Application:  # fmt: skip
    before = application.state
    application.state = TRANSITIONS[before][action]
    application.waiting_since = now
    application.row_version += 1  # the row is locked; a form opened before shows both versions
    fields = ["state", "waiting_since", "row_version", *saved]
    if looked is not None:
        application.decision = as_record(looked.case)
        application.version = looked.rule.version
        application.start_month = start_month(application, looked, user=by)
        fields += ["decision", "version", "start_month"]
    application.save(update_fields=fields)
    _step(application, action, before, by, now, reason)
    type_ = _STEP_EVENTS.get(action, "application.passed")
    _record(type_, application, by, {"state": [before, application.state]})
    return application


def _checked(
    rule: Rule, applied_on: date, grade: str, attested: Mapping[str, str], today: date
) -> dict:
    if applied_on > today:
        raise RuleViolation("申请日期不能晚于今天。", field="applied_on")
    if rule.policy.grades and grade not in rule.policy.grades:
        known = "、".join(rule.policy.grades)
        raise RuleViolation(f"请选择等级或学段：{known}。", field="grade")
    asked = facts_to_attest(rule)
    return {
        "applied_on": applied_on,
        "grade": grade if rule.policy.grades else "",
        "attested": {what: attested[what] for what in asked if attested.get(what)},
    }


def _rule(application: Application, today: date) -> Rule:
    code = application.policy_code
    rule = book_for(code, today).rule(code, application.resident.village.path)
    _refuse_closed(rule)
    return rule


def _refuse_closed(rule: Rule) -> None:
    if rule.policy.closed:
        raise RuleViolation(f"“{rule.policy.name}”已停止受理，只保留历史记录。", field="policy")
    if not rule.is_on:
        raise RuleViolation(f"这里没有启用“{rule.policy.name}”，不能申请。", field="policy")


def _refuse_other_applicant(resident: Resident, rule: Rule) -> None:
    applicant = applicant_of(resident, rule.policy)
    if applicant is None or applicant.pk != resident.pk:
        raise RuleViolation(in_whose_name(rule, applicant), field="policy")


def _refuse_state(application: Application, states) -> None:
    if application.state not in states:
        raise RuleViolation(TAKEN_MEANWHILE)


def _refuse_role(by, application: Application) -> None:
    if not may_decide(by, application):
        raise RuleViolation(NOT_YOUR_STEP)


def _refuse_actor(by, application: Application) -> None:
    _refuse_role(by, application)
    if is_own(by, application):
        raise RuleViolation(OWN)


def _step(
    application: Application, action: str, before: str, by, now: datetime, reason: str = ""
) -> None:
    ApplicationStep.objects.create(
        application=application,
        action=action,
        from_state=before,
        to_state=application.state,
        reason=reason,
        by=by,
        at=now,
    )


def _record(type_: str, application: Application, by, changes: Mapping) -> None:
    log.record(
        type_,
        by=by,
        target=application,
        region_path=application.resident.village.path,
        changes=changes,
    )
