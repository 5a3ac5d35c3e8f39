"""Applications: the list, one of them, the form, each step, and what is printed."""

from django.views.decorators.http import require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.lists import registered_list_page
from subsidies.applications.application_list import KEY


@requires(Permission.BENEFIT_VIEW)
@require_safe
def application_list(request):
    """Applications of the user's region; those under way, unless asked otherwise."""
    return registered_list_page(request, KEY, template="subsidies/application_list.html")
