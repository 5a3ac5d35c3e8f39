"""The rolls: lists, one line, a change proposed, the desk where changes are decided."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from subsidies.forms.enrolments import ChangeForm, DecisionForm
from subsidies.models import Enrolment, EnrolmentChange
from subsidies.policies import catalogue
from subsidies.rolls import change_list, limits, line_page, proposing, roll_list
from subsidies.services import enrolments as services

ACCEPT = "accept"


@requires(Permission.BENEFIT_VIEW)
@require_safe
def enrolment_list(request):
    """The rolls of the policies that tell nothing of a child's death or illness."""
    if request.GET.get("policy") in catalogue.sensitive_codes():
        target = reverse("subsidies:enrolment-sensitive-list")
        return redirect(f"{target}?{request.GET.urlencode()}")
    return _list(request, roll_list.KEY)


@requires(Permission.BENEFIT_VIEW)
@require_safe
def enrolment_sensitive_list(request):
    """The rolls of the others, as far as the user may know."""
    return _list(request, roll_list.SENSITIVE_KEY)


@requires(Permission.BENEFIT_VIEW)
@require_safe
def enrolment_detail(request, pk):
    """One line: its story, the record, what person, spouse and household draw besides."""
    line = _line(request, pk)
    context = line_page.line_context(request.user, line, dates.today())
    context |= _may_decide(request, context["waiting"])
    return render(request, "subsidies/enrolment_detail.html", {"line": line, **context})


@requires(Permission.BENEFIT_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def enrolment_change_create(request, pk):
    """Propose a change of the line; `kind` in the address says which."""
    line, today = _line(request, pk), dates.today()
    standing = proposing.standing_of(line, today)
    offers = proposing.offers(standing, today)
    asked = request.GET.get("kind", "end")
    offer = next((one for one in offers if one.kind == asked), offers[0] if offers else None)
    if offer is None:
        messages.info(
            request, limits.WAITING if standing.is_waiting else "这条记录没有可以办理的变动。"
        )
        return redirect(line)
    form = ChangeForm(
        request.POST if request.method == "POST" else None,
        line=line,
        kind=offer.kind,
        initial={"month": offer.month, "end_reason": offer.end_reason},
    )
    if request.method == "POST" and form.is_valid():
        try:
            change = services.propose_change(
                by=request.user, enrolment=line, now=timezone.now(), **form.values()
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, proposing.proposed_words(offer, standing))
            if warning := limits.mid_year_of(change, line):
                messages.warning(request, warning)
            return redirect(line)
    return render(
        request,
        "subsidies/change_form.html",
        {
            "line": line,
            "form": form,
            "offer": offer,
            "offers": offers,
            "policy": line.policy,
            "by_year": limits.year_words(standing, offer.kind, today),
        },
    )


@requires(Permission.BENEFIT_VIEW)
@require_safe
def change_list_page(request):
    """Changes of the rolls; those that wait, unless asked otherwise."""
    return registered_list_page(
        request,
        change_list.KEY,
        template="subsidies/change_list.html",
        extra={
            "has_sensitive": bool(roll_list.codes_of(request.user, sensitive=True)),
            "waiting": change_list.waiting_for_decision(request.user).count(),
        },
    )


@requires(Permission.BENEFIT_REVIEW)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def change_decide(request, pk):
    """One change with everything that is needed to decide it."""
    change, today = _change(request, pk), dates.today()
    line = _line(request, change.enrolment_id)
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        accept = request.POST.get("decision") == ACCEPT
        try:
            services.decide_change(
                by=request.user,
                change=change,
                accept=accept,
                now=timezone.now(),
                **form.cleaned_data,
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已同意，变动已经生效。" if accept else "已退回提出人。")
            return redirect("subsidies:change-list")
    context = line_page.line_context(request.user, line, today) | _may_decide(request, change)
    return render(
        request,
        "subsidies/change_decide.html",
        {
            **context,
            "line": line,
            "change": change,
            "form": form,
            "tag": change_list.state_tag(change),
            "mid_year": "" if change.decision else limits.mid_year_of(change, line),
            "fault": change_list.fault_of(change, line) if not change.decision else "",
        },
    )


@requires(Permission.BENEFIT_EDIT)
@require_POST
@once
def change_withdraw(request, pk):
    """Take back one's own proposal."""
    change = _change(request, pk)
    try:
        services.withdraw_change(by=request.user, change=change, now=timezone.now())
    except RuleViolation as violation:
        messages.error(request, violation.message)
    else:
        messages.success(request, "已撤回，在册情况没有改动。")
    return redirect(change.enrolment)


def _list(request, key: str):
    return registered_list_page(
        request,
        key,
        template="subsidies/enrolment_list.html",
        extra={
            "searched": key,
            "tab": key,
            "may_print": request.user.may(Permission.BENEFIT_ANNUAL),
            "has_sensitive": bool(roll_list.codes_of(request.user, sensitive=True)),
            "waiting": change_list.waiting_for_decision(request.user).count(),
        },
    )


def _line(request, pk) -> Enrolment:
    lines = Enrolment.objects.visible_to(request.user).select_related(
        "resident__household", "resident__village", "application", "moved_from", "version"
    )
    return get_object_or_404(lines, pk=pk)


def _change(request, pk) -> EnrolmentChange:
    changes = EnrolmentChange.objects.visible_to(request.user).select_related(
        "enrolment__resident", "proposed_by", "decided_by"
    )
    return get_object_or_404(changes, pk=pk)


def _may_decide(request, change: EnrolmentChange | None) -> dict[str, bool]:
    waits = change is not None and not change.decision
    own = waits and change.proposed_by_id == request.user.pk
    return {
        "can_decide": waits and not own and request.user.may(Permission.BENEFIT_REVIEW),
        "can_withdraw": own and request.user.may(Permission.BENEFIT_EDIT),
    }
