"""Dates that matter to special families, month by month."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.listing import Asked
from households.special import dates_ahead


@requires(Permission.SPECIAL_VIEW)
@require_safe
def date_list(request):
    """The next twelve months of the families that the user may see."""
    asked = Asked.by(request)
    conditions = dates_ahead.filter_of(asked)
    found = conditions.dates()
    return render(
        request,
        "households/special_dates.html",
        {
            "title": "重要日期",
            "filter": conditions,
            "chips": conditions.chips(request.GET.copy()),
            "count": len(found),
            "months": dates_ahead.by_month(found),
            "day": asked.day,
            "last": dates_ahead.last_day(asked.day),
        },
    )
