"""Households: list, page, births, history, create, edit."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.audit.presenters import history_lines
from fpadmin.entry.pages import entry_form, render_form
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households import as_at, as_at_lists, selectors, services
from households.event_menu import PROPOSE, act_of, menu_of_household
from households.forms import HouseholdForm
from households.models import Household
from households.panels import panels_for
from households.presenters import family_tree
from households.special.archive_page import archive_links
from households.timelines import ENTRIES_SHOWN, timeline
from households.views import SECTION, asked_day


@requires(Permission.REGISTRY_VIEW)
@require_safe
def household_list(request):
    """Households of the user's region; see households/lists.py."""
    return registered_list_page(
        request,
        as_at_lists.HOUSEHOLDS if request.GET.get("as_of") else "households",
        template="households/household_list.html",
        extra={
            "searched": "households",
            "day_form": asked_day(request)[0],
            "can_edit": request.user.may(Permission.REGISTRY_EDIT),
        },
    )


@requires(Permission.REGISTRY_VIEW)
@require_safe
def household_detail(request, pk):
    """Members, relations and timeline of one household. Or its members as at a past day."""
    household = _household(request, pk)
    services.record_view(by=request.user, target=household)
    day_form, day = asked_day(request)
    if day:
        context = {
            "household": household,
            "place": f"{household.village.name} {household}",
            "then": as_at.household_on(request.user, household, day),
            "day_form": day_form,
            "day": day,
        }
        return render(request, "households/household_as_at.html", context)
    context = _household_context(request, household)
    members = context["members"]
    head, day = context["head"], context["day"]
    living = [m for m in members if m.is_registered_on(day)]
    living.sort(key=lambda member: member != head)  # the head first
    recorded = selectors.events_of_household(request.user, household, members)
    events = timeline(members, selectors.spells_in(household), context["births"], recorded)
    whole = request.GET.get("timeline") == "all"
    return render(
        request,
        "households/household_detail.html",
        context
        | {
            "day_form": day_form,
            "panels": panels_for(request.user, living, day),
            "moved": None
            if context["living_count"]
            else selectors.moved_to(request.user, household),
            "tree": family_tree(members, context["day"]),
            "events": events if whole else events[:ENTRIES_SHOWN],
            "event_count": len(events),
            "is_cut": not whole and len(events) > ENTRIES_SHOWN,
        },
    )


@requires(Permission.REGISTRY_VIEW)
@require_safe
def household_births(request, pk):
    """The birth histories of the household's mothers and fathers."""
    context = _household_context(request, _household(request, pk))
    return render(request, "households/household_births.html", context)


@requires(Permission.REGISTRY_VIEW)
@require_safe
def household_history(request, pk):
    """What was changed about the household and its members."""
    household = _household(request, pk)
    context = _household_context(request, household)
    history = history_lines(selectors.history_of([household, *context["members"]]))
    return render(request, "households/household_history.html", context | {"history": history})


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def household_create(request):
    """A new household, still without members."""
    cancel = reverse("households:household-list")
    form = HouseholdForm(
        request.POST if request.method == "POST" else None, user=request.user, today=dates.today()
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            household = services.register_household(
                by=request.user,
                village=values["village"],
                group=values["group_region"],
                number=values["number"],
                address=values["address"],
                low_income=values["low_income"],
                low_income_from=values["low_income_on"],
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已登记{household.village.name}{household}，请添加成员。")
            return redirect(household)
    return _household_form(request, form, cancel=cancel)


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def household_edit(request, pk):
    """Correct group, address and 低保 of a household."""
    household = _household(request, pk)
    cancel = household.get_absolute_url()
    initial = HouseholdForm.initial_of(household)
    common = {"user": request.user, "today": dates.today(), "shown": household, "initial": initial}
    if request.method != "POST":
        opened = editing.opened(household, initial)
        return _household_form(request, HouseholdForm(**common), cancel=cancel, **opened)
    opened = editing.opened_before(request)
    form = HouseholdForm(editing.answers(request, initial), **common)
    if form.is_valid():
        values = form.cleaned_data
        try:
            services.edit_household(
                by=request.user,
                household=household,
                row_version=opened["row_version"],
                group=values["group_region"],
                address=values["address"],
                low_income=values["low_income"],
                low_income_on=values["low_income_on"] or dates.today(),
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request, form, conflict, section=SECTION, title=str(household), cancel=cancel
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已保存。")
            return redirect(household)
    return _household_form(request, form, cancel=cancel, **opened)


def _household(request, pk) -> Household:
    households = Household.objects.visible_to(request.user).select_related("village", "group")
    return get_object_or_404(households, pk=pk)


def _household_context(request, household) -> dict:
    day = dates.today()
    membership = selectors.membership_of(household, day)
    may_edit = request.user.may(Permission.REGISTRY_EDIT)
    act = act_of(request.user)
    on_books = [m for m in membership.members if m.is_registered_on(day)]
    return {
        "household": household,
        "event_menu": menu_of_household(household, on_books, day, act) if act else [],
        "proposes": act == PROPOSE,
        "place": f"{household.village.name} {household}",
        "members": membership.members,
        "living_count": membership.living_count,
        "permanent_count": membership.permanent_count,
        "head": membership.head,
        "hukou": membership.hukou,
        "low_income": household.low_income_spells.filter(ended_on__isnull=True).exists(),
        "births": selectors.births_of(request.user, membership.members),
        "day": day,
        "can_edit": may_edit,
        "can_reveal": request.user.may(Permission.IDENTITY_REVEAL),
        **archive_links(request.user, household=household),
    }


def _household_form(request, form, **context):
    return render_form(request, "households/household_form.html", {"form": form, **context})
