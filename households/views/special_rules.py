"""联系要求: what a region asks of the contacts of special families, by day and document."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, render_form
from fpadmin.errors import RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import list_page
from households import services
from households.forms.special_rules import RuleForm
from households.special import rule_list, staffing

CHECK, BACK = "check", "back"


@requires(Permission.SPECIAL_RULE_VIEW)
@require_safe
def special_rule_list(request):
    """Which rule counts for the user's region, and every rule set for it, below or above it."""
    today = dates.today()
    current = rule_list.in_force(request.user, today)
    return list_page(
        request,
        rule_list.rules_for(request.user, today),
        template="households/special_rule_list.html",
        title="联系要求",
        table_class=rule_list.RuleTable,
        extra={
            "current": current,
            "kinds": "、".join(current.rule.kinds_required),
            "can_set": request.user.may(Permission.SPECIAL_RULE),
            "section": _section(request.user),
        },
    )


@requires(Permission.SPECIAL_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_rule_create(request):
    """A rule of the user's own region; before it is set, how many families would fall short today."""
    today, region = dates.today(), request.user.region
    current = rule_list.in_force(request.user, today)
    form = RuleForm(
        request.POST if request.method == "POST" else None, rule=current.rule, today=today
    )
    step = request.POST.get("step", CHECK)
    if request.method != "POST" or not form.is_valid() or step == BACK:
        return _form(request, form, current)
    if step == CHECK:
        return render(
            request, "households/special_rule_check.html", _preview(request, form, current)
        )
    try:
        rule = services.set_care_rule(
            by=request.user,
            region=region,
            from_on=form.cleaned_data["from_on"],
            values=form.values(),
            today=today,
        )
    except RuleViolation as violation:
        refuse(form, violation)
        return _form(request, form, current)
    messages.success(request, f"已设定{region.name}从{rule.from_on}起的联系要求。")
    return redirect("households:special-rule-list")


def _form(request, form: RuleForm, current: rule_list.InForce):
    return render_form(
        request,
        "households/special_rule_form.html",
        {
            "form": form,
            "current": current,
            "section": _section(request.user),
            "cancel": reverse("households:special-rule-list"),
        },
    )


def _preview(request, form: RuleForm, current: rule_list.InForce) -> dict:
    today, region = dates.today(), request.user.region
    short, total = staffing.numbers_under(region, form.values(), today)
    now, _ = staffing.numbers_now(region, today)
    return {
        "region": region,
        "from_on": form.cleaned_data["from_on"],
        "lines": form.lines(current.rule),
        "short": short,
        "now": now,
        "total": total,
        "posted": editing.posted_pairs(form.data),
        "section": _section(request.user),
        "cancel": reverse("households:special-rule-list"),
    }


def _section(user) -> str:
    """Where the breadcrumb begins: the county opens no archives."""
    sees = user.may(Permission.SPECIAL_VIEW)
    return "households:special-family-list" if sees else "households:special-rule-list"
