"""Error pages: what happened, ways on, a reference number that the log and the audit trail know."""

import logging
import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone

logger = logging.getLogger(__name__)
TOO_BIG = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def bad_request(request, exception=None):
    """400, or 413 when the request was refused for its size."""
    return _page(request, 413 if isinstance(exception, TOO_BIG) else 400)


def forbidden(request, exception=None):
    """403 of a page that the role may not open."""
    return _page(request, 403)


def csrf_failure(request, reason=""):
    """403 of a form that was open too long or came from elsewhere."""
    return _page(request, 403, template="403_csrf.html")


def not_found(request, exception=None):
    """404, the same whether the record is absent or outside the user's region."""
    return _page(request, 404)


def too_many_requests(request, *, retry_after: int):
    """429 with the seconds to wait; for throttles."""
    response = _page(request, 429, retry_after=retry_after)
    response["Retry-After"] = str(retry_after)
    return response


def server_error(request):
    """500, or 503 when the database cannot be reached. Neither page touches session or database."""
    logger.error("request %s failed", _request_id(request))
    status = 503 if isinstance(sys.exc_info()[1], OperationalError) else 500
    response = HttpResponse(
        render_to_string(
            f"{status}.html",
            {
                **_reference(request, status),
                "product_name": settings.PRODUCT_NAME,
                "base": "base_plain.html",
            },
        ),
        status=status,
    )
    if status == 503:
        response["Retry-After"] = "60"
    return response


def _page(request, status: int, template: str = "", **context):
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    return render(
        request,
        template or f"{status}.html",
        {
            "base": "base.html" if signed_in else "base_plain.html",
            **_reference(request, status),
            **context,
        },
        status=status,
    )


def _reference(request, status: int) -> dict:
    now = timezone.localtime()
    return {
        "reference": f"E-{now:%m%d}-{status}-{_request_id(request)[:8].upper()}",
        "happened_at": now,
        "support_phone": settings.SUPPORT_PHONE,
    }


def _request_id(request) -> str:
    return getattr(request, "request_id", "")
