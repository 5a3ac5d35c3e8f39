"""Requests: filled in by a village, looked at, accepted, sent back or withdrawn."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households import requests, services
from households.forms.requests import DetailsForm, RejectForm
from households.life_events.kinds import ARRIVALS, PERSONAL
from households.models import ChangeRequest, Household, Resident
from households.request_list import about, state_tag
from households.views.events import CHANGED_MEANWHILE, choose_member, event_steps, personal

PROPOSE = "提出"


@requires(Permission.REQUEST_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def resident_propose(request, pk, kind):
    """Propose an event of one person, or a correction of details."""
    people = Resident.objects.visible_to(request.user).for_list()
    people = people.select_related("household__village", "spouse__village", "spouse__household")
    resident = get_object_or_404(people, pk=pk)
    if kind == requests.EDIT:
        return _propose_details(request, resident)
    save = _proposing(request, resident=resident)
    return event_steps(request, personal(kind), save=save, act=PROPOSE, resident=resident)


@requires(Permission.REQUEST_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def household_propose(request, pk, kind):
    """Propose an event of a household or some of its members."""
    homes = Household.objects.visible_to(request.user).select_related("village", "group")
    household = get_object_or_404(homes, pk=pk)
    if kind in PERSONAL:
        return choose_member(request, kind, household, "households:resident-propose")
    save = _proposing(request, household=household)
    return event_steps(request, kind, save=save, act=PROPOSE, household=household)


@requires(Permission.REQUEST_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def arrival_propose(request, kind):
    """Propose that somebody came, into a household yet to be named or founded."""
    if kind not in ARRIVALS:
        raise Http404
    return event_steps(request, kind, save=_proposing(request), act=PROPOSE)


@requires(Permission.REGISTRY_VIEW)
@require_safe
def request_list(request):
    """The requests of the user's region."""
    return registered_list_page(
        request,
        "requests",
        template="households/request_list.html",
        extra={"can_propose": request.user.may(Permission.REQUEST_MAKE)},
    )


@requires(Permission.REGISTRY_VIEW)
@require_safe
def request_detail(request, pk):
    """One request, with what accepting it would do today."""
    return _detail(request, _request(request, pk), RejectForm())


@requires(Permission.REQUEST_DECIDE)
@require_POST
@once
def request_accept(request, pk):
    """Do what the village proposed, if it is still what the page showed."""
    asked = _request(request, pk)
    shown = requests.proposal_of(asked, by=request.user, today=dates.today())
    if not shown.fault and request.POST.get("seal") != shown.seal():
        return _detail(request, asked, RejectForm(), fault=CHANGED_MEANWHILE)
    try:
        event = requests.accept(
            asked,
            by=request.user,
            today=dates.today(),
            now=timezone.now(),
            confirmed="confirmed" in request.POST,
        )
    except RuleViolation as violation:
        return _detail(request, _request(request, pk), RejectForm(), fault=violation.message)
    messages.success(request, f"已受理{asked.pk}号申请。")
    return redirect(event or asked)


@requires(Permission.REQUEST_DECIDE)
@require_POST
@once
def request_reject(request, pk):
    """Send a request back with a reason."""
    asked = _request(request, pk)
    form = RejectForm(request.POST)
    if form.is_valid():
        try:
            services.reject_request(
                by=request.user,
                request=asked,
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已退回{asked.pk}号申请。")
            return redirect("households:request-list")
    return _detail(request, asked, form)


@requires(Permission.REQUEST_MAKE)
@require_POST
@once
def request_withdraw(request, pk):
    """Take back one's own request."""
    asked = _request(request, pk)
    try:
        services.withdraw_request(by=request.user, request=asked)
    except RuleViolation as violation:
        messages.error(request, violation.message)
    else:
        messages.success(request, f"已撤回{asked.pk}号申请。")
    return redirect(asked)


def _request(request, pk) -> ChangeRequest:
    everything = ChangeRequest.objects.visible_to(request.user).select_related(
        "village", "resident", "household", "requested_by", "decided_by", "event"
    )
    return get_object_or_404(everything, pk=pk)


def _detail(request, asked: ChangeRequest, form: RejectForm, fault: str = ""):
    waits = asked.state == ChangeRequest.State.SUBMITTED
    own = asked.requested_by_id == request.user.pk
    return render(
        request,
        "households/request_detail.html",
        {
            "asked": asked,
            "label": requests.label_of(asked.kind),
            "about": about(asked),
            "tag": state_tag(asked),
            "proposal": requests.proposal_of(asked, by=request.user, today=dates.today())
            if waits
            else None,
            "form": form,
            "fault": fault,
            "can_decide": waits and not own and request.user.may(Permission.REQUEST_DECIDE),
            "can_withdraw": waits and own and request.user.may(Permission.REQUEST_MAKE),
        },
    )


def _proposing(request, *, resident: Resident | None = None, household: Household | None = None):
    """Saving means keeping the form as a request."""

    def save(form, confirmed: bool):
        asked = services.propose_change(
            by=request.user,
            kind=form.kind,
            village=form.household.village if form.household else request.user.region,
            resident=resident,
            household=household,
            content=requests.content_of(form),
            happened_on=form.cleaned_data["happened_on"],
            summary=requests.of_form(form).summary(),
        )
        return _proposed(request, asked)

    return save


def _propose_details(request, resident: Resident):
    today = dates.today()
    posted = request.POST if request.method == "POST" else None
    form = DetailsForm(posted, user=request.user, today=today, shown=resident)
    if posted is not None and form.is_valid():
        try:
            asked = services.propose_change(
                by=request.user,
                kind=requests.EDIT,
                village=resident.village,
                resident=resident,
                household=None,
                content=requests.content_of(form, changed=form.proposed()),
                happened_on=None,
                summary=requests.of_form(form).summary(),
            )
            return _proposed(request, asked)
        except RuleViolation as violation:
            refuse(form, violation)
    return render_form(
        request, "households/request_form.html", {"form": form, "resident": resident}
    )


def _proposed(request, asked: ChangeRequest):
    messages.success(
        request, f"已提出{asked.pk}号申请，等镇办受理。受理以前资料不变，可以撤回重填。"
    )
    return redirect(asked)
