"""The desk of reviews of special families' archives."""

from django.views.decorators.http import require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.lists import registered_list_page


@requires(Permission.SPECIAL_LIST)
@require_safe
def special_review_list(request):
    """What happened to which archive; those that wait, unless asked otherwise."""
    return registered_list_page(
        request, "special-reviews", template="households/special_review_list.html"
    )
