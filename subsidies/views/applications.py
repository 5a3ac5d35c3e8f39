"""Applications: the list, one of them, the form, and each step."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry import services as entry_services
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households.models import Resident
from subsidies.applications import detail, looking
from subsidies.applications.application_list import KEY
from subsidies.applications.steps import may_decide, may_edit
from subsidies.eligibility import explaining, months
from subsidies.eligibility.masking import shown_to
from subsidies.forms.applications import (
    ApplicationForm,
    OpinionForm,
    PolicyForm,
    application_values,
)
from subsidies.models import Application, ApplicationState
from subsidies.policies import catalogue
from subsidies.policies.book import Rule
from subsidies.services import applications as services

SECTION = ("申请办理", "subsidies:application-list")
FORM = "subsidies/application_form.html"


@requires(Permission.BENEFIT_VIEW)
@require_safe
def application_list(request):
    """Applications of the user's region; those under way, unless asked otherwise."""
    return registered_list_page(request, KEY, template="subsidies/application_list.html")


@requires(Permission.BENEFIT_VIEW)
@require_safe
def application_detail(request, pk):
    """One application: criteria, proof, papers, conflicts, steps, and whose turn it is."""
    return _detail(request, application_of(request, pk), OpinionForm())


@requires(Permission.BENEFIT_APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def application_create(request, pk):
    """Choose the policy, then fill in the form; what is sent stands on the check page before it goes on."""
    people = Resident.objects.visible_to(request.user).filter(merged_into__isnull=True)
    resident = get_object_or_404(people.for_list(), pk=pk)
    today = dates.today()
    rules = looking.rules_offered(request.user, resident, today)
    code = _asked_policy(request)
    rule = next((one for one in rules if one.code == code), None)
    if rule is None:
        form = PolicyForm({"policy": code} if code else None, rules=rules)
        return _policy_page(request, form, resident, rules)
    applicant = looking.applicant_of(resident, rule.policy)
    if applicant is None:
        form = PolicyForm({"policy": code}, rules=rules)
        form.add_error("policy", looking.in_whose_name(rule, None))
        return _policy_page(request, form, resident, rules)
    if applicant.pk != resident.pk:
        messages.info(request, looking.in_whose_name(rule, applicant))
        known = "" if rule.policy.sensitive else f"?policy={code}"
        return redirect(reverse("subsidies:application-create", args=[applicant.pk]) + known)
    fault = looking.already_on(request.user, resident, code, today)
    if fault:
        form = PolicyForm({"policy": code}, rules=rules)
        form.add_error("policy", f"{fault}。")
        return _policy_page(request, form, resident, rules)
    case = explaining.explain(resident, code, months.usual_day(code, today), rule=rule)
    candidate = looking.candidate_as(shown_to(request.user, case))
    common = {"rule": rule, "day": today, "offers_by_hand": not candidate}
    initial = {"policy": code, "applied_on": today}
    if request.method != "POST" or request.POST.get("step") == "preview":
        form = ApplicationForm(**common, initial=initial)
        return _form_page(request, form, resident, rule, case)
    form = ApplicationForm(request.POST, **common)
    if form.is_valid():
        try:
            application = services.create_application(
                by=request.user,
                resident=resident,
                policy_code=code,
                today=today,
                now=timezone.now(),
                **form.values(),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return redirect("subsidies:application-submit", application.pk)
    return _form_page(request, form, resident, rule, case)


@requires(Permission.BENEFIT_APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def application_edit(request, pk):
    """Correct one that was not sent on or came back."""
    application = application_of(request, pk)
    _refuse_unless(may_edit(request.user, application))
    today = dates.today()
    code, resident = application.policy_code, application.resident
    rule = looking.book_for(code, today).rule(code, resident.village.path)
    case = explaining.explain(resident, code, months.usual_day(code, today), rule=rule)
    candidate = looking.candidate_as(shown_to(request.user, case))
    offers_by_hand = not candidate or not application.by_rule
    initial = application_values(application, looking.facts_to_attest(rule))
    common = {"rule": rule, "day": today, "offers_by_hand": offers_by_hand, "initial": initial}
    if request.method != "POST":
        opened = editing.opened(application, initial)
        return _form_page(
            request, ApplicationForm(**common), resident, rule, case, application, **opened
        )
    opened = editing.opened_before(request)
    form = ApplicationForm(editing.answers(request, initial), **common)
    if form.is_valid():
        try:
            services.edit_application(
                by=request.user,
                application=application,
                row_version=opened["row_version"],
                today=today,
                now=timezone.now(),
                **form.values(),
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request, form, conflict, section=SECTION, title=str(application),
                cancel=application.get_absolute_url(),
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return redirect("subsidies:application-submit", application.pk)
    return _form_page(request, form, resident, rule, case, application, **opened)


@requires(Permission.BENEFIT_APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def application_submit(request, pk):
    """Everything once more before it is sent to the village."""
    application = application_of(request, pk)
    _refuse_unless(may_edit(request.user, application))
    fault = ""
    if request.method == "POST":
        try:
            services.submit(
                by=request.user, application=application, today=dates.today(), now=timezone.now()
            )
        except RuleViolation as violation:
            application, fault = application_of(request, pk), violation.message
        else:
            return redirect("subsidies:application-submitted", application.pk)
    context = detail.context(request.user, application, dates.today())
    return render(request, "subsidies/application_check.html", context | {"fault": fault})


@requires(Permission.BENEFIT_APPLY)
@require_safe
def application_submitted(request, pk):
    """The number, what happens next, and the receipt to print. May be loaded again."""
    application = application_of(request, pk)
    if application.submitted_by is None:
        return redirect(application)
    context = detail.heading(request.user, application, dates.today())
    return render(request, "subsidies/application_submitted.html", context)


@requires(Permission.BENEFIT_VIEW)
@require_POST
@once
def application_pass(request, pk):
    """One step forward, by whose turn it is."""
    return _decide(request, pk, _pass)


@requires(Permission.BENEFIT_VIEW)
@require_POST
@once
def application_return(request, pk):
    """Back to whoever submitted it, with the reason."""
    return _decide(request, pk, _return)


@requires(Permission.BENEFIT_CONFIRM)
@require_POST
@once
def application_refuse(request, pk):
    """The county's no, with the reason."""
    return _decide(request, pk, _refuse)


@requires(Permission.BENEFIT_APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def application_withdraw(request, pk):
    """Give up one that was not sent on, or came back."""
    application = application_of(request, pk)
    _refuse_unless(may_edit(request.user, application))
    if request.method == "POST":
        try:
            services.withdraw(by=request.user, application=application, now=timezone.now())
        except RuleViolation as violation:
            messages.error(request, violation.message)
        else:
            messages.success(request, "已撤销这份申请。需要时可以重新登记。")
        return redirect(application)
    context = detail.heading(request.user, application, dates.today())
    return render(request, "subsidies/application_withdraw.html", context)


def application_of(request, pk) -> Application:
    """The application, where the user may see it; else 404."""
    everything = Application.objects.visible_to(request.user).select_related(
        "resident__village", "resident__household", "resident__household__group",
        "resident__spouse", "submitted_by", "created_by", "version",
    )  # fmt: skip
    return get_object_or_404(everything, pk=pk)


def _asked_policy(request) -> str:
    """The policy that was chosen: posted, in a draft, or, where it tells nothing, in the address."""
    if request.entry.restored:
        return entry_services.restored(request.entry.restored).get("policy", "")
    if request.method == "POST":
        return request.POST.get("policy", "")
    code = request.GET.get("policy", "")
    return "" if code in catalogue.sensitive_codes() else code


def _policy_page(request, form: PolicyForm, resident, rules: list[Rule]):
    context = {"form": form, "resident": resident, "rules": rules}
    return render_form(request, "subsidies/application_policy.html", context)


def _form_page(
    request, form, resident, rule: Rule, case, application: Application | None = None, **opened
):
    criteria = shown_to(request.user, case)
    context = {
        "form": form,
        "resident": resident,
        "rule": rule,
        "case": case,
        "criteria": criteria,
        "is_candidate": looking.candidate_as(criteria),
        "application": application,
        "reason": detail.last_reason(application) if application else "",
        "cancel": application.get_absolute_url() if application else resident.get_absolute_url(),
    }
    return render_form(request, FORM, context | opened)


def _decide(request, pk, act):
    application = application_of(request, pk)
    form = OpinionForm(request.POST)
    if request.POST.get("state", application.state) != application.state:
        form.add_error(None, services.TAKEN_MEANWHILE)
        return _detail(request, application, form)
    _refuse_unless(may_decide(request.user, application))
    if form.is_valid():
        try:
            said = act(request.user, application, form.words())
        except RuleViolation as violation:
            application = application_of(request, pk)
            field = "opinion" if violation.field == "reason" else None
            form.add_error(field, violation.message)
        else:
            messages.success(request, said)
            return redirect(application)
    return _detail(request, application, form)


def _pass(user, application: Application, words: str) -> str:
    done = services.pass_step(
        by=user, application=application, opinion=words, today=dates.today(), now=timezone.now()
    )
    if done.state == ApplicationState.CONFIRMED:
        return f"已确认，从{done.start_month:%Y年%-m月}起列入在册对象。"
    return f"已通过，现在{done.get_state_display()}。"


def _return(user, application: Application, words: str) -> str:
    services.return_step(
        by=user, application=application, reason=words, today=dates.today(), now=timezone.now()
    )
    return "已退回，经办人会看到原因。"


def _refuse(user, application: Application, words: str) -> str:
    services.refuse(by=user, application=application, reason=words, now=timezone.now())
    return "已办结：不予确认。"


def _detail(request, application: Application, form: OpinionForm):
    context = detail.context(request.user, application, dates.today())
    return render(request, "subsidies/application_detail.html", context | {"form": form})


def _refuse_unless(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied
