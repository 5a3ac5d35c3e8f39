"""Pages of the background jobs. Other apps include `jobs/_progress.html` on pages of their own."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.jobs import rules, services
from fpadmin.jobs.filters import JobFilter
from fpadmin.jobs.models import Job
from fpadmin.jobs.presenters import job_view
from fpadmin.jobs.tables import JobTable
from fpadmin.ui.downloads import download
from fpadmin.ui.lists import list_page


@requires(Permission.JOBS_VIEW)
@require_safe
def job_list(request):
    """Jobs of the user's region, the user's own first."""
    return list_page(
        request,
        Job.objects.visible_to(request.user).mine_first(request.user),
        template="jobs/job_list.html",
        title="任务",
        table_class=JobTable,
        filter_class=JobFilter,
        unit="个",
    )


@requires(Permission.JOBS_VIEW)
@require_safe
def job_detail(request, pk):
    """One job: its state, progress, error or result, and what may be done with it."""
    job = _visible_job(request, pk)
    return render(
        request, "jobs/job_detail.html", {"job": job, "view": job_view(job, request.user)}
    )


@requires(Permission.JOBS_VIEW)
@require_safe
def job_progress(request, pk):
    """The progress alone, asked for each second by htmx; has the page reloaded when the job ended."""
    job = _visible_job(request, pk)
    response = render(
        request, "jobs/_progress.html", {"job": job, "view": job_view(job, request.user)}
    )
    if not job.is_open:
        response["HX-Refresh"] = "true"
    return response


@requires(Permission.JOBS_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def job_cancel(request, pk):
    """Asks first, then cancels."""
    job = _steered_job(request, pk)
    if request.method == "POST":
        try:
            services.cancel(job=job, by=request.user)
        except RuleViolation as violation:
            messages.error(request, violation.message)
        return redirect(job)
    return render(request, "jobs/job_cancel.html", {"job": job})


@requires(Permission.JOBS_VIEW)
@require_POST
def job_retry(request, pk):
    """Queues an ended job again."""
    job = _steered_job(request, pk)
    try:
        services.retry(job=job, by=request.user)
    except RuleViolation as violation:
        messages.error(request, violation.message)
    return redirect(job)


@requires(Permission.JOBS_VIEW)
@require_safe
def job_download(request, pk):
    """The result file, for the person who asked; for everybody else there is none."""
    job = _visible_job(request, pk)
    content = services.open_result(job=job, by=request.user)
    if content is None:
        raise Http404
    return download(job.result_name, content)


def _visible_job(request, pk) -> Job:
    jobs = Job.objects.visible_to(request.user).select_related("requested_by")
    return get_object_or_404(jobs, pk=pk)


def _steered_job(request, pk) -> Job:
    job = _visible_job(request, pk)
    if not rules.may_steer(request.user, job):
        raise PermissionDenied
    return job
