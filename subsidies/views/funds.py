"""资金台账: the list, one fund with its movements, what is written down; how many people a payment needs."""

from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.money import capital_yuan
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.listing import LISTS, Asked, filter_of
from fpadmin.ui.lists import list_page, registered_list_page
from subsidies.forms.funds import BudgetForm, EntryForm, FundForm, PersonsForm
from subsidies.funds import entering, entry_list, figures, fund_list, persons, sums
from subsidies.models import Fund, FundEntry, PaymentPersons
from subsidies.payments.people import persons_needed
from subsidies.services import funds as services
from subsidies.services import persons as persons_services

CHECK, BACK = "check", "back"
SECTION = ("资金台账", "subsidies:fund-list")


@requires(Permission.PAYMENT_VIEW)
@require_safe
def fund_list_page(request):
    """Every fund of the region, and what they come to; for a county by township too."""
    asked, user = Asked.by(request), request.user
    found = filter_of(LISTS[fund_list.KEY], asked).rows()
    above = user.region.level < Region.Level.TOWNSHIP
    return registered_list_page(
        request,
        fund_list.KEY,
        template="subsidies/fund_list.html",
        extra={
            "sums": sums.sums_of(found),
            "offices": sums.sums_by_office(found) if above else [],
            "can_enter": user.may(Permission.PAYMENT_FUND),
            "can_set_persons": user.may(Permission.PAYMENT_RULE),
        },
    )


@requires(Permission.PAYMENT_VIEW)
@require_safe
def fund_entry_list(request):
    """The movements of every fund, for a file too."""
    return registered_list_page(request, entry_list.KEY, template="subsidies/fund_entry_list.html")


@requires(Permission.PAYMENT_VIEW)
@require_safe
def fund_detail(request, pk):
    """One fund: balances in figures and words, who has sent how much, every movement."""
    fund, user = _fund(request, pk), request.user
    one = {"office": fund.office_id, "policy": fund.policy_code, "year": fund.year}
    return list_page(
        request,
        entry_list.for_list(FundEntry.objects.visible_to(user).filter(fund=fund)),
        template="subsidies/fund_detail.html",
        title="资金流水",
        unit="笔",
        table_class=entry_list.EntryTable,
        filter_class=entry_list.EntryFilter,
        extra={
            "fund": fund,
            "page": figures.page_of(fund),
            "can_enter": user.may(Permission.PAYMENT_FUND),
            "can_export": user.may(Permission.EXPORT),
            "list_key": entry_list.KEY,
            "export_query": urlencode(one),
        },
    )


@requires(Permission.PAYMENT_FUND)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def fund_create(request):
    """Begin the ledger of a policy's year in a township."""
    today = dates.today()
    form = FundForm(
        request.POST if request.method == "POST" else None,
        user=request.user,
        initial={"year": today.year},
    )
    if request.method == "POST" and form.is_valid():
        try:
            fund = services.open_fund(by=request.user, today=today, **form.cleaned_data)
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已建立台账。资金到账后，在这里登记。")
            return redirect("subsidies:fund-detail", fund.pk)
    return render_form(request, "subsidies/fund_form.html", {"form": form})


@requires(Permission.PAYMENT_FUND)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def fund_entry_create(request, pk):
    """Money that arrived or went back; looked over before it is written down."""
    fund, today, step = _fund(request, pk), dates.today(), request.POST.get("step", CHECK)
    form = EntryForm(
        request.POST if request.method == "POST" else None,
        payers=figures.payers_of(fund),
        today=today,
    )
    page = {"form": form, "fund": fund}
    if request.method != "POST" or not form.is_valid() or step == BACK:
        return render_form(request, "subsidies/fund_entry_form.html", page)
    values = form.cleaned_data
    asked = {name: value for name, value in values.items() if name != "note"}
    try:
        if step == CHECK:
            entering.refuse_entry(by=request.user, fund=fund, today=today, **asked)
            return render(request, "subsidies/fund_entry_check.html", _check(fund, form))
        entry = services.record_entry(
            by=request.user, fund=fund, today=today, now=dates.now(), **values
        )
    except RuleViolation as violation:
        refuse(form, violation)
        return render_form(request, "subsidies/fund_entry_form.html", page)
    messages.success(request, f"已登记{entry.get_kind_display()}{entry.amount:,.2f}元。")
    return redirect("subsidies:fund-detail", fund.pk)


@requires(Permission.PAYMENT_FUND)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def fund_budget(request, pk):
    """The year's budget and its document."""
    fund = _fund(request, pk)
    cancel, initial = reverse("subsidies:fund-detail", args=[pk]), BudgetForm.initial_of(fund)
    page = {"fund": fund, "cancel": cancel}
    if request.method != "POST":
        page |= {"form": BudgetForm(initial=initial), **editing.opened(fund, initial)}
        return render_form(request, "subsidies/fund_budget.html", page)
    opened = editing.opened_before(request)
    form = BudgetForm(editing.answers(request, initial), initial=initial)
    if form.is_valid():
        try:
            services.set_budget(
                by=request.user,
                fund=fund,
                row_version=opened["row_version"],
                budget=form.cleaned_data["budget"],
                document=form.cleaned_data["document"],
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request, form, conflict, section=SECTION, title=fund.policy.name, cancel=cancel
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已保存预算。")
            return redirect(cancel)
    return render_form(request, "subsidies/fund_budget.html", page | {"form": form, **opened})


@requires(Permission.PAYMENT_VIEW)
@require_safe
def persons_list(request):
    """How many people a payment needs in each township, and what was set of it."""
    user, today = request.user, dates.today()
    return render(
        request,
        "subsidies/persons_list.html",
        {
            "places": persons.places_now(user, today),
            "lines": persons.lines_of(user, today),
            "can_set": user.may(Permission.PAYMENT_RULE),
        },
    )


@requires(Permission.PAYMENT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def persons_create(request):
    """Set the number of people from a day on; looked over before it is saved."""
    user, today = request.user, dates.today()
    form = PersonsForm(request.POST if request.method == "POST" else None, user=user, today=today)
    step = request.POST.get("step", CHECK)
    if request.method != "POST" or not form.is_valid() or step == BACK:
        return render(request, "subsidies/persons_form.html", {"form": form})
    setting, number = form.setting(form.cleaned_data["region"]), int(form.cleaned_data["persons"])
    wanted = {"by": user, "setting": setting, "persons": number, "today": today}
    try:
        if step == CHECK:
            persons.refuse_persons(**wanted)
            return render(
                request, "subsidies/persons_check.html", _persons_check(form, setting, number)
            )
        row = persons_services.set_persons(**wanted)
    except RuleViolation as violation:
        refuse(form, violation)
        return render(request, "subsidies/persons_form.html", {"form": form})
    messages.success(
        request, f"已设定：{row.region.name}从{row.from_on}起{persons.WORDS[row.persons]}经手。"
    )
    return redirect("subsidies:persons-list")


@requires(Permission.PAYMENT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
def persons_cancel(request, pk):
    """Take back what is set for a day to come."""
    rows = PaymentPersons.objects.visible_to(request.user).select_related("region")
    row, refused = get_object_or_404(rows, pk=pk), ""
    if request.method == "POST":
        try:
            persons_services.cancel_persons(
                by=request.user, row=row, today=dates.today(), now=dates.now()
            )
        except RuleViolation as violation:
            refused = violation.message
        else:
            messages.success(request, f"已取消{row.region.name}从{row.from_on}起的设定。")
            return redirect("subsidies:persons-list")
    return render(
        request,
        "subsidies/persons_cancel.html",
        {"row": row, "words": persons.WORDS[row.persons], "refused": refused},
    )


def _fund(request, pk: int) -> Fund:
    funds = Fund.objects.visible_to(request.user).select_related("office")
    return get_object_or_404(funds, pk=pk)


def _check(fund: Fund, form: EntryForm) -> dict:
    """What will be written down, and what is free afterwards."""
    values = form.cleaned_data
    sign = 1 if values["kind"] == entering.RECEIVE else -1
    return {
        "fund": fund,
        "form": form,
        "values": values,
        "kind": dict(form.fields["kind"].choices)[values["kind"]],
        "words": capital_yuan(values["amount"]),
        "free": fund.free + sign * values["amount"],
        "posted": editing.posted_pairs(form.data),
    }


def _persons_check(form: PersonsForm, setting, number: int) -> dict:
    return {
        "form": form,
        "setting": setting,
        "before": persons.WORDS[persons_needed(setting.region, setting.from_on)],
        "after": persons.WORDS[number],
        "is_fewer": number == min(persons.WORDS),
        "fewer": persons.FEWER,
        "keeping": persons.keeping_theirs(setting.region, number),
        "posted": editing.posted_pairs(form.data),
    }
