"""Archives on paper: one family, or the ticked ones or all of the list."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.listing import LISTS, Selection
from fpadmin.ui.lists import list_url
from households.forms.special_archives import HealthPurposeForm
from households.services.special_printing import record_archive_print
from households.special import archive_list
from households.special.archive_paper import MOST_FAMILIES, archive_paper
from households.views.special_archives import archive_of

TITLE = "特殊家庭档案"


@requires(Permission.SPECIAL_LIST)
@require_http_methods(["GET", "HEAD", "POST"])
def special_family_print(request, pk):
    """The whole archive of one family; with its health by a POST that says what for."""
    family = archive_of(request, pk)
    return _paper(request, [family], back=family.get_absolute_url(), hidden=[])


@requires(Permission.SPECIAL_LIST)
@require_http_methods(["GET", "HEAD", "POST"])
def special_print(request):
    """The archives that were ticked, or all that the list shows."""
    spec = LISTS[archive_list.KEY]
    selection = Selection.of(request)
    if request.method == "POST" and not selection:
        messages.warning(request, "还没有选中档案。请先勾选，再点“打印档案”。")
        return redirect(list_url(spec, selection.asked))
    if not selection:
        selection = Selection(selection.asked, is_all=True)
    rows = selection.rows(spec).select_related("household__village", "household__group")
    count = rows.order_by().count()
    if count > MOST_FAMILIES:
        messages.warning(request, f"一次最多打印{MOST_FAMILIES}户，现在有{count:,}户。请缩小条件。")
        return redirect(list_url(spec, selection.asked))
    return _paper(
        request, list(rows), back=list_url(spec, selection.asked), hidden=selection.hidden()
    )


def _paper(request, families, *, back, hidden):
    may_health = request.user.may(Permission.SPECIAL_HEALTH)
    purpose = ""
    if request.POST.get("health"):
        if not may_health:
            raise PermissionDenied
        form = HealthPurposeForm(request.POST)
        purpose = form.cleaned_data["purpose"] if form.is_valid() else ""
    day = dates.today()
    papers = [archive_paper(request.user, one, day, health=bool(purpose)) for one in families]
    record_archive_print(by=request.user, families=families, health_for=purpose)
    return render(
        request,
        "households/special_family_print.html",
        {
            "title": TITLE,
            "papers": papers,
            "pages": sum(paper.total for paper in papers),
            "can_add_health": may_health and not purpose,
            "with_health": bool(purpose),
            "purposes": HealthPurposeForm.PURPOSES,
            "hidden": hidden,
            "back": back,
            "day": day,
            "now": timezone.now(),
        },
    )
