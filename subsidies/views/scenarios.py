"""测算: what a changed rule would cost, kept as a note for the budget."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.listing import Asked
from fpadmin.ui.lists import list_page, registered_list_page
from subsidies.eligibility.months import usual_day
from subsidies.eligibility.questions import day_of
from subsidies.forms.outlook import KeepForm, OutlookForm, ScenarioForm
from subsidies.outlook import scenario_list, whatif
from subsidies.outlook.asking import Wanted, wanted
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.services import scenarios

CHECK, BACK, SAVE = "check", "back", "save"
LINES_A_PAGE = 18


@requires(Permission.BENEFIT_BUDGET)
@require_safe
def scenario_list_page(request):
    """The what-ifs that were kept."""
    return list_page(
        request,
        scenario_list.scenarios_of(request.user),
        template="subsidies/scenario_list.html",
        title="测算",
        table_class=scenario_list.ScenarioTable,
    )


@requires(Permission.BENEFIT_BUDGET)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def scenario_create(request):
    """Change a copy of a rule; see people and yuan beside those of the rule in force; keep it."""
    asked, today = Asked.by(request), dates.today()
    want = wanted(asked)
    chosen = OutlookForm(request.GET, user=request.user, today=today, want=want)
    if request.GET.get("policy") and want is None or not chosen.is_valid() and want:
        raise Http404
    context = {"want": want, "chosen": chosen}
    if want is None or want.region is None:
        return render(request, "subsidies/scenario_form.html", context)
    form = _form(request, want, today)
    step = request.POST.get("step", CHECK)
    context["form"] = form
    if request.method != "POST" or not form.is_valid() or step == BACK:
        return render(request, "subsidies/scenario_form.html", context)
    keep = KeepForm(request.POST if step == SAVE else None)
    if step == SAVE and keep.is_valid():
        try:
            scenario = scenarios.keep_scenario(
                by=request.user,
                code=want.code,
                region=want.region,
                as_of=form.cleaned_data["as_of"],
                change=form.cleaned_data["change"],
                today=today,
                **keep.cleaned_data,
            )
        except RuleViolation as violation:
            refuse(keep, violation)
        else:
            messages.success(request, "测算已留存。它只是一份说明，没有改动任何政策、名册和资金。")
            return redirect("subsidies:scenario-detail", scenario.pk)
    return render(request, "subsidies/scenario_check.html", context | _preview(want, form, keep))


@requires(Permission.BENEFIT_BUDGET)
@require_safe
def scenario_detail(request, pk):
    """A kept what-if: its figures as they were measured; the lists are those of now."""
    scenario = get_object_or_404(scenario_list.scenarios_of(request.user), pk=pk)
    codes = list(scenario.figures)
    villages = Region.objects.visible_to(request.user).filter(code__in=codes)
    keys = dict(villages.values_list("code", "pk"))
    rows = whatif.rows_of(scenario.figures)
    lines = [(row, scenario_list.drawn(scenario, row, keys)) for row in [*rows, whatif.total(rows)]]
    return render(
        request, "subsidies/scenario_detail.html", _described(scenario) | {"lines": lines}
    )


@requires(Permission.BENEFIT_BUDGET)
@require_safe
def scenario_print(request, pk):
    """A kept what-if on paper: of a sensitive policy small villages stand only together."""
    scenario = get_object_or_404(scenario_list.scenarios_of(request.user), pk=pk)
    rows = whatif.rows_of(scenario.figures)
    shown = scenario_list.pooled(rows) if _policy(scenario).sensitive else rows
    lines = [*shown, whatif.total(rows)]
    context = {
        "sheets": [lines[at : at + LINES_A_PAGE] for at in range(0, len(lines), LINES_A_PAGE)],
        "is_pooled": shown is not rows,
        "day": dates.today(),
    }
    return render(request, "subsidies/scenario_print.html", _described(scenario) | context)


@requires(Permission.BENEFIT_BUDGET)
@require_safe
def scenario_people_list(request):
    """The people behind a figure of a what-if."""
    key = request.GET.get("scenario", "")
    found = scenario_list.scenarios_of(request.user)
    scenario = found.filter(pk=key).first() if key.isascii() and key.isdigit() else None
    if key and scenario is None:
        raise Http404
    sensitive = scenario is not None and _policy(scenario).sensitive
    return registered_list_page(
        request,
        scenario_list.SENSITIVE_KEY if sensitive else scenario_list.KEY,
        template="subsidies/scenario_people_list.html",
        extra={"scenario": scenario},
    )


def _form(request, want: Wanted, today) -> ScenarioForm:
    """The form of the rule in force on the day that was typed, first on the policy's usual day."""
    day = day_of(request.POST.get("as_of", ""), want.code, today)
    book = policy_book(day or usual_day(want.code, today))
    return ScenarioForm(
        request.POST if request.method == "POST" else None,
        rule=book.rule(want.code, want.path),
        book=book,
        path=want.path,
        today=today,
    )


def _preview(want: Wanted, form: ScenarioForm, keep: KeepForm) -> dict:
    data = form.cleaned_data
    one = whatif.trial(want.code, want.region, data["as_of"], data["change"])
    rows = whatif.measure(one)
    return {
        "keep": keep,
        "day": data["as_of"],
        "changes": whatif.lines_of(want.code, whatif.as_kept(one)),
        "pairs": [(row, scenario_list.bare(row)) for row in [*rows, whatif.total(rows)]],
        "once": want.policy.cycle == "once",
        "by_roll": whatif.measured_by_roll(want.code),
        "posted": [
            (name, value)
            for name, value in editing.posted_pairs(form.data)
            if name not in keep.fields and name != "once"
        ],
    }


def _described(scenario) -> dict:
    return {
        "scenario": scenario,
        "policy": _policy(scenario),
        "once": _policy(scenario).cycle == "once",
        "unit": scenario_list.unit_of(scenario.policy_code),
        "changes": whatif.lines_of(scenario.policy_code, scenario.changes),
        "by_roll": whatif.measured_by_roll(scenario.policy_code),
    }


def _policy(scenario) -> catalogue.Policy:
    return catalogue.policy(scenario.policy_code)
