"""What every page's shell needs."""

import json

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from fpadmin import dates
from fpadmin.accounts.middleware import WARN_SECONDS, seconds_left
from fpadmin.accounts.permissions import Permission
from fpadmin.jobs.models import Job
from fpadmin.ui.menu import menu_for

# No style tag, no eval, no other origin: the content policy allows none of them.
HTMX_CONFIG = json.dumps(
    {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
    }
)


def shell(request):
    """Product, unit, menu and the count of running jobs; the last two only when a page asks."""
    context = {
        "product_name": settings.PRODUCT_NAME,
        "support_phone": settings.SUPPORT_PHONE,
        "demo": settings.DEMO,
        "demo_day": dates.today() if settings.DEMO and settings.TODAY else None,
        "htmx_config": HTMX_CONFIG,
    }
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        match = request.resolver_match
        context |= {
            "menu": SimpleLazyObject(lambda: menu_for(user, match.view_name if match else "")),
            "session_left": seconds_left(getattr(request, "session", {}))[0],
            "warn_seconds": WARN_SECONDS,
            "can_search": user.may(Permission.REGISTRY_VIEW),
            "can_see_jobs": user.may(Permission.JOBS_VIEW),
            "open_jobs": SimpleLazyObject(
                lambda: Job.objects.open().filter(requested_by=user).count()
            ),
        }
    return context
