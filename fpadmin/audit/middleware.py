"""Gives every request an id and lets the audit log know where it came from."""

import uuid

from fpadmin.audit.log import RequestTrace, trace


class RequestIdMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.request_id = uuid.uuid4().hex
        token = trace.set(
            RequestTrace(
                address=request.META.get("REMOTE_ADDR") or None,
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
