"""Look-ahead and what-if: who comes and goes within twelve months, and what a changed rule would cost."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.listing import Asked
from fpadmin.ui.lists import registered_list_page
from subsidies.forms.outlook import OutlookForm
from subsidies.outlook import coming_list
from subsidies.outlook.ahead import ENTER, LEAVE
from subsidies.outlook.asking import wanted
from subsidies.outlook.page import Figures


@requires(Permission.BENEFIT_VIEW)
@require_safe
def outlook(request):
    """Who enters and who leaves a policy in twelve months, by month and by village, and the money."""
    asked, today = Asked.by(request), dates.today()
    want = wanted(asked)
    form = OutlookForm(request.GET, user=request.user, today=today, want=want)
    if request.GET.get("policy") and want is None or not form.is_valid() and want:
        raise Http404
    figures = None
    if want and want.region:
        base = {name: request.GET[name] for name in ("town", "village") if request.GET.get(name)}
        figures = Figures(request.user, want, today, {"policy": want.code} | base)
    context = {"want": want, "form": form, "today": today, "figures": figures}
    if figures:
        context |= {
            "summaries": figures.summaries(),
            "months": figures.by_month(),
            "sides": [
                ("enter", "进入", figures.by_village(ENTER)),
                ("leave", "退出", figures.by_village(LEAVE)),
            ],
            "month_names": figures.months,
        }
    return render(request, "subsidies/outlook.html", context)


@requires(Permission.BENEFIT_VIEW)
@require_safe
def outlook_list(request):
    """The people behind a figure of the look-ahead."""
    want = wanted(Asked.by(request))
    if request.GET.get("policy") and want is None:
        raise Http404
    return registered_list_page(
        request,
        coming_list.key_of(want.code if want else ""),
        template="subsidies/outlook_list.html",
        extra={"want": want},
    )
