"""Rosters on paper, and who entered and left the rolls in a year."""

from urllib.parse import urlencode

from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.listing import Asked
from fpadmin.ui.lists import registered_list_page
from subsidies.forms.reviews import RosterForm
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.reviews import roster, turnover_list
from subsidies.rolls.roll_list import codes_of
from subsidies.services.rosters import record_roster_print


@requires(Permission.BENEFIT_ANNUAL)
@require_safe
def roster_print(request):
    """The paper that the address asks for, recorded as printed; without a policy the form for it."""
    today = dates.today()
    asked = "policy" in request.GET
    on = policy_book(today).on_codes_within(request.user.scope_path)
    form = RosterForm(
        request.GET if asked else None, user=request.user, today=today, policy=next(iter(on), "")
    )
    if not form.is_valid():
        return render(request, "subsidies/roster_form.html", {"form": form})
    wanted = form.cleaned_data
    kind, policy, place = wanted["kind"], catalogue.policy(wanted["policy"]), wanted["place"]
    lines = roster.lines_of(kind, policy.code, place, wanted["year"], today)
    title = f"{policy.name}对象{roster.KINDS[kind]}"
    record_roster_print(
        by=request.user, place=place, what=f"{wanted['year']}年度{title}", count=len(lines)
    )
    return render(
        request,
        "subsidies/roster_print.html",
        {
            "title": title,
            "kind": kind,
            "policy": policy,
            "year": wanted["year"],
            "place": place,
            "sheets": roster.sheets_of(lines, place),
            "count": len(lines),
            "unit": "人",
            "now": timezone.now(),
            "back": _back(kind, policy, wanted["year"], place),
        },
    )


@requires(Permission.BENEFIT_ANNUAL)
@require_safe
def review_exits(request):
    """Who entered or left in a year, of a policy that tells nothing of a child's death or illness."""
    if request.GET.get("policy") in codes_of(request.user, sensitive=True):
        target = reverse("subsidies:review-exits-sensitive")
        return redirect(f"{target}?{request.GET.urlencode()}")
    return _turnover(request, turnover_list.KEY)


@requires(Permission.BENEFIT_ANNUAL)
@require_safe
def review_exits_sensitive(request):
    """The same of the others, for who may know of them."""
    return _turnover(request, turnover_list.SENSITIVE_KEY)


def _turnover(request, key: str):
    sensitive = key == turnover_list.SENSITIVE_KEY
    want = turnover_list.wanted(Asked.by(request), sensitive=sensitive)
    return registered_list_page(
        request,
        key,
        template="subsidies/review_exits.html",
        extra={
            "tab": key,
            "has_sensitive": bool(codes_of(request.user, sensitive=True)),
            "side": turnover_list.SIDES[want["side"]],
            "policy_name": catalogue.name_of(want.get("policy", "")),
            "year": want["year"],
            "print_url": _print_url(request, want),
        },
    )


def _print_url(request, want) -> str:
    """The paper of the list: of the village that is chosen, else of the user's township."""
    villages = Region.objects.visible_to(request.user).filter(level=Region.Level.VILLAGE)
    chosen = want.get("village", "")
    place = villages.filter(pk=chosen).first() if chosen.isdigit() else None
    if place is None and request.user.region.level == Region.Level.TOWNSHIP:
        place = request.user.region
    query = {"kind": want["side"], "policy": want.get("policy", ""), "year": want["year"]}
    if place:
        query["place"] = place.code
    return f"{reverse('subsidies:roster-print')}?{urlencode(query)}"


def _back(kind: str, policy, year: int, place) -> str:
    if kind == roster.ROSTER:
        return reverse("subsidies:roster-print")
    key = turnover_list.SENSITIVE_KEY if policy.sensitive else turnover_list.KEY
    query = {"side": kind, "policy": policy.code, "year": year}
    if place.level == Region.Level.VILLAGE:
        query["village"] = place.pk
    return f"{reverse(turnover_list.URLS[key])}?{urlencode(query)}"
