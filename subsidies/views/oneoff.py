"""专项: the average wages, pensions, scholarship stages and exam points."""

from decimal import Decimal

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.listing import LISTS, Asked, rows_of
from fpadmin.ui.lists import list_page, registered_list_page
from subsidies.forms.oneoff import ExamForm, IdentityForm, PensionForm, WageForm
from subsidies.models import Enrolment, ExamPoints, PensionCase
from subsidies.oneoff import exam_list, exams, paper, pension_list, pensions, schooling_list, stages
from subsidies.oneoff.tabs import EXAM, PENSION, SCHOOLING, WAGE, tabs_of
from subsidies.oneoff.wage_list import WageTable, wages_of
from subsidies.payments.wages import supplement
from subsidies.policies import catalogue
from subsidies.services import exams as exam_services
from subsidies.services import pensions as pension_services
from subsidies.services import wages as wage_services
from subsidies.services.rosters import record_roster_print

CHECK, BACK = "check", "back"
PENSIONS_PER_SHEET = 12  # employers have long names
PENSION_SECTION = ("养老补助", "subsidies:pension-list")
EXAM_SECTION = ("升学加分", "subsidies:exam-list")


@requires(Permission.PAYMENT_VIEW)
@require_safe
def wage_list(request):
    """The average wages entered and shipped, and what a retiree of the year after gets."""
    return list_page(
        request,
        wages_of(request.user),
        template="subsidies/wage_list.html",
        title="平均工资",
        unit="条",
        table_class=WageTable,
        extra={
            **tabs_of(request.user, WAGE),
            "can_set": request.user.may(Permission.BENEFIT_RULE),
            "percent": catalogue.policy(pensions.CODE).wage_percent,
        },
    )


@requires(Permission.BENEFIT_RULE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def wage_create(request):
    """Enter a wage; what a retiree gets by it is shown before it is saved."""
    today = dates.today()
    form = WageForm(
        request.POST if request.method == "POST" else None, user=request.user, today=today
    )
    page = {"form": form}
    step = request.POST.get("step", CHECK)
    if request.method == "POST" and form.is_valid() and step != BACK:
        asked = form.cleaned_data
        if step == CHECK:
            page |= {
                "asked": asked,
                "retires": asked["year"] + 1,
                "supplement": supplement(catalogue.policy(pensions.CODE), asked["amount"]),
                "posted": editing.posted_pairs(form.data),
            }
            return render(request, "subsidies/wage_check.html", page)
        try:
            wage_services.set_wage(by=request.user, today=today, now=dates.now(), **asked)
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已登记{asked['region'].name}{asked['year']}年平均工资。")
            return redirect("subsidies:wage-list")
    return render(request, "subsidies/wage_form.html", page)


@requires(Permission.BENEFIT_VIEW)
@require_safe
def pension_list_page(request):
    """Everybody on the roll of the pension, and figures by payer and batch."""
    return registered_list_page(
        request,
        pension_list.KEY,
        template="subsidies/pension_list.html",
        extra={
            **tabs_of(request.user, PENSION),
            "searched": pension_list.KEY,
            "parts": pension_list.parts_of(request.user),
            "payers": [*PensionCase.Payer.labels, "未登记"],
            "may_print": request.user.may(Permission.BENEFIT_ANNUAL),
        },
    )


@requires(Permission.BENEFIT_ANNUAL)
@require_safe
def pension_print(request):
    """The list as its conditions find it, on paper; recorded."""
    found = list(rows_of(LISTS[pension_list.KEY], Asked.by(request)))
    known = [one for one in found if one.amount is not None]
    public = [one.amount for one in known if one.payer == PensionCase.Payer.FINANCE]
    return _paper(
        request,
        "subsidies/pension_print.html",
        "企业退休职工独生子女父母一次性养老补助名册",
        [(one, pensions.payer_short(one.payer), pensions.WORDS[one.progress]) for one in found],
        pension_list.URL,
        per_sheet=PENSIONS_PER_SHEET,
        total=sum((one.amount for one in known), Decimal(0)),
        public=sum(public, Decimal(0)),
        unknown=len(found) - len(known),
    )


@requires(Permission.BENEFIT_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def pension_edit(request, pk):
    """What the pension of one person rests on."""
    line = _line(request, pk, pensions.CODE)
    case = PensionCase.objects.visible_to(request.user).filter(enrolment=line).first()
    initial = PensionForm.initial_of(case) if case else {"retired_month": line.start_month}
    if request.method == "POST":
        opened = editing.opened_before(request)
        form = PensionForm(editing.answers(request, initial), initial=initial)
        if form.is_valid():
            try:
                pension_services.set_case(
                    by=request.user, enrolment=line, row_version=opened["row_version"],
                    today=dates.today(), **form.cleaned_data,
                )  # fmt: skip
            except EditConflict as conflict:
                return editing.conflict_page(
                    request, form, conflict, section=PENSION_SECTION, title=line.resident.name,
                    cancel=reverse("subsidies:pension-edit", args=[line.pk]),
                )  # fmt: skip
            except RuleViolation as violation:
                refuse(form, violation)
            else:
                messages.success(request, f"已登记{line.resident.name}的退休情况。")
                return redirect("subsidies:pension-list")
    else:
        form = PensionForm(initial=initial)
        opened = editing.opened(case, initial) if case else {"row_version": 0, "opened": ""}
    row = pensions.pensions(Enrolment.objects.visible_to(request.user)).get(pk=line.pk)
    return render(
        request,
        "subsidies/pension_form.html",
        {
            "line": line, "case": case, "form": form, "row": row,
            "progress": pensions.WORDS[row.progress], **opened,
        },
    )  # fmt: skip


@requires(Permission.BENEFIT_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def pension_check(request, pk):
    """That somebody checked the person's identity, and on which day."""
    line, today = _line(request, pk, pensions.CODE), dates.today()
    case = PensionCase.objects.visible_to(request.user).filter(enrolment=line).first()
    if case is None:
        messages.info(request, pensions.NO_CASE)
        return redirect("subsidies:pension-edit", line.pk)
    form = IdentityForm(
        request.POST if request.method == "POST" else None, initial={"checked_on": today}
    )
    if request.method == "POST" and form.is_valid():
        try:
            pension_services.check_identity(
                by=request.user, enrolment=line, today=today,
                row_version=editing.posted_version(request), **form.cleaned_data,
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已登记{line.resident.name}的身份核对。")
            return redirect("subsidies:pension-list")
    return render(
        request,
        "subsidies/pension_check.html",
        {
            "line": line,
            "case": case,
            "form": form,
            "is_insurance": case.payer == PensionCase.Payer.INSURANCE,
        },
    )


@requires(Permission.BENEFIT_VIEW)
@require_safe
def schooling_list_page(request):
    """Pupils by stage in this school year, and those whose stage ought to change."""
    today = dates.today()
    return registered_list_page(
        request,
        schooling_list.KEY,
        template="subsidies/schooling_list.html",
        extra={
            **tabs_of(request.user, SCHOOLING),
            "searched": schooling_list.KEY,
            "school_year": stages.school_year_words(today),
            "counts": schooling_list.counts_of(request.user, today),
        },
    )


@requires(Permission.BENEFIT_VIEW)
@require_safe
def exam_list_page(request):
    """Candidates with their points, year by year."""
    return registered_list_page(
        request,
        exam_list.KEY,
        template="subsidies/exam_list.html",
        extra={
            **tabs_of(request.user, EXAM),
            "searched": exam_list.KEY,
            "may_print": request.user.may(Permission.BENEFIT_ANNUAL),
        },
    )


@requires(Permission.BENEFIT_ANNUAL)
@require_safe
def exam_print(request):
    """The register as the list's conditions find it, on paper; recorded."""
    found = rows_of(LISTS[exam_list.KEY], Asked.by(request))
    return _paper(
        request,
        "subsidies/exam_print.html",
        "独生子女升学加分登记册",
        [(one, exams.exam_words(one.exam)) for one in found],
        exam_list.URL,
        year=request.GET.get("year", ""),
    )


@requires(Permission.BENEFIT_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def exam_edit(request, pk):
    """The exam and points of one candidate."""
    line, today = _line(request, pk, exams.CODE), dates.today()
    points = ExamPoints.objects.visible_to(request.user).filter(enrolment=line).first()
    initial = ExamForm.initial_of(points) if points else {"year": today.year}
    lowers = points is not None
    if request.method == "POST":
        opened = editing.opened_before(request)
        form = ExamForm(editing.answers(request, initial), initial=initial, lowers=lowers)
        if form.is_valid():
            try:
                exam_services.record_points(
                    by=request.user, enrolment=line, row_version=opened["row_version"],
                    today=today, now=dates.now(), **form.cleaned_data,
                )  # fmt: skip
            except EditConflict as conflict:
                return editing.conflict_page(
                    request, form, conflict, section=EXAM_SECTION, title=line.resident.name,
                    cancel=reverse("subsidies:exam-edit", args=[line.pk]),
                )  # fmt: skip
            except RuleViolation as violation:
                refuse(form, violation)
            else:
                messages.success(request, f"已登记{line.resident.name}的升学加分。")
                return redirect("subsidies:exam-list")
    else:
        form = ExamForm(initial=initial, lowers=lowers)
        opened = editing.opened(points, initial) if points else {"row_version": 0, "opened": ""}
    return render(request, "subsidies/exam_form.html", {"line": line, "form": form, **opened})


def _line(request, pk, code: str) -> Enrolment:
    lines = Enrolment.objects.visible_to(request.user).filter(policy_code=code)
    return get_object_or_404(lines.for_list(), pk=pk)


def _paper(
    request, template: str, title: str, rows: list, back: str,
    per_sheet: int = paper.PER_SHEET, **context,
):  # fmt: skip
    record_roster_print(by=request.user, place=request.user.region, what=title, count=len(rows))
    sheets = paper.sheets_of(rows, per_sheet)
    return render(
        request,
        template,
        {
            "title": title, "rows": rows, "sheets": sheets, "count": len(rows), "unit": "人",
            "place": request.user.region, "now": dates.now(),
            "back": f"{reverse(back)}?{request.GET.urlencode()}", **context,
        },
    )  # fmt: skip
