"""The decorators and the render function of a form with drafts; the package's docstring shows their use."""

import re
import secrets
from dataclasses import dataclass
from functools import wraps

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from fpadmin.entry import services
from fpadmin.entry.models import Draft
from fpadmin.errors import RuleViolation

ALREADY_SUBMITTED = "该表单已提交，没有重复保存。"
STEPS_THAT_SAVE_NOTHING = {"check", "back", "preview"}
RESTORE, DISCARD, SAVE = "restore", "discard", "save"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass
class Entry:
    """One page of a form: its token, and the draft that waits for it or was restored into it."""

    form: str
    token: str
    offered: Draft | None = None
    restored: Draft | None = None


def once(view):
    """A POST that carries the token of {% once %} does its work once, however often it is sent.

    The second gets the first one's redirect. A refused POST may be sent again.
    """

    @wraps(view)
    def guarded(request, *args, **kwargs):
        token = posted_token(request)
        if not token or request.POST.get("step") in STEPS_THAT_SAVE_NOTHING:
            return view(request, *args, **kwargs)
        answer, location = services.answer_once(
            by=request.user,
            token=token,
            now=timezone.now(),
            act=lambda: view(request, *args, **kwargs),
        )
        if answer is None:
            messages.info(request, ALREADY_SUBMITTED)
            return redirect(location)
        return answer

    return guarded


def entry_form(view):
    """The view shows a form by render_form(); what is typed there is kept as a draft until it saves.

    Implies `once`. Stands below @requires, so that only who may open the form keeps drafts of it.
    """
    guarded = once(view)

    @wraps(view)
    def kept(request, *args, **kwargs):
        request.entry = _opened(request)
        wish = request.POST.get("entry")
        if wish == SAVE:
            return _save(request)
        if wish == DISCARD:
            services.discard_draft(by=request.user, form=request.entry.form)
            return redirect(_without_wish(request))
        if request.GET.get("draft") == DISCARD and request.entry.offered:
            return render(
                request,
                "entry/draft_discard.html",
                {"draft": request.entry.offered, "cancel": _without_wish(request)},
            )
        answer = guarded(request, *args, **kwargs)
        if posted_token(request):
            _keep_or_drop(request, done=answer.status_code == 302)
        return answer

    kept.keeps_drafts = True
    return kept


def render_form(request: HttpRequest, template: str, context: dict, **options) -> HttpResponse:
    """render() for a view under @entry_form: a draft asked for stands in context["form"]."""
    entry = request.entry
    if entry.restored:
        data = services.restored(entry.restored)
        _fill(context["form"], data)
        context = context | {n: data[n] for n in ("row_version", "opened") if n in data}
    return render(request, template, context | {"entry": entry}, **options)


def posted_token(request: HttpRequest) -> str:
    """The token that the page was given, "" where there is none of ours."""
    token = request.POST.get("once", "")
    return token if _TOKEN.fullmatch(token) else ""


def page_token(request: HttpRequest) -> str:
    """The token of this page: a form that comes back keeps the one it was sent with."""
    return posted_token(request) or secrets.token_urlsafe(32)


def form_key(request: HttpRequest) -> str:
    """Which form on which record: the name of the view and its arguments."""
    match = request.resolver_match
    return ":".join([match.view_name, *map(str, match.kwargs.values())])[:200]


def _opened(request) -> Entry:
    entry = Entry(form_key(request), page_token(request))
    draft = Draft.objects.visible_to(request.user).filter(form=entry.form).first()
    if draft is None or (posted_token(request) and draft.token == entry.token):
        return entry
    if request.GET.get("draft") == RESTORE and request.method in ("GET", "HEAD"):
        # The restored page goes on as the page that wrote the draft.
        entry.restored, entry.token = draft, draft.token
    else:
        entry.offered = draft
    return entry


def _save(request) -> HttpResponse:
    """Answer an autosave: 204, or 409 with the reason."""
    token = posted_token(request)
    if not token:
        return HttpResponse(status=400)
    try:
        services.keep_draft(
            by=request.user,
            form=request.entry.form,
            token=token,
            data=request.POST,
            now=timezone.now(),
        )
    except RuleViolation as violation:
        return HttpResponse(violation.message, status=409, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)


def _keep_or_drop(request, *, done: bool) -> None:
    """After a POST: the draft has served, or it holds what was posted last."""
    if done:
        services.drop_submitted(by=request.user, token=posted_token(request))
    else:
        _save(request)


def _fill(form: forms.BaseForm, data: QueryDict) -> None:
    """Show `data` in an unbound form as it was typed, without judging it."""
    form.initial = form.initial | {
        name: field.widget.value_from_datadict(data, {}, form.add_prefix(name))
        for name, field in form.fields.items()
    }


def _without_wish(request) -> str:
    query = request.GET.copy()
    query.pop("draft", None)
    return f"{request.path}?{query.urlencode()}" if query else request.path
