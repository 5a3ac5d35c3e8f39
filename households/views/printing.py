"""名册 and 户表 on paper: the ticked rows, or all that the list shows."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.listing import LISTS, Selection
from fpadmin.ui.lists import list_url
from households import paper
from households.services.printing import record_print


@requires(Permission.REGISTRY_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def resident_print(request):
    """居民名册, A4 across, cut into sheets."""
    return _print(request, "residents", "居民名册", paper.roster, "households/resident_print.html")


@requires(Permission.REGISTRY_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def household_print(request):
    """户表: one sheet per household with its members."""
    return _print(
        request, "households", "户表", paper.household_forms, "households/household_print.html"
    )


def _print(request, key, title, sheets_of, template):
    spec = LISTS[key]
    selection = Selection.of(request)
    if request.method == "POST" and not selection:
        messages.warning(request, f"还没有选中{spec.title}。请先勾选，再点“打印”。")
        return redirect(list_url(spec, selection.asked))
    if not selection:
        selection = Selection(selection.asked, is_all=True)
    rows = selection.rows(spec)
    count = rows.order_by().count()
    if count > paper.MOST_ROWS[key]:
        messages.warning(
            request,
            f"一次最多打印{paper.MOST_ROWS[key]}{spec.unit}，现在有{count:,}{spec.unit}。请缩小条件。",
        )
        return redirect(list_url(spec, selection.asked))
    sheets = sheets_of(rows, selection.asked)
    record_print(by=request.user, what=title, count=count)
    return render(
        request,
        template,
        {
            "title": title,
            "sheets": sheets,
            "count": count,
            "unit": spec.unit,
            "day": selection.asked.day,
            "now": timezone.now(),
            "back": list_url(spec, selection.asked),
        },
    )
