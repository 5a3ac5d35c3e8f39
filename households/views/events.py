"""Life events: recorded in two steps, shown, listed, and taken back."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import RuleViolation
from fpadmin.ui.editing import posted_pairs
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households import selectors, services
from households.forms.events import FORMS, event_form
from households.forms.events.undo import UndoForm
from households.life_events import effects
from households.life_events.kinds import PERSONAL
from households.life_events.planners import plan_event
from households.models import EventKind, Household, LifeEvent, Resident

CHECK, BACK = "check", "back"
CHANGED_MEANWHILE = "刚才有人改过相关的人或户，下面是现在的情况，请重新核对。"
NOT_CONFIRMED = "请先核对提示，勾选后再登记。"


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def resident_event(request, pk, kind):
    """Record what happened to one person."""
    people = Resident.objects.visible_to(request.user).for_list()
    resident = get_object_or_404(people.select_related("household__village", "spouse"), pk=pk)
    return event_steps(request, personal(kind), save=_recording(request), resident=resident)


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def household_event(request, pk, kind):
    """Record what happened to a household or some of its members."""
    homes = Household.objects.visible_to(request.user).select_related("village", "group")
    household = get_object_or_404(homes, pk=pk)
    return event_steps(request, kind, save=_recording(request), household=household)


@requires(Permission.REGISTRY_VIEW)
@require_safe
def event_list(request):
    """The ledger of what happened in the user's region (变动台账)."""
    return registered_list_page(request, "events", template="households/event_list.html")


@requires(Permission.REGISTRY_VIEW)
@require_safe
def event_detail(request, pk):
    """One event: what happened, who reported it, what it changed, whether it was taken back."""
    event = _event(request, pk)
    can_edit = request.user.may(Permission.REGISTRY_EDIT)
    return render(
        request,
        "households/event_detail.html",
        {
            "event": event,
            "effects": effects.of_event(event),
            "undo": getattr(event, "undone_by", None),
            "can_undo": can_edit and event.kind != EventKind.UNDO,
            "can_edit": can_edit,
        },
    )


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def event_undo(request, pk):
    """Take an event back, for a reason; the page says what will be as it was."""
    event = _event(request, pk)
    if event.kind == EventKind.UNDO or hasattr(event, "undone_by"):
        messages.info(request, "这次变动已经撤销过了。")
        return redirect(event)
    form = UndoForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            undo = services.undo_event(
                by=request.user,
                event=event,
                today=dates.today(),
                reason=form.cleaned_data["reason"],
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(
                request, f"已撤销：{event.resident.name}{event.get_kind_display()}，原状已恢复。"
            )
            return redirect(undo.undoes)
    return render(
        request,
        "households/event_undo.html",
        {
            "event": event,
            "form": form,
            "effects": effects.restored(effects.of_event(event)),
            "later": selectors.later_event(request.user, event),
        },
    )


def event_steps(request, kind: str, *, save, resident=None, household=None, act="登记"):
    """The form of an event, the page that says what it changes, then `save(form, confirmed)`.

    `save` answers with the next page, or refuses by RuleViolation. `act` is the word for it.
    """
    if kind not in FORMS:
        raise Http404
    today, user = dates.today(), request.user
    about = {"resident": resident, "household": household}
    cancel = (resident or household).get_absolute_url()
    context = {"kind": EventKind(kind), "cancel": cancel, "act": act, **about}
    context |= _heading(act, kind, **about)
    if request.method != "POST":
        form = event_form(kind, None, user=user, today=today, **about, **_asked_for(request))
        return _form_page(request, form, context)
    form = event_form(kind, request.POST, user=user, today=today, **about)
    step = request.POST.get("step", CHECK)
    if not form.is_valid() or step == BACK:
        return _form_page(request, form, context)
    asked = form.event()
    try:
        plan = plan_event(kind, asked.happened_on, today, asked.values)
    except RuleViolation as violation:
        form.refuse(violation)
        return _form_page(request, form, context)
    shown = effects.of_plan(plan, selectors.sight_of(user))
    seal, confirmed = shown.seal(plan.warnings), "confirmed" in request.POST
    fault = ""
    if step != CHECK:
        if request.POST.get("seal") != seal:
            fault = CHANGED_MEANWHILE
        elif plan.warnings and not confirmed:
            fault = NOT_CONFIRMED
    if step == CHECK or fault:
        return _check_page(request, form, plan, shown, seal, fault, context)
    try:
        return save(form, confirmed)
    except RuleViolation as violation:
        form.refuse(violation)
        return _form_page(request, form, context)


def personal(kind: str) -> str:
    """The kind, if it is about one person; else there is no such page."""
    if kind not in PERSONAL:
        raise Http404
    return kind


def _recording(request):
    """Saving means recording the event."""

    def save(form, confirmed: bool):
        asked = form.event()
        event = services.record_event(
            by=request.user,
            kind=asked.kind,
            values=asked.values,
            happened_on=asked.happened_on,
            today=form.today,
            note=asked.note,
            confirmed=confirmed,
        )
        messages.success(request, f"已登记：{event.resident.name}{event.get_kind_display()}。")
        return redirect(event)

    return save


def _heading(act: str, kind: str, *, resident, household) -> dict:
    label = EventKind(kind).label
    home = household or resident.household
    place = f"{home.village.name} {home}"
    who = resident.name if resident else place
    sub = f"{place}，{resident.birth_date.year}年生。" if resident else ""
    return {"title": f"{act}{label}：{who}", "place": place, "sub": f"{sub}除注明“选填”外都要填写。"}


def _asked_for(request) -> dict:
    """The member that ?member= names, ticked to begin with."""
    pk = request.GET.get("member", "")
    if not (pk.isdecimal() and len(pk) < 18):
        return {}
    return {"picked": Resident.objects.visible_to(request.user).filter(pk=pk).first()}


def _form_page(request, form, context):
    return render_form(request, "households/event_form.html", {"form": form, **context})


def _check_page(request, form, plan, shown, seal, fault, context):
    return render(
        request,
        "households/event_check.html",
        {
            "form": form,
            "plan": plan,
            "effects": shown,
            "seal": seal,
            "fault": fault,
            "posted": [p for p in posted_pairs(form.data) if p[0] not in ("seal", "confirmed")],
            **context,
        },
    )


def _event(request, pk) -> LifeEvent:
    events = LifeEvent.objects.visible_to(request.user).for_list()
    return get_object_or_404(events.select_related("undoes", "undone_by__recorded_by"), pk=pk)
