"""Residents: list, search, page, history, create, edit, and one number in clear."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.audit.presenters import history_lines
from fpadmin.entry.pages import entry_form, render_form
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.identity import InvalidIdNumber, parse_id_number
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households import as_at, as_at_lists, searches, selectors, services
from households.event_menu import PROPOSE, act_of, menu_of_resident
from households.filters import HouseholdFilter, ResidentFilter
from households.forms import PersonSearchForm, ResidentForm, RevealForm
from households.forms.residents import read_back
from households.life_events.plan import living_members
from households.models import Household, Resident
from households.panels import panels_for
from households.presenters import mask_of
from households.special.archive_page import archive_links
from households.timelines import timeline
from households.views import SECTION, asked_day

CHECK, BACK = "check", "back"
SEARCH_COUNTED = 1000  # how many finds the trail of searches tells apart
REVEAL_SECONDS = 60
RELATIVES = ("spouse_id_number", "mother_id_number", "father_id_number")
AS_AT_FILTERS = {
    ResidentFilter: as_at_lists.ResidentThenFilter,
    HouseholdFilter: as_at_lists.HouseholdThenFilter,
}


@requires(Permission.REGISTRY_VIEW)
@require_safe
def resident_list(request):
    """Residents of the user's region, now or as at a past day; see households/lists.py."""
    return registered_list_page(
        request,
        as_at_lists.RESIDENTS if request.GET.get("as_of") else "residents",
        template="households/resident_list.html",
        extra={
            "searched": "residents",
            "day_form": asked_day(request)[0],
            "can_edit": request.user.may(Permission.REGISTRY_EDIT),
            "can_import": request.user.may(Permission.IMPORT),
        },
    )


@requires(Permission.REGISTRY_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def resident_search(request):
    """Name, initials or a whole ID number by POST; they stay in the session, never in the URL."""
    if request.method != "POST":
        return render(request, "households/resident_search.html")
    form = PersonSearchForm(request.POST)
    target, filter_class = searches.LISTS.get(request.POST.get("list"), searches.LISTS["residents"])
    if not form.is_valid():
        messages.error(request, "姓名最多50个字，身份证号最多40个字符，请核对。")
        return redirect(target)
    kept = searches.kept(request.session, request.POST.get("search", ""))
    search = searches.asked_for(form.cleaned_data, kept, dates.today())
    if request.POST.get("as_of"):
        filter_class = AS_AT_FILTERS.get(filter_class, filter_class)
    query = searches.conditions(request.POST, filter_class)
    if search.name or search.digest:
        people = Resident.objects.visible_to(request.user).filter(search.matches())
        # In no order, and not the first two alone: for so few the database would read everybody.
        found = list(people.order_by().values_list("pk", flat=True)[:SEARCH_COUNTED])
        services.record_search(
            by=request.user, terms=[t for t in (search.name, search.digest) if t], count=len(found)
        )
        if form.cleaned_data["q"] and len(found) == 1:
            return redirect("households:resident-detail", found[0])
        query["search"] = searches.keep(request.session, search)
        query["state"] = query.get("state") or "all"
    return redirect(f"{reverse(target)}?{query.urlencode()}")


@requires(Permission.REGISTRY_VIEW)
@require_safe
def resident_detail(request, pk):
    """One person: state, spells, relations, timeline; every number masked. Or as at a past day."""
    resident = _resident(request, pk)
    if resident.merged_into_id:
        return _merged(request, resident)
    services.record_view(by=request.user, target=resident)
    day_form, day = asked_day(request)
    if day:
        context = {
            "resident": resident,
            "then": as_at.person_on(request.user, resident, day),
            "spells": selectors.spells_of(request.user, resident),
            "day_form": day_form,
            "day": day,
        }
        return render(request, "households/resident_as_at.html", context)
    births = selectors.births_of(request.user, [resident])
    spells = selectors.spells_of(request.user, resident)
    return render(
        request,
        "households/resident_detail.html",
        _resident_context(request, resident)
        | {
            "day_form": day_form,
            "panels": panels_for(request.user, [resident], dates.today()) if spells else [],
            "spells": spells,
            "relatives": selectors.relatives_of(request.user, resident),
            "events": timeline(
                [resident],
                [s for s, _ in spells],
                births,
                selectors.events_of_people(request.user, [resident]),
            ),
        },
    )


@requires(Permission.REGISTRY_VIEW)
@require_safe
def resident_births(request, pk):
    """The birth history in which this person is mother or father."""
    resident = _resident(request, pk)
    if resident.merged_into_id:
        return _merged(request, resident)
    return render(
        request,
        "households/resident_births.html",
        _resident_context(request, resident)
        | {"births": selectors.births_of(request.user, [resident])},
    )


@requires(Permission.REGISTRY_VIEW)
@require_safe
def resident_history(request, pk):
    """Who changed what, and who had a number shown."""
    resident = _resident(request, pk)
    births = selectors.births_of(request.user, [resident])
    return render(
        request,
        "households/resident_history.html",
        _resident_context(request, resident)
        | {"history": history_lines(selectors.history_of([resident, *births]))},
    )


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def resident_create(request):
    """Register a person in a known or a new household; everything is shown once more before saving."""
    today = dates.today()
    cancel = reverse("households:resident-list")
    if request.method != "POST":
        initial = {"ethnicity": "汉"} | _household_asked_for(request)
        form = ResidentForm(user=request.user, today=today, initial=initial)
        return _resident_form(request, form, cancel=cancel)
    form = ResidentForm(request.POST, user=request.user, today=today)
    step = request.POST.get("step", CHECK)
    if not form.is_valid() or step == BACK:
        return _resident_form(request, form, cancel=cancel)
    if step == CHECK:
        return _check_page(request, form, title="核对后登记", cancel=cancel)
    try:
        resident = services.register_resident(
            by=request.user,
            household=form.cleaned_data["household"],
            values=form.values(),
            change=form.change(),
        )
    except RuleViolation as violation:
        refuse(form, violation)
        return _resident_form(request, form, cancel=cancel)
    messages.success(
        request, f"已登记{resident.name}，{resident.village.name}{resident.household}。"
    )
    _offer_birth_history(request, resident)
    return redirect(resident)


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def resident_edit(request, pk):
    """Change or correct a person; what somebody else saved meanwhile is never overwritten unseen."""
    resident = _resident(request, pk)
    if resident.merged_into_id:
        return _merged(request, resident)
    cancel = resident.get_absolute_url()
    initial = ResidentForm.initial_of(resident)
    common = {"user": request.user, "today": dates.today(), "shown": resident, "initial": initial}
    if request.method != "POST":
        opened = editing.opened(resident, initial)
        return _resident_form(request, ResidentForm(**common), cancel=cancel, **opened)
    opened = editing.opened_before(request)
    form = ResidentForm(editing.answers(request, initial), **common)
    step = request.POST.get("step", CHECK)
    if not form.is_valid() or step == BACK:
        return _resident_form(request, form, cancel=cancel, **opened)
    if step == CHECK:
        return _check_page(request, form, title="核对后保存", cancel=cancel)
    try:
        services.edit_resident(
            by=request.user,
            today=dates.today(),
            resident=resident,
            row_version=opened["row_version"],
            household=form.cleaned_data["household"],
            values=form.values(),
            change=form.change(),
        )
    except EditConflict as conflict:
        return editing.conflict_page(
            request, form, conflict, section=SECTION, title=resident.name, cancel=cancel
        )
    except RuleViolation as violation:
        refuse(form, violation)
        return _resident_form(request, form, cancel=cancel, **opened)
    messages.success(request, "已保存。")
    return redirect(resident)


@requires(Permission.IDENTITY_REVEAL)
@require_POST
def resident_reveal(request, pk):
    """One number of one person in clear, for a reason; the page covers it again after a minute."""
    resident = _resident(request, pk)
    template = "households/_reveal.html" if request.htmx else "households/reveal.html"
    field = request.POST.get("field", "")
    context = {"resident": resident, "field": field, "seconds": REVEAL_SECONDS}
    form = RevealForm(request.POST)
    if not form.is_valid():
        return render(request, template, context, status=400)
    try:
        value = services.reveal(
            by=request.user,
            resident=resident,
            field=field,
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
    except RuleViolation as violation:
        return render(request, template, context | {"error": violation.message}, status=429)
    return render(
        request, template, context | {"value": value, "masked_value": mask_of(field, value)}
    )


@requires(Permission.NUMBER_CHECK)
@require_POST
def id_number_check(request):
    """Read a typed number back: its parts, birth date, sex, age, and who holds it already."""
    today = dates.today()
    relative = next((name for name in RELATIVES if name in request.POST), None)
    if relative:
        typed = request.POST[relative][:40]
        return render(
            request, "households/_relative.html", _relative_reading(request, typed, today)
        )
    shown = None
    if request.POST.get("resident", "").isdecimal():
        shown = (
            Resident.objects.visible_to(request.user).filter(pk=request.POST["resident"]).first()
        )
    typed = request.POST.get("id_number", "")[:40]
    reading = read_back(typed, user=request.user, today=today, shown=shown)
    form = None
    if reading.get("number"):
        found = {"birth_date": reading["number"].birth_date, "sex": reading["number"].sex}
        form = ResidentForm(user=request.user, today=today, initial=found)
    return render(request, "households/_id_number.html", {"reading": reading, "filled": form})


def _offer_birth_history(request, child: Resident) -> None:
    """Without an event only the person is registered: the parent's birth history is the next step."""
    parent = selectors.parent_without_line(request.user, child)
    if parent:
        address = reverse("households:birth-create", args=[parent.pk])
        text = '{}的生育史里还没有{}：<a class="fp-inline" href="{}?child={}">登记生育史</a>。'
        messages.info(request, format_html(text, parent.name, child.name, address, child.pk))


def _merged(request, resident: Resident):
    """A record that was merged leads to the one that was kept."""
    messages.info(request, "您打开的是重复登记，已经并入这份记录。")
    return redirect("households:resident-detail", resident.merged_into_id)


def _resident(request, pk) -> Resident:
    people = Resident.objects.visible_to(request.user).for_list()
    return get_object_or_404(people.select_related("household__village"), pk=pk)


def _resident_context(request, resident) -> dict:
    may_edit = request.user.may(Permission.REGISTRY_EDIT)
    day = dates.today()
    act = act_of(request.user)
    members = living_members(resident.household, day) if act else []
    return {
        "resident": resident,
        # Departed without ever having been here: the event that registered it was taken back.
        "is_void": bool(resident.departed_on) and not resident.residencies.exists(),
        "event_menu": menu_of_resident(resident, members, day, act) if act else [],
        "proposes": act == PROPOSE,
        "day": day,
        "can_edit": may_edit,
        "can_reveal": request.user.may(Permission.IDENTITY_REVEAL),
        **archive_links(request.user, parents__resident=resident),
    }


def _resident_form(request, form, **context):
    return render_form(request, "households/resident_form.html", {"form": form, **context})


def _check_page(request, form, **context):
    """Everything that is about to be saved, once more; warnings above it."""
    return render(
        request,
        "households/check.html",
        {
            "lines": form.lines(),
            "warnings": form.warnings,
            "posted": editing.posted_pairs(form.data),
            "row_version": request.POST.get("row_version", ""),
            "opened": request.POST.get("opened", ""),
            **context,
        },
    )


def _household_asked_for(request) -> dict:
    """Initial values for a member of the household that ?household= names."""
    pk = request.GET.get("household", "")
    if not pk:
        return {}
    households = Household.objects.visible_to(request.user)
    household = get_object_or_404(households, pk=pk if pk.isdecimal() and len(pk) < 18 else 0)
    return {"village": household.village_id, "number": household.number}


def _relative_reading(request, typed: str, today) -> dict:
    if not typed.strip():
        return {}
    try:
        number = parse_id_number(typed, today=today)
    except InvalidIdNumber as error:
        return {"error": f"公民身份号码{error}"}
    return {"found": selectors.in_scope(request.user, number.number), "number": number}
