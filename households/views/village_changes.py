"""Changes of villages: what was done, and the next one, previewed before it is done."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import list_page
from households import services
from households.forms.village_changes import VillageChangeForm
from households.models import VillageChange
from households.tables_places import VillageChangeTable
from households.village_changes import plan_move

SAVE = "save"


@requires(Permission.REGIONS_MANAGE)
@require_safe
def village_change_list(request):
    """Every change in the administrator's region, and where to begin the next."""
    places = Region.objects.visible_to(request.user).valid_on(dates.today())
    return list_page(
        request,
        VillageChange.objects.visible_to(request.user).select_related("target", "made_by"),
        template="households/village_change_list.html",
        title="区划调整",
        unit="次",
        table_class=VillageChangeTable,
        extra={"townships": places.filter(level=Region.Level.TOWNSHIP).order_by("code")},
    )


@requires(Permission.REGIONS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def village_change_create(request, code):
    """Choose villages of a township, or groups of a village; see what moves; do it."""
    today = dates.today()
    visible = Region.objects.visible_to(request.user).select_related("parent")
    place = get_object_or_404(visible, code=code)
    if place.level not in (Region.Level.TOWNSHIP, Region.Level.VILLAGE):
        raise Http404
    form = VillageChangeForm(request.POST or None, user=request.user, place=place, today=today)
    move = None
    if form.is_valid():
        wanted = {
            "sources": form.cleaned_data["sources"],
            "target": form.taking_in(),
            "day": form.cleaned_data["day"],
            "today": today,
        }
        try:
            move = plan_move(**wanted)
            if request.POST.get("step") == SAVE:
                change = services.change_villages(
                    by=request.user, document=form.cleaned_data["document"], **wanted
                )
                messages.success(
                    request,
                    f"已调整：{change.households}户、{change.residents}人从{change.happened_on}起"
                    f"属于{change.target.name}。请到“账号”把原村的账号改到新村。",
                )
                return redirect("households:village-change-list")
        except RuleViolation as violation:
            move = None
            refuse(form, violation)
    villages = visible.valid_on(today).filter(parent=place, level=Region.Level.VILLAGE)
    return render(
        request,
        "households/village_change_form.html",
        {"form": form, "place": place, "move": move, "villages": villages.order_by("code")},
    )
