"""Who qualifies: lists, and one person's case."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from fpadmin.accounts.permissions import Permission, requires


@requires(Permission.BENEFIT_VIEW)
@require_safe
def eligibility_list(request):
    """Everybody who qualifies for a policy on a day."""
    return render(request, "subsidies/eligibility_list.html")
