"""Pages of the import: upload, preview, confirm, the office's own file back, templates."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.imports import outline, selectors, services, templates_out
from fpadmin.imports.columns_form import ColumnsForm
from fpadmin.imports.filters import BatchFilter, IssueFilter
from fpadmin.imports.forms import ConfirmForm, DoubtsForm, UploadForm
from fpadmin.imports.kinds import KINDS, Unreadable
from fpadmin.imports.models import ImportBatch, ImportIssue
from fpadmin.imports.presenters import batch_view
from fpadmin.imports.tables import BatchTable, ChangeTable, IssueTable
from fpadmin.imports.undo import Reversal
from fpadmin.jobs.presenters import job_view
from fpadmin.ui.downloads import download
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import list_page

FIRST_ISSUES, FIRST_CHANGES = 50, 20
FIRST_BLOCKERS, FIRST_NAMES, FIRST_DOUBTS = 50, 20, 50


@requires(Permission.IMPORT)
@require_safe
def batch_list(request):
    """Uploaded workbooks of the user's region, of the kinds that the user may import."""
    return list_page(
        request,
        selectors.batches_for(request.user),
        template="imports/batch_list.html",
        title="数据导入",
        table_class=BatchTable,
        filter_class=BatchFilter,
        unit="个",
    )


@requires(Permission.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def batch_create(request):
    """Upload a workbook; the check starts at once in the background."""
    form = UploadForm(
        request.POST or None,
        request.FILES or None,
        user=request.user,
        today=dates.today(),
        initial={"kind": request.GET.get("kind", "")},
    )
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = services.upload(
                kind=form.cleaned_data["kind"],
                office=request.user.region,
                content=file.read(),
                file_name=file.name,
                changed_on=form.day,
                by=request.user,
            )
            return redirect(batch)
        except RuleViolation as violation:
            refuse(form, violation)
    return render(request, "imports/batch_form.html", {"form": form})


@requires(Permission.IMPORT)
@require_safe
def batch_detail(request, pk):
    """Where the batch stands: progress, preview with the choice, or what came of it."""
    return _detail(request, _batch(request, pk))


@requires(Permission.IMPORT)
@require_POST
def batch_confirm(request, pk):
    """Have the workbook written, all rows or the good ones."""
    batch = _batch(request, pk)
    form = ConfirmForm(request.POST, batch=batch)
    if form.is_valid():
        try:
            services.confirm(batch=batch, good_rows=form.good_rows, by=request.user)
            return redirect(batch)
        except RuleViolation as violation:
            refuse(form, violation)
    return _detail(request, batch, form)


@requires(Permission.IMPORT)
@require_POST
def batch_check(request, pk):
    """Check the stored workbook once more."""
    batch = _batch(request, pk)
    try:
        services.check_again(batch=batch, by=request.user)
    except RuleViolation as violation:
        messages.error(request, violation.message)
    return redirect(batch)


@requires(Permission.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def batch_discard(request, pk):
    """Asks first, then gives the batch up."""
    batch = _batch(request, pk)
    if request.method == "POST":
        try:
            services.discard(batch=batch, by=request.user)
        except RuleViolation as violation:
            messages.error(request, violation.message)
        return redirect(batch)
    return render(request, "imports/batch_discard.html", _about(batch))


@requires(Permission.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def batch_doubts(request, pk):
    """Rows that may mean somebody registered, side by side, each with what to do; undecided first."""
    batch = _batch(request, pk)
    doubts = selectors.doubts_of(batch, FIRST_DOUBTS)
    form = DoubtsForm(
        request.POST or None,
        doubts=doubts,
        records=selectors.records_of(batch, doubts, request.user),
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.decide(batch=batch, decisions=form.decisions, by=request.user)
            return redirect(batch)
        except RuleViolation as violation:
            refuse(form, violation)
    if not doubts:
        return redirect(batch)
    context = _about(batch) | {"form": form, "total": batch.doubts.count()}
    return render(request, "imports/batch_doubts.html", context)


@requires(Permission.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def batch_columns(request, pk):
    """Which of the file's headings is which of our columns; saved, the batch is checked by it."""
    batch = _batch(request, pk)
    candidates = outline.unpacked(batch.outline) if batch_view(batch).can_map else []
    if not candidates:
        return redirect(batch)
    at = request.POST.get("at") or request.GET.get("at") or ""
    candidate = candidates[int(at) if at in map(str, range(len(candidates))) else 0]
    form = ColumnsForm(
        request.POST or None, batch=batch, candidate=candidate, today=dates.today(),
        layouts=selectors.layouts_of(batch),
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            services.learn_layout(
                batch=batch,
                fingerprint=candidate.fingerprint,
                layout=form.layout,
                name=form.cleaned_data["name"],
                by=request.user,
            )
            return redirect(batch)
        except RuleViolation as violation:
            refuse(form, violation)
    return render(
        request,
        "imports/batch_columns.html",
        _about(batch) | {"form": form, "candidates": candidates, "at": candidates.index(candidate)},
    )


@requires(Permission.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def batch_forget(request, pk):
    """Asks first, then stops reading by the layout that the batch was read by."""
    batch = _batch(request, pk)
    if request.method == "POST":
        try:
            services.forget_layout(batch=batch, by=request.user)
        except RuleViolation as violation:
            messages.error(request, violation.message)
        return redirect(batch)
    if batch.layout is None:
        return redirect(batch)
    return render(request, "imports/batch_forget.html", _about(batch))


@requires(Permission.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def batch_undo(request, pk):
    """Says what undoing takes away and restores, or what stands against it; then undoes the batch."""
    batch = _batch(request, pk)
    if request.method == "POST":
        try:
            services.request_undo(batch=batch, by=request.user)
        except RuleViolation as violation:
            messages.error(request, violation.message)
        return redirect(batch)
    context = _about(batch)
    if not context["view"].can_undo:
        return redirect(batch)
    reversal = Reversal(batch)
    context |= {
        "lines": selectors.undo_lines(reversal),
        "names": selectors.names_that_go(reversal, request.user, FIRST_NAMES),
        "blockers": selectors.blockers_of(reversal, request.user, FIRST_BLOCKERS),
        "records": selectors.changed_records(batch.changes.all()[:FIRST_CHANGES]),
    }
    return render(request, "imports/batch_undo.html", context)


@requires(Permission.IMPORT)
@require_safe
def batch_issues(request, pk):
    """Every problem of the batch."""
    batch = _batch(request, pk)
    return list_page(
        request,
        batch.issues.all(),
        template="imports/batch_issues.html",
        title="错误和提示",
        table_class=IssueTable,
        filter_class=IssueFilter,
        extra=_about(batch),
    )


@requires(Permission.IMPORT)
@require_safe
def batch_changes(request, pk):
    """What the workbook changes of known records, field by field."""
    batch = _batch(request, pk)
    return list_page(
        request,
        batch.changes.all(),
        template="imports/batch_changes.html",
        title="更新",
        table_class=ChangeTable,
        extra=_about(batch),
    )


@requires(Permission.IMPORT)
@require_POST
def batch_returned(request, pk):
    """The office's own file with the wrong rows marked, or those rows alone; a large one by a job."""
    batch = _batch(request, pk)
    only_wrong = request.POST.get("rows") == "wrong"
    try:
        if batch.is_large:
            return redirect(
                services.request_returned(batch=batch, only_wrong=only_wrong, by=request.user)
            )
        name, content = services.returned_file(batch=batch, only_wrong=only_wrong, by=request.user)
    except (RuleViolation, Unreadable) as problem:
        messages.error(request, problem.message)
        return redirect(batch)
    return download(name, content)


@requires(Permission.IMPORT)
@require_safe
def template_list(request):
    """The blank workbooks that the user may fill in and import."""
    return render(
        request, "imports/template_list.html", {"kinds": selectors.kinds_for(request.user)}
    )


@requires(Permission.IMPORT)
@require_safe
def template_download(request, key):
    """One blank workbook."""
    kind = KINDS.get(key)
    if kind is None:
        raise Http404
    return download(templates_out.file_name(kind), templates_out.template(kind))


def _batch(request, pk) -> ImportBatch:
    return get_object_or_404(selectors.batches_for(request.user), pk=pk)


def _about(batch: ImportBatch) -> dict:
    return {"batch": batch, "view": batch_view(batch)}


def _detail(request, batch: ImportBatch, form=None) -> HttpResponse:
    context = _about(batch)
    view = context["view"]
    if view.is_working:
        job = selectors.job_of(batch)
        context |= {"job": job, "job_view": job_view(job, request.user) if job else None}
    if view.can_confirm:
        context["form"] = form or ConfirmForm(batch=batch)
    errors = batch.issues.filter(severity=ImportIssue.Severity.ERROR)
    context |= {
        "doubts": batch.doubts.count(),
        "undecided": batch.doubts.filter(decision="").count(),
        "earlier": selectors.earlier_import(batch, request.user),
        "issues": errors[:FIRST_ISSUES],
        "warnings": batch.issues.filter(severity=ImportIssue.Severity.WARNING)[:FIRST_CHANGES],
        "records": selectors.changed_records(batch.changes.all()[:FIRST_CHANGES]),
    }
    return render(request, "imports/batch_detail.html", context)
