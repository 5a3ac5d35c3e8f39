"""岗位补贴: a township's sheet of a year, from the draft to the day it was paid."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import list_page
from subsidies.forms.oneoff import (
    PaidForm,
    SheetForm,
    StipendDecisionForm,
    StipendForm,
    worker_forms,
)
from subsidies.models import StipendSheet
from subsidies.oneoff import paper
from subsidies.oneoff.stipend_list import StipendFilter, StipendTable, sheets, state_tag
from subsidies.oneoff.stipends import lines_of, masks_of, total_of
from subsidies.oneoff.tabs import STIPEND, tabs_of
from subsidies.services import stipends as services
from subsidies.services.rosters import record_roster_print

State = StipendSheet.State
APPROVE, RETURN = "approve", "return"


@requires(Permission.PAYMENT_VIEW)
@require_safe
def stipend_list(request):
    """The sheets of the user's townships."""
    return list_page(
        request,
        sheets(request.user),
        template="subsidies/stipend_list.html",
        title="宣传员岗位补贴",
        unit="张",
        table_class=StipendTable,
        filter_class=StipendFilter,
        extra={
            **tabs_of(request.user, STIPEND),
            "can_make": request.user.may(Permission.PAYMENT_MAKE),
        },
    )


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def stipend_create(request):
    """A sheet of a year with the township's village workers on it."""
    today = dates.today()
    form = StipendForm(
        request.POST if request.method == "POST" else None, initial={"year": today.year}
    )
    if request.method == "POST" and form.is_valid():
        try:
            sheet = services.create_sheet(
                by=request.user, office=request.user.region, today=today, **form.cleaned_data
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已按村级宣传员账号列出人员，请核对月数和考核。")
            return redirect("subsidies:stipend-edit", sheet.pk)
    return render(request, "subsidies/stipend_form.html", {"form": form})


@requires(Permission.PAYMENT_VIEW)
@require_safe
def stipend_detail(request, pk):
    """One sheet with what may be done with it now."""
    return _detail(request, _sheet(request, pk))


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def stipend_edit(request, pk):
    """Rate, document and workers of a sheet in the draft."""
    sheet, today = _sheet(request, pk), dates.today()
    if sheet.state != State.DRAFT:
        messages.info(request, services.NOT_NOW.format(state=sheet.get_state_display()))
        return redirect(sheet)
    lines = lines_of(sheet)
    is_posted = request.method == "POST"
    data = request.POST if is_posted else None
    version = editing.posted_version(request) if is_posted else sheet.row_version
    form = SheetForm(data, initial={"monthly": sheet.monthly, "document": sheet.document})
    workers = worker_forms(
        data, sheet=sheet, lines=lines, masks=masks_of(lines), user=request.user, today=today
    )
    if is_posted and form.is_valid() and workers.is_valid():
        try:
            services.edit_sheet(
                by=request.user, sheet=sheet, row_version=version, **form.cleaned_data,
                workers=[one for one in (row.worker() for row in workers) if one],
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已保存，金额已重新计算。")
            return redirect(sheet)
    return render(
        request,
        "subsidies/stipend_edit.html",
        {"sheet": sheet, "form": form, "workers": workers, "row_version": version},
    )


@requires(Permission.PAYMENT_MAKE)
@require_POST
@once
def stipend_submit(request, pk):
    """Hand the sheet over to be approved."""
    sheet = _sheet(request, pk)
    try:
        services.submit_sheet(
            by=request.user, sheet=sheet, row_version=editing.posted_version(request)
        )
    except RuleViolation as violation:
        messages.error(request, violation.message)
    else:
        messages.success(request, "已提交，等待审核人批准。")
    return redirect(sheet)


@requires(Permission.PAYMENT_APPROVE)
@require_POST
@once
def stipend_approve(request, pk):
    """Approve the sheet, or send it back; the button tells which."""
    sheet = _sheet(request, pk)
    form, version = StipendDecisionForm(request.POST), editing.posted_version(request)
    if form.is_valid():
        try:
            if request.POST.get("decision") == RETURN:
                services.return_sheet(
                    by=request.user, sheet=sheet, row_version=version, **form.cleaned_data
                )
                messages.success(request, "已退回经办人。")
            elif request.POST.get("decision") == APPROVE:
                services.approve_sheet(
                    by=request.user, sheet=sheet, row_version=version, now=dates.now()
                )
                messages.success(request, "已批准，名单和金额不再改变。")
            else:
                raise Http404
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return redirect(sheet)
    return _detail(request, sheet, decision=form)


@requires(Permission.PAYMENT_MAKE)
@require_POST
@once
def stipend_pay(request, pk):
    """On which day the sheet was paid."""
    sheet, form = _sheet(request, pk), PaidForm(request.POST)
    version = editing.posted_version(request)
    if form.is_valid():
        try:
            services.pay_sheet(
                by=request.user, sheet=sheet, row_version=version, today=dates.today(),
                **form.cleaned_data,
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已登记发放日期。")
            return redirect(sheet)
    return _detail(request, sheet, paid=form)


@requires(Permission.PAYMENT_VIEW)
@require_safe
def stipend_print(request, pk):
    """The sheet on paper, recorded as printed."""
    sheet = _sheet(request, pk)
    lines = lines_of(sheet)
    title = f"{sheet.year}年宣传员岗位补贴发放表"
    record_roster_print(by=request.user, place=sheet.office, what=title, count=len(lines))
    return render(
        request,
        "subsidies/stipend_print.html",
        {
            "title": title, "sheet": sheet, "sheets": paper.sheets_of(lines), "unit": "人",
            "count": len(lines), "total": total_of(lines), "now": dates.now(),
            "back": sheet.get_absolute_url(), "user": request.user,
        },
    )  # fmt: skip


def _sheet(request, pk) -> StipendSheet:
    found = StipendSheet.objects.visible_to(request.user)
    return get_object_or_404(found.select_related("office", "made_by", "approved_by"), pk=pk)


def _detail(request, sheet: StipendSheet, *, decision=None, paid=None):
    user, lines = request.user, lines_of(sheet)
    own = sheet.made_by_id == user.pk
    waits = sheet.state == State.SUBMITTED and user.may(Permission.PAYMENT_APPROVE)
    return render(
        request,
        "subsidies/stipend_detail.html",
        {
            "sheet": sheet,
            "tag": state_tag(sheet),
            "lines": lines,
            "total": total_of(lines),
            "can_edit": sheet.state == State.DRAFT and user.may(Permission.PAYMENT_MAKE),
            "can_decide": waits and not own,
            "is_own": waits and own,
            "can_pay": sheet.state == State.APPROVED and user.may(Permission.PAYMENT_MAKE),
            "decision": decision or StipendDecisionForm(),
            "paid": paid or PaidForm(initial={"paid_on": dates.today()}),
        },
    )
