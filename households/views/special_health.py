"""Cause of death and health of an archive: shown on a click for a purpose, recorded; corrected."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, render_form
from fpadmin.errors import EditConflict
from fpadmin.ui import editing
from households import services
from households.forms.special_archives import HealthForm, HealthPurposeForm
from households.special import archive_page
from households.special.archive_page import title_of
from households.special.care_sections import check_results
from households.views.special_archives import SECTION, archive_of


@requires(Permission.SPECIAL_HEALTH)
@require_http_methods(["GET", "HEAD", "POST"])
def special_family_health(request, pk):
    """Nothing before a purpose is chosen; then what is kept, and that it was shown is recorded."""
    family = archive_of(request, pk)
    form = HealthPurposeForm(request.POST if request.method == "POST" else None)
    shown = request.method == "POST" and form.is_valid()
    if shown:
        services.record_opening(by=request.user, family=family, what=form.cleaned_data["purpose"])
    return render(
        request,
        "households/special_family_health.html",
        {
            "form": form,
            "family": family,
            "names": title_of(family),
            "children": archive_page.graded_children(request.user, family) if shown else [],
            "check_results": check_results(family) if shown else [],
            "shown": shown,
            "can_edit": request.user.may(Permission.SPECIAL_EDIT),
        },
    )


@requires(Permission.SPECIAL_HEALTH)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_family_health_edit(request, pk):
    """Correct them; the form shows what is kept, so that opening it is recorded too."""
    if not request.user.may(Permission.SPECIAL_EDIT):
        raise PermissionDenied
    family = archive_of(request, pk)
    initial = HealthForm.initial_of(family)
    cancel = family.get_absolute_url()
    if request.method != "POST":
        services.record_opening(by=request.user, family=family, what="修改")
        opened = editing.opened(family, initial)
        return _page(request, HealthForm(initial=initial), family, cancel, **opened)
    opened = editing.opened_before(request)
    form = HealthForm(editing.answers(request, initial), initial=initial)
    if form.is_valid():
        try:
            services.change_health(
                by=request.user,
                family=family,
                row_version=opened["row_version"],
                **form.cleaned_data,
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request, form, conflict, section=SECTION, title=title_of(family), cancel=cancel
            )
        messages.success(request, "已保存。")
        return redirect(family)
    return _page(request, form, family, cancel, **opened)


def _page(request, form, family, cancel, **context):
    return render_form(
        request,
        "households/special_family_health_form.html",
        {"form": form, "family": family, "names": title_of(family), "cancel": cancel, **context},
    )
