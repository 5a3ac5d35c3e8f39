"""Needs of special families: listed, opened without a visit, closed, passed on."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households import services
from households.forms.special_log import NeedCloseForm, NeedForm, NeedPassForm
from households.models import FollowUp
from households.special import need_list
from households.special.archive_list import parent_names
from households.views.special_log import family_of


@requires(Permission.SPECIAL_VIEW)
@require_safe
def special_need_list(request):
    """The needs of the families that the user may see."""
    return registered_list_page(
        request, need_list.KEY, template="households/special_need_list.html"
    )


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_need_create(request, pk):
    """A need that came up outside a visit."""
    family, today = family_of(request, pk), dates.today()
    posted = request.POST if request.method == "POST" else None
    form = NeedForm(posted, user=request.user, family=family, today=today)
    if posted is not None and form.is_valid():
        try:
            services.open_follow_up(by=request.user, family=family, today=today, **form.values())
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "需求已登记，到期会提醒负责人。")
            return redirect(_needs(family))
    context = {"form": form, "family": family, "cancel": _needs(family)}
    return render_form(request, "households/special_need_form.html", context)


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_need_close(request, pk):
    """Say what came of a need."""
    need, today = _need(request, pk), dates.today()
    posted = request.POST if request.method == "POST" else None
    form = NeedCloseForm(posted, initial={"closed_on": today})
    if posted is not None and form.is_valid():
        try:
            services.close_follow_up(
                by=request.user, follow_up=need, today=today, **form.cleaned_data
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "需求已办结。")
            return redirect(_needs(need.family))
    return _need_page(request, "close", form, need)


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_need_pass(request, pk):
    """Another contact sees to a need, or by another day."""
    need = _need(request, pk)
    posted = request.POST if request.method == "POST" else None
    form = NeedPassForm(posted, user=request.user, family=need.family)
    if posted is not None and form.is_valid():
        try:
            services.pass_follow_up(
                by=request.user,
                follow_up=need,
                owner=form.cleaned_data["owner"].person,
                due_on=form.cleaned_data["due_on"],
                today=dates.today(),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "需求已转办。")
            return redirect(_needs(need.family))
    return _need_page(request, "pass", form, need)


def _need(request, pk) -> FollowUp:
    needs = FollowUp.objects.visible_to(request.user).annotate(names=parent_names("family"))
    return get_object_or_404(
        needs.select_related("family__household__village", "owner", "record"), pk=pk
    )


def _needs(family) -> str:
    return f"{family.get_absolute_url()}#needs"


def _need_page(request, act: str, form, need: FollowUp):
    context = {"form": form, "need": need, "cancel": _needs(need.family)}
    return render(request, f"households/special_need_{act}.html", context)
