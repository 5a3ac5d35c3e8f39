"""What the nightly check found: for who mends it with links, for who keeps the machine as counts."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.selfcheck.filters import FindingFilter
from fpadmin.selfcheck.models import OpenFinding
from fpadmin.selfcheck.presenters import last_checked, rule_counts
from fpadmin.selfcheck.tables import FindingTable
from fpadmin.ui.lists import list_page


@requires(Permission.REGISTRY_EDIT)
@require_safe
def finding_list(request):
    """The findings of the user's region, each with the page that mends it."""
    return list_page(
        request,
        OpenFinding.objects.visible_to(request.user),
        template="selfcheck/finding_list.html",
        title="数据自检",
        unit="处",
        table_class=FindingTable,
        filter_class=FindingFilter,
        extra={"checked_at": last_checked()},
    )


@requires(Permission.JOBS_MANAGE)
@require_safe
def rule_list(request):
    """Every rule with the number of records that break it: figures only, no names, no links."""
    context = {"rules": rule_counts(request.user), "checked_at": last_checked()}
    return render(request, "selfcheck/rule_list.html", context)
