"""Papers of an application: added, opened, removed; and the application on paper."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.downloads import download
from fpadmin.ui.forms import refuse
from subsidies.applications import detail, printing
from subsidies.applications.papers import addable_for, file_name, kinds_for
from subsidies.forms.applications import ClearPrintForm, PaperForm
from subsidies.models import Application, ApplicationPaper
from subsidies.services import application_papers as services
from subsidies.services.application_printing import record_application_print
from subsidies.views.applications import application_of

FORM_TITLE, RECEIPT_TITLE = "申报审批表", "申请回执"


@requires(Permission.BENEFIT_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def application_paper_create(request, pk):
    """A paper or photo for an unsent form; the village's own while it reviews, what was missing later."""
    application = application_of(request, pk)
    kinds = addable_for(request.user, application)
    if not kinds:
        raise PermissionDenied
    form = (
        PaperForm(request.POST, request.FILES, kinds=kinds)
        if request.method == "POST"
        else PaperForm(kinds=kinds)
    )
    if request.method == "POST" and form.is_valid():
        try:
            kept = services.add_paper(by=request.user, application=application, **form.values())
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已上传：{kept.title}。")
            return redirect(_section(application))
    context = {"form": form, "back": _section(application)}
    context |= detail.heading(request.user, application, dates.today())
    return render(request, "subsidies/application_paper_form.html", context)


@requires(Permission.BENEFIT_VIEW)
@require_safe
def application_paper_file(request, pk):
    """The paper as an attachment, each opening recorded."""
    paper = _paper(request, pk)
    content = services.open_paper(by=request.user, paper=paper)
    if content is None:
        raise Http404
    return download(file_name(paper), content)


@requires(Permission.BENEFIT_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def application_paper_remove(request, pk):
    """Remove a paper that should not be there, as long as the application isn't sent on."""
    paper = _paper(request, pk)
    application = paper.application
    if paper.kind not in kinds_for(request.user, application):
        raise PermissionDenied
    fault = ""
    if request.method == "POST":
        try:
            services.remove_paper(by=request.user, paper=paper, now=timezone.now())
        except RuleViolation as violation:
            fault = violation.message
        else:
            messages.success(request, f"已删除：{paper.title}。")
            return redirect(_section(application))
    context = {"paper": paper, "fault": fault, "back": _section(application)}
    context |= detail.heading(request.user, application, dates.today())
    return render(request, "subsidies/application_paper_remove.html", context)


@requires(Permission.BENEFIT_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def application_print(request, pk):
    """申报审批表, A4 upright, with boxes to sign; whole numbers by a POST that says what for."""
    application = application_of(request, pk)
    may_clear = request.user.may(Permission.EXPORT_CLEAR)
    purpose = ""
    if request.POST.get("purpose"):
        if not may_clear:
            raise PermissionDenied
        form = ClearPrintForm(request.POST)
        purpose = form.cleaned_data["purpose"] if form.is_valid() else ""
    what = f"{FORM_TITLE}，完整号码，{purpose}" if purpose else FORM_TITLE
    record_application_print(by=request.user, application=application, what=what)
    context = printing.form_context(request.user, application, dates.today()) | {
        "title": FORM_TITLE,
        "is_clear": bool(purpose),
        "can_clear": may_clear and not purpose,
        "purposes": ClearPrintForm.PURPOSES,
        "back": application.get_absolute_url(),
        "now": timezone.now(),
    }
    return render(request, "subsidies/application_print.html", context)


@requires(Permission.BENEFIT_APPLY)
@require_safe
def application_receipt(request, pk):
    """回执 for the applicant: number, papers received, the steps to come, the telephone."""
    application = application_of(request, pk)
    record_application_print(by=request.user, application=application, what=RECEIPT_TITLE)
    context = printing.form_context(request.user, application, dates.today()) | {
        "title": RECEIPT_TITLE,
        "back": application.get_absolute_url(),
        "now": timezone.now(),
    }
    return render(request, "subsidies/application_receipt.html", context)


def _paper(request, pk) -> ApplicationPaper:
    there = ApplicationPaper.objects.visible_to(request.user).filter(removed_at__isnull=True)
    return get_object_or_404(
        there.select_related(
            "application__resident__village", "application__resident__household", "uploaded_by"
        ),
        pk=pk,
    )


def _section(application: Application) -> str:
    """The papers' place on the application's page."""
    return f"{application.get_absolute_url()}#papers"
