"""Life events: recorded in two steps, shown, listed, and taken back."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import RuleViolation
from fpadmin.ui.editing import posted_pairs
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households import selectors, services
from households.event_menu import menu_of_household, next_steps
from households.forms.events import FORMS, event_form
from households.forms.events.undo import UndoForm
from households.ledger_locks import counting_note
from households.life_events import effects
from households.life_events.kinds import ARRIVALS, PERSONAL, kinds_of_resident
from households.life_events.plan import living_members
from households.life_events.planners import plan_event
from households.models import EventKind, Household, LifeEvent, Resident

CHECK, BACK = "check", "back"
# What changes a figure of the monthly ledger.
COUNTED = {
    EventKind.BIRTH, EventKind.DEATH, EventKind.MOVE_IN, EventKind.MOVE_OUT, EventKind.INFLOW,
    EventKind.OUTFLOW, EventKind.RETURN, EventKind.HUKOU_CHANGE,
}  # fmt: skip
CHANGED_MEANWHILE = "刚才有人改过相关的人或户，下面是现在的情况，请重新核对。"
NOT_CONFIRMED = "请先核对提示，勾选后再登记。"


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def resident_event(request, pk, kind):
    """Record what happened to one person, or that somebody who left is here again."""
    people = Resident.objects.visible_to(request.user).for_list()
    people = people.select_related("household__village", "spouse__village", "spouse__household")
    resident = get_object_or_404(people, pk=pk)
    return event_steps(request, personal(kind), save=_recording(request), resident=resident)


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def household_event(request, pk, kind):
    """Record what happened to a household or some of its members; of one of them, ask which."""
    homes = Household.objects.visible_to(request.user).select_related("village", "group")
    household = get_object_or_404(homes, pk=pk)
    if kind in PERSONAL:
        return choose_member(request, kind, household, "households:resident-event")
    return event_steps(request, kind, save=_recording(request), household=household)


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def arrival_event(request, kind):
    """Record that somebody came, into a household yet to be named or founded."""
    if kind not in ARRIVALS:
        raise Http404
    return event_steps(request, kind, save=_recording(request))


@requires(Permission.REGISTRY_VIEW)
@require_safe
def event_list(request):
    """The ledger of what happened in the user's region (变动台账)."""
    can_edit = request.user.may(Permission.REGISTRY_EDIT)
    return registered_list_page(
        request, "events", template="households/event_list.html", extra={"can_edit": can_edit}
    )


@requires(Permission.REGISTRY_VIEW)
@require_safe
def event_detail(request, pk):
    """One event: what happened, who reported it, what it changed, whether it was taken back."""
    event = _event(request, pk)
    can_edit = request.user.may(Permission.REGISTRY_EDIT)
    members = living_members(event.household, dates.today()) if can_edit else []
    return render(
        request,
        "households/event_detail.html",
        {
            "event": event,
            "effects": effects.of_event(event, selectors.sight_of(request.user)),
            "undo": getattr(event, "undone_by", None),
            "can_undo": can_edit and event.kind != EventKind.UNDO,
            "event_menu": menu_of_household(event.household, members, dates.today())
            if can_edit
            else [],
            "steps": next_steps(event, may_record=can_edit),
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
    subject = resident or household
    cancel = subject.get_absolute_url() if subject else reverse("households:event-list")
    context = {"kind": EventKind(kind), "cancel": cancel, "act": act, **about}
    context |= _heading(act, kind, **about)
    data = request.POST if request.method == "POST" else None
    initial = {"initial": _member_asked_for(request, kind)} if household else {}
    form = event_form(kind, data, user=user, today=today, **about, **initial)
    if data is None:
        return _form_page(request, form, context)
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
    """The kind, if it has a page that begins with one person; else there is none."""
    if kind not in (*PERSONAL, *ARRIVALS):
        raise Http404
    return kind


def choose_member(request, kind: str, household, url_name: str):
    """The members of whom the event can be recorded, each leading to the form at `url_name`."""
    today = dates.today()
    members = living_members(household, today)
    able = [
        (member, reverse(url_name, args=[member.pk, kind]))
        for member in members
        if kind in kinds_of_resident(member, members, today)
    ]
    context = {"kind": EventKind(kind), "household": household, "able": able, "day": today}
    context |= _heading("登记", kind, resident=None, household=household)
    return render(request, "households/event_choose.html", context)


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
    home = household or (resident.household if resident else None)
    place = f"{home.village.name}{home}" if home else ""
    who = resident.name if resident else place
    if who and kind == EventKind.BIRTH:
        who = f"{who}的孩子"
    about = f"{label}：{who}" if who else label
    sub = f"{place}，{resident.birth_date.year}年生。" if resident else ""
    return {
        "title": f"{act}{about}",
        "about": about,
        "place": place,
        "sub": f"{sub}除注明“选填”外都要填写。",
    }


def _member_asked_for(request, kind: str) -> dict:
    """Initial values for the member that ?member= names: ticked, or proposed as the head."""
    pk = request.GET.get("member", "")
    if not pk.isdecimal():
        return {}
    return {"new_head": pk} if kind == EventKind.HEAD_CHANGE else {"members": [pk]}


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
            "counting": _counting(plan),
            "posted": [p for p in posted_pairs(form.data) if p[0] not in ("seal", "confirmed")],
            **context,
        },
    )


def _counting(plan) -> str:
    """Where the monthly ledger will count it; "" for what moves nobody on or off it."""
    if plan.kind not in COUNTED:
        return ""
    note = counting_note(plan.household.village, plan.day)
    return note or f"计入{plan.day.year}年{plan.day.month}月"


def _event(request, pk) -> LifeEvent:
    events = LifeEvent.objects.visible_to(request.user).for_list()
    return get_object_or_404(events.select_related("undoes", "undone_by__recorded_by"), pk=pk)
