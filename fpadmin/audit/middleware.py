"""Gives every request an id, lets the audit log know where it came from, and records refusals."""

import ipaddress
import uuid

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from fpadmin.audit import log
from fpadmin.audit.log import RequestTrace, trace

# Refused requests that one session may write into the trail in an hour.
DENIALS_AN_HOUR = 30


def client_address(meta) -> str:
    """Who speaks to us: the peer, or the address that our own proxy appended; "" where unknown.

    Only the last entry of X-Forwarded-For is our proxy's; the rest is whatever the client wrote.
    """
    text = meta.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        text = meta.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2]
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


class RequestIdMiddleware:
    """One id per request, in the answer's X-Request-Id and in every event of the request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.request_id = uuid.uuid4().hex
        request.META["REMOTE_ADDR"] = address = client_address(request.META)
        token = trace.set(
            RequestTrace(
                address=address or None,
                user_agent=request.META.get("HTTP_USER_AGENT", "")[:200],
                request_id=request.request_id,
            )
        )
        try:
            response = self.get_response(request)
        finally:
            trace.reset(token)
        response["X-Request-Id"] = request.request_id
        return response


class DeniedAccessMiddleware:
    """Records that somebody asked for a page that his role may not open."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, PermissionDenied) or not request.user.is_authenticated:
            return
        hour = int(timezone.now().timestamp()) // 3600
        last_hour, count = request.session.get("denials", (hour, 0))
        count = count + 1 if last_hour == hour else 1
        if count > DENIALS_AN_HOUR:
            return
        request.session["denials"] = (hour, count)
        log.record(
            "access.denied",
            by=request.user,
            changes={"page": request.resolver_match.view_name, "method": request.method},
            result="refused",
        )
