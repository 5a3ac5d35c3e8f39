"""The exclusion matrix, the deadlines of returns, and the corrections of the holiday calendar."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import list_page
from subsidies.forms.policies import YES, DeadlineForm, ExclusionForm, WorkdayForm
from subsidies.models import PolicyExclusion, ReturnDeadline
from subsidies.policies import history, overview
from subsidies.policies.workday_list import WorkdayTable, all_changes
from subsidies.services import policies as services
from subsidies.services.workdays import set_workdays
from subsidies.views.policies import cancel, place_of, shared

DECIDED_STAYS = "已经认定的不改变。"
POSTED_STAYS = "已经张贴的公示不重新计算。"


@requires(Permission.BENEFIT_VIEW)
@require_safe
def policy_matrix(request):
    """Which policies may not be drawn together in a place today, and what was set of it."""
    place, today = place_of(request), dates.today()
    return render(
        request,
        "subsidies/policy_matrix.html",
        {
            **shared(request, place),
            "rows": overview.matrix(place, today),
            "lines": history.settings_of(request.user, PolicyExclusion, today),
        },
    )


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def policy_exclusion_create(request):
    """Whether two policies may be drawn together, from a day on."""
    place, today = place_of(request), dates.today()
    asked = {name: request.GET.get(name, "") for name in ("policy_code", "other_code")}
    form = ExclusionForm(
        request.POST if request.method == "POST" else None, today=today, initial=asked
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            rows = services.set_exclusion(
                by=request.user,
                policy_code=data["policy_code"],
                other_code=data["other_code"],
                setting=form.setting(place),
                excluded=data["excluded"] == YES,
                both=data["both"],
                today=today,
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已设定：{place.name}从{rows[0].from_on}起执行。")
            return redirect(_back("subsidies:policy-matrix", place))
    return _form(request, place, form, "设定能否同时享受", "subsidies:policy-matrix", "政策互斥")


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
def policy_exclusion_cancel(request, pk):
    """Take back an exclusion before its day."""
    return cancel(request, PolicyExclusion, pk, back=reverse("subsidies:policy-matrix"))


@requires(Permission.BENEFIT_VIEW)
@require_safe
def policy_deadline_list(request):
    """By when each policy's return is due this year in a place, and what was set of it."""
    place, today = place_of(request), dates.today()
    return render(
        request,
        "subsidies/policy_deadline_list.html",
        {
            **shared(request, place),
            "rows": overview.deadlines(place, today),
            "lines": history.settings_of(request.user, ReturnDeadline, today),
        },
    )


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def policy_deadline_create(request):
    """The day of each year by which a policy's return is due, from a day on."""
    place, today = place_of(request), dates.today()
    form = DeadlineForm(
        request.POST if request.method == "POST" else None,
        today=today,
        initial={"policy_code": request.GET.get("policy_code", "")},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            row = services.set_deadline(
                by=request.user,
                policy_code=data["policy_code"],
                setting=form.setting(place),
                month=data["month"],
                day=data["day"],
                today=today,
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            due = f"{row.month}月{row.day}日"
            messages.success(request, f"已设定{row.policy.name}上报期限为每年{due}。")
            return redirect(_back("subsidies:policy-deadline-list", place))
    return _form(request, place, form, "设定上报期限", "subsidies:policy-deadline-list", "上报期限")


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
def policy_deadline_cancel(request, pk):
    """Take back a deadline before its day."""
    return cancel(request, ReturnDeadline, pk, back=reverse("subsidies:policy-deadline-list"))


@requires(Permission.BENEFIT_VIEW)
@require_safe
def workday_list(request):
    """Days that are worked or not otherwise than the calendar that came with the product says."""
    return list_page(
        request,
        all_changes(),
        template="subsidies/workday_list.html",
        title="节假日调整",
        unit="天",
        table_class=WorkdayTable,
        extra={"can_set": request.user.may(Permission.BENEFIT_RULE)},
    )


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def workday_create(request):
    """Enter days of an arrangement that was announced."""
    form = WorkdayForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            rows = set_workdays(
                by=request.user,
                first=data["first"],
                last=data["last"] or data["first"],
                is_workday=data["is_workday"] == YES,
                document=data["document"],
                today=dates.today(),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已登记{len(rows)}天。")
            return redirect("subsidies:workday-list")
    return _form(request, None, form, "登记节假日调整", "subsidies:workday-list", "节假日调整")


def _form(request, place, form, title: str, back: str, back_label: str):
    return render(
        request,
        "subsidies/policy_form.html",
        {
            "place": place,
            "form": form,
            "form_title": title,
            "back_label": back_label,
            "hint": DECIDED_STAYS if place else POSTED_STAYS,
            "back": _back(back, place) if place else reverse(back),
        },
    )


def _back(name: str, place) -> str:
    return f"{reverse(name)}?place={place.code}"
