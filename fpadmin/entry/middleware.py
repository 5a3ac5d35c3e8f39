"""What was typed into a form isn't lost when its POST comes after the session has run out."""

import contextlib

from django.utils import timezone

from fpadmin.entry import services
from fpadmin.entry.pages import form_key, posted_token
from fpadmin.errors import RuleViolation


class KeepExpiredFormMiddleware:
    """Keeps such a POST as a draft of the person whose session it was; nothing of it is carried out.

    Stands behind SessionPolicyMiddleware, which names that person, and before
    LoginRequiredMiddleware, which then leads to the sign-in page. Django has checked the form's
    CSRF token by then.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        user = getattr(request, "expired_user", None)
        token = posted_token(request) if user else ""
        if token and getattr(view, "keeps_drafts", False) and user.may(view.required_permission):
            with contextlib.suppress(RuleViolation):
                services.keep_draft(
                    by=user,
                    form=form_key(request),
                    token=token,
                    data=request.POST,
                    now=timezone.now(),
                )
