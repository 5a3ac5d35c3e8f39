"""The tree of regions, level by level."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts import services
from fpadmin.accounts.filters import RegionFilter
from fpadmin.accounts.forms import NewRegionForm, RegionForm
from fpadmin.accounts.models import CODE_LENGTHS, Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.accounts.tables import RegionTable
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import list_page

SECTION = ("行政区划", "accounts:region-list")


@requires(Permission.REGIONS_VIEW)
@require_safe
def region_list(request):
    """Every region of the user's own, in order of the tree; filters narrow it."""
    return list_page(
        request,
        Region.objects.visible_to(request.user).with_child_counts().order_by("path"),
        template="accounts/region_list.html",
        title="行政区划",
        table_class=RegionTable,
        filter_class=RegionFilter,
        unit="个",
        extra={"can_manage": request.user.may(Permission.REGIONS_MANAGE)},
    )


@requires(Permission.REGIONS_VIEW)
@require_safe
def region_detail(request, code):
    """One region: its facts, and those directly below."""
    visible = Region.objects.visible_to(request.user)
    region = get_object_or_404(visible.select_related("parent"), code=code)
    above = [region.code[:length] for length in CODE_LENGTHS.values() if length < len(region.code)]
    return list_page(
        request,
        visible.filter(parent=region).with_child_counts().order_by("code"),
        template="accounts/region_detail.html",
        title="下级区划",
        table_class=RegionTable,
        unit="个",
        extra={
            "region": region,
            "above": visible.filter(code__in=above).order_by("level"),
            "is_valid": visible.valid_on(dates.today()).filter(pk=region.pk).exists(),
            "can_manage": request.user.may(Permission.REGIONS_MANAGE),
            "can_add_account": request.user.may(Permission.ACCOUNTS_MANAGE),
        },
    )


@requires(Permission.REGIONS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def region_create(request):
    """A new region inside the administrator's own."""
    form = NewRegionForm(
        request.POST or None,
        user=request.user,
        initial={"code": request.GET.get("under", "")},
    )
    if form.is_valid():
        try:
            region = services.create_region(**form.cleaned_data, by=request.user)
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"{region.name}已登记。")
            return redirect(region)
    return _region_form(request, form)


@requires(Permission.REGIONS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def region_update(request, code):
    """Name, kind and dates of a region."""
    region = get_object_or_404(Region.objects.visible_to(request.user), code=code)
    initial = RegionForm.initial_of(region)
    if request.method != "POST":
        opened = editing.opened(region, initial)
        return _region_form(request, RegionForm(initial=initial), region=region, **opened)
    opened = editing.opened_before(request)
    form = RegionForm(editing.answers(request, initial), initial=initial)
    if form.is_valid():
        try:
            services.update_region(
                region=region,
                row_version=opened["row_version"],
                **form.cleaned_data,
                by=request.user,
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request,
                form,
                conflict,
                section=SECTION,
                title=region.name,
                cancel=region.get_absolute_url(),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "区划已保存。")
            return redirect(region)
    return _region_form(request, form, region=region, **opened)


def _region_form(request, form, **context):
    return render(request, "accounts/region_form.html", {"form": form, **context})
