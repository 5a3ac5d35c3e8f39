"""Ends sessions that are idle or too old, and holds a first password to its change page.

Activity is what a person asks for: a page that asks again by itself keeps no session alive.

Sessions of an older session_version or password end by the account's session hash, in Django's own
authentication middleware (User.get_session_auth_hash).
"""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

STARTED, SEEN = "signed_in_at", "seen_at"
# Where somebody with a temporary password may go. Static files never reach this middleware.
FIRST_PASSWORD_VIEWS = {"accounts:password-change", "accounts:sign-out", "help", "healthz"}
# The time of the last request is written once a minute, not with every request.
SEEN_EVERY_SECONDS = 60
# Views that a page asks for by itself, again and again.
POLLED_VIEWS = {"jobs:job-progress", "accounts:session-left"}
WARN_SECONDS = 120  # how long before the end the page asks whether to go on


def begin(session) -> None:
    """Start both clocks of a session; call it at sign-in."""
    session[STARTED] = session[SEEN] = _now()


def seconds_left(session) -> tuple[int, bool]:
    """How long the session lasts if nothing more is asked for, and whether asking would extend it."""
    now = _now()
    idle = settings.SESSION_IDLE_MINUTES * 60 - (now - session.get(SEEN, now))
    whole = settings.SESSION_ABSOLUTE_HOURS * 3600 - (now - session.get(STARTED, now))
    return max(0, min(idle, whole)), idle < whole


def extend(session) -> None:
    """The person is still there: the idle time begins anew, the absolute one doesn't."""
    session[SEEN] = _now()


class SessionPolicyMiddleware:
    """Idle and absolute time-out, and the forced change of a temporary password.

    A request whose session has just run out goes on as nobody's; `expired_user` says whose it was.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            _enforce(request)
        response = self.get_response(request)
        return _whole_page_for_htmx(request, response)

    def process_view(self, request, view, args, kwargs):
        user = request.user
        if not user.is_authenticated:
            return None
        if request.resolver_match.view_name not in POLLED_VIEWS:
            _note_activity(request.session)
        if not user.must_change_password:
            return None
        if request.resolver_match.view_name in FIRST_PASSWORD_VIEWS:
            return None
        return redirect("accounts:password-change")


def _enforce(request) -> None:
    session, now = request.session, _now()
    session.setdefault(STARTED, now)
    session.setdefault(SEEN, now)
    idle = now - session[SEEN] > settings.SESSION_IDLE_MINUTES * 60
    if idle or now - session[STARTED] > settings.SESSION_ABSOLUTE_HOURS * 3600:
        request.expired_user = request.user
        logout(request)


def _note_activity(session) -> None:
    if _now() - session[SEEN] >= SEEN_EVERY_SECONDS:
        extend(session)


def _whole_page_for_htmx(request, response):
    """A fragment request whose session ended goes to the sign-in page as a whole page."""
    location = response.headers.get("Location", "")
    if "HX-Request" not in request.headers or response.status_code != 302:
        return response
    if urlsplit(location).path != reverse(settings.LOGIN_URL):
        return response
    page = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
    target = f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': page})}"
    return HttpResponse(status=204, headers={"HX-Redirect": target})


def _now() -> int:
    return int(timezone.now().timestamp())
