"""政策: what holds in a place, its history, and what a county sets of it."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from subsidies.forms.policies import RateForm, VersionForm
from subsidies.models import PolicyRate, PolicyVersion
from subsidies.policies import catalogue, history, overview, terms
from subsidies.policies.book import policy_book
from subsidies.policies.decisions import resting
from subsidies.policies.places import places_of
from subsidies.services import policies as services

CHECK, BACK = "check", "back"


@requires(Permission.BENEFIT_VIEW)
@require_safe
def policy_list(request):
    """Every policy of the catalogue, as it holds in a place today."""
    today, place = dates.today(), place_of(request)
    return render(
        request,
        "subsidies/policy_list.html",
        {**shared(request, place), "rows": overview.rows_of(request.user, place, today)},
    )


@requires(Permission.BENEFIT_VIEW)
@require_safe
def policy_detail(request, code):
    """What holds today in a place, in words; every version and rate; what is set for later."""
    policy, today, place = known_policy(code), dates.today(), place_of(request)
    book = policy_book(today)
    rule = book.rule(code, place.path)
    return render(
        request,
        "subsidies/policy_detail.html",
        {
            **shared(request, place),
            "policy": policy,
            "rule": rule,
            "row": overview.row_of(policy, book, request.user, place),
            "who": catalogue.WHO[policy.who],
            "cycle": catalogue.CYCLES[policy.cycle],
            "starts": catalogue.STARTS[rule.starts],
            "ends": catalogue.ENDS[rule.ends],
            "notice": terms.notice_words(rule.notice_days),
            "shares": sorted(rule.shares.items(), key=lambda s: catalogue.PAYERS.index(s[0])),
            "total": sum(rule.shares.values()),
            "criteria": terms.criteria_words(rule),
            "left_out": terms.left_out(rule),
            "excludes": [catalogue.name_of(other) for other in rule.excludes],
            "due": book.due(code, place.path, today.year),
            "versions": history.versions_of(request.user, code, today),
            "rates": history.rates_of(request.user, code, place, today),
        },
    )


@requires(Permission.BENEFIT_VIEW)
@require_safe
def policy_compare(request, code):
    """Two versions of a policy, field by field."""
    policy, user = known_policy(code), request.user
    choices = history.version_choices(user, code)
    newest = [key for key, _ in choices]
    asked_old = request.GET.get("old") or newest[min(1, len(newest) - 1)]
    asked_new = request.GET.get("new") or newest[0]
    old, new = (history.rule_by_key(user, code, key) for key in (asked_old, asked_new))
    if old is None or new is None:
        raise Http404
    return render(
        request,
        "subsidies/policy_compare.html",
        {
            "policy": policy,
            "choices": choices,
            "old": asked_old,
            "new": asked_new,
            "lines": terms.side_by_side(old, new),
        },
    )


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def policy_version_create(request, code):
    """Switch a policy on or off, or change its rule; checked against what holds before it is saved."""
    policy, today, place = known_policy(code), dates.today(), place_of(request)
    rule = policy_book(today).rule(code, place.path)
    form = VersionForm(
        request.POST if request.method == "POST" else None,
        rule=rule,
        today=today,
        switch="on" in request.GET,
    )
    page = {**shared(request, place), "policy": policy, "form": form, "rule": rule}
    step = request.POST.get("step", CHECK)
    if request.method != "POST" or not form.is_valid() or step == BACK:
        return render(request, "subsidies/policy_version_form.html", page)
    wanted = {
        "by": request.user,
        "policy_code": code,
        "setting": form.setting(place),
        "terms": form.terms(),
        "today": today,
    }
    try:
        if step == CHECK:
            old, new = services.check_version(**wanted)
            return render(
                request,
                "subsidies/policy_check.html",
                _check(request, place, policy, form) | {"lines": terms.side_by_side(old, new)},
            )
        version = services.set_version(**wanted)
    except RuleViolation as violation:
        refuse(form, violation)
        return render(request, "subsidies/policy_version_form.html", page)
    messages.success(request, f"已设定{policy.name}：{place.name}从{version.from_on}起执行。")
    return redirect(detail_url(policy, place))


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def policy_rate_create(request, code):
    """Enter a rate, or each grade's, from a day on."""
    policy, today, place = known_policy(code), dates.today(), place_of(request)
    if policy.in_kind:
        raise Http404
    form = RateForm(
        request.POST if request.method == "POST" else None,
        policy=policy,
        amounts=history.current_amounts(code, place, today),
        today=today,
    )
    page = {**shared(request, place), "policy": policy, "form": form}
    step = request.POST.get("step", CHECK)
    if request.method != "POST" or not form.is_valid() or step == BACK:
        return render(request, "subsidies/policy_rate_form.html", page)
    setting, amounts = form.setting(place), form.amounts()
    wanted = {
        "by": request.user,
        "policy_code": code,
        "setting": setting,
        "amounts": amounts,
        "today": today,
    }
    try:
        if step == CHECK:
            services.check_rates(**wanted)
            lines = history.rate_lines(policy, place, setting.from_on, amounts)
            return render(
                request,
                "subsidies/policy_check.html",
                _check(request, place, policy, form) | {"lines": lines, "is_rate": True},
            )
        services.set_rates(**wanted)
    except RuleViolation as violation:
        refuse(form, violation)
        return render(request, "subsidies/policy_rate_form.html", page)
    messages.success(request, f"已设定{policy.name}标准：{place.name}从{setting.from_on}起执行。")
    return redirect(detail_url(policy, place))


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
def policy_version_cancel(request, pk):
    """Take back a version before its day."""
    return cancel(request, PolicyVersion, pk)


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
def policy_rate_cancel(request, pk):
    """Take back a rate before its day."""
    return cancel(request, PolicyRate, pk)


def cancel(request, model, pk: int, back: str = ""):
    """Confirm, then cancel a row that is set for a day to come; rows of other regions are not found."""
    rows = model.objects.visible_to(request.user).select_related("region")
    row = get_object_or_404(rows, pk=pk)
    back = back or detail_url(row.policy, row.region)
    refused = ""
    if request.method == "POST":
        try:
            services.cancel_row(by=request.user, row=row, today=dates.today(), now=timezone.now())
        except RuleViolation as violation:
            refused = violation.message
        else:
            messages.success(request, f"已取消{row.policy.name}从{row.from_on}起的设定。")
            return redirect(back)
    return render(
        request,
        "subsidies/policy_cancel.html",
        {
            "row": row,
            "what": overview.what_is(row, policy_book(dates.today())),
            "back": back,
            "refused": refused,
        },
    )


def known_policy(code: str) -> catalogue.Policy:
    """The policy of an address; 404 for one that is not in the catalogue."""
    known = catalogue.policies().get(code)
    if known is None:
        raise Http404
    return known


def place_of(request) -> Region:
    """The place that ?place= asks for, by default the user's own; outside it, or a group: 404."""
    code = request.GET.get("place")
    if not code:
        return request.user.region
    places = Region.objects.visible_to(request.user).filter(level__lte=Region.Level.VILLAGE)
    return get_object_or_404(places, code=code)


def shared(request, place: Region) -> dict:
    """What every page about a place shows: the place, the others to choose, whether anything may be set."""
    return {
        "place": place,
        "places": places_of(request.user),
        "today": dates.today(),
        "can_set": request.user.may(Permission.BENEFIT_RULE),
    }


def detail_url(policy: catalogue.Policy, place: Region) -> str:
    """The policy's page for the place."""
    return reverse("subsidies:policy-detail", args=[policy.code]) + f"?place={place.code}"


def _check(request, place: Region, policy: catalogue.Policy, form) -> dict:
    from_on = form.cleaned_data["from_on"]
    return {
        **shared(request, place),
        "policy": policy,
        "from_on": from_on,
        "document": form.cleaned_data["document"] + form.cleaned_data["article"],
        "resting": resting(policy.code, place, dates.today()),
        "followed": history.next_after(type_of(form), policy.code, place, from_on),
        "own_rules": overview.own_rules_below(policy_book(from_on), policy.code, place.path),
        "posted": editing.posted_pairs(form.data),
        "back": detail_url(policy, place),
    }


def type_of(form):
    """The model that a form's rows are of."""
    return PolicyVersion if isinstance(form, VersionForm) else PolicyRate
