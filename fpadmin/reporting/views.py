"""Pages of the returns: periods, one return now and as made, indicators, and the list behind a figure."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.reporting import pages, runs, selectors, services, sheets
from fpadmin.reporting.forms import AsOfForm, FigureForm, PlaceForm
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.registry import Span, group_of
from fpadmin.reporting.rendering import RENDERERS
from fpadmin.ui.downloads import download


@requires(Permission.RETURNS_VIEW)
@require_safe
def return_list(request):
    """报表总览: every return's recent periods."""
    return _periods(request, "报表总览", None)


@requires(Permission.RETURNS_VIEW)
@require_safe
def return_monthly(request):
    """The monthly returns of two years."""
    return _periods(request, "月报", 24, "month")


@requires(Permission.RETURNS_VIEW)
@require_safe
def return_annual(request):
    """The annual returns of six years."""
    return _periods(request, "年报", 6, "year", "calendar_year")


def _periods(request, title: str, count: int | None, *cycles: str):
    form = PlaceForm(request.GET, user=request.user)
    if not form.is_valid():
        raise Http404
    region = form.cleaned_data["region"] or request.user.region
    reports = selectors.returns_of(region, dates.today(), *cycles)
    return render(
        request,
        "reporting/return_list.html",
        {
            "title": title,
            "form": form,
            "region": region,
            "reports": selectors.period_lines(reports, region, dates.today(), count),
        },
    )


@requires(Permission.RETURNS_VIEW)
@require_safe
def return_detail(request, code, region, period):
    """One return with the figures of this moment, its examination and the versions made so far.

    Above the township the newest version stands for this moment: a county's figures take seconds.
    """
    region = _region(request, region)
    report, span = _return_and_period(code, period)
    today = dates.today()
    versions = selectors.versions_of(report, region, span, request.user)
    newest = versions[0] if versions else None
    locked = report.frozen(region, span)
    is_live = region.level >= Region.Level.TOWNSHIP
    if locked and locked.version:
        newest, is_same = locked.version, True
        sheet = sheets.from_json(newest.content)
    elif is_live:
        sheet = sheets.build(report, region, span)
        is_same = bool(newest) and newest.sha256 == sheets.sha256_of(sheets.to_json(sheet))
    else:
        sheet, is_same = (sheets.from_json(newest.content) if newest else None), bool(newest)
    return render(
        request,
        "reporting/return_detail.html",
        {
            "report": report,
            "period": span,
            "region": region,
            "sheet": sheet,
            "sections": pages.sections_of(sheet, request.user) if sheet else [],
            "checks": pages.checks_of(sheet, request.user) if sheet else [],
            "versions": versions,
            "version": newest,
            "is_live": is_live,
            "is_same": is_same,
            "locked": locked,
            "is_over": span.end < today,
            "may_make": request.user.may(Permission.RETURNS_MAKE)
            and span.start <= today
            and not (locked and locked.version),
            "next_number": newest.version + 1 if newest else 1,
            "list_url": _list_name(report),
        },
    )


@requires(Permission.RETURNS_MAKE)
@require_POST
def return_make(request, code, region, period):
    """Make a version; a county's runs in the background."""
    region = _region(request, region)
    report, span = _return_and_period(code, period)
    try:
        if region.level < Region.Level.TOWNSHIP:
            job = runs.start(code=report.code, region=region, period=span.code, by=request.user)
            return redirect(job)
        version, is_new = services.make_return(
            code=report.code,
            region=region,
            period=span.code,
            by=request.user,
            today=dates.today(),
        )
    except RuleViolation as problem:
        messages.error(request, problem.message)
        return redirect("reporting:return-detail", report.code, region.code, span.code)
    locked = report.frozen(region, span)
    if is_new:
        messages.success(request, f"已生成第{version.version}版，可以下载和打印。")
    elif locked:
        messages.info(request, f"{locked.words}，数字不再变，这是第{version.version}版。")
    else:
        messages.info(request, f"数字与第{version.version}版相同，没有生成新版。")
    return redirect(version)


@requires(Permission.RETURNS_VIEW)
@require_safe
def version_detail(request, pk):
    """A version as it was made; its figures never change, the lists behind them are today's."""
    version = _version(request, pk)
    sheet = sheets.from_json(version.content)
    return render(
        request,
        "reporting/version_detail.html",
        {
            "version": version,
            "number_label": f"第{version.version}版",
            "sheet": sheet,
            "sections": pages.sections_of(sheet, request.user),
            "checks": pages.checks_of(sheet, request.user),
            "list_url": _list_name(sheets.find_return(version.code)),
        },
    )


@requires(Permission.RETURNS_VIEW)
@require_safe
def version_print(request, pk):
    """A version as sheets of paper, signed at the foot."""
    version = _version(request, pk)
    sheet = sheets.for_file(sheets.from_json(version.content))
    return render(
        request,
        "reporting/version_print.html",
        {
            "version": version,
            "number_label": f"第{version.version}版",
            "sheet": sheet,
            "sections": pages.sections_of(sheet, user=None),
            "signature": services.signature_of(version),
            "day": dates.today(),
        },
    )


@requires(Permission.RETURNS_VIEW)
@require_safe
def version_download(request, pk, suffix):
    """A version as .xlsx, .docx or .json."""
    version = _version(request, pk)
    if suffix not in RENDERERS:
        raise Http404
    content = services.download_version(version=version, suffix=suffix, by=request.user)
    return download(runs.file_name(version, suffix), content)


@requires(Permission.RETURNS_VIEW)
@require_safe
def indicator_list(request):
    """Every indicator of a region and of those directly below it, as of a day."""
    form = AsOfForm(request.GET, user=request.user)
    if not form.is_valid() and "region" in form.errors:
        raise Http404
    region = form.cleaned_data.get("region") or request.user.region
    today = dates.today()
    as_of = form.cleaned_data.get("as_of") or today
    span = Span(form.cleaned_data.get("start") or dates.statistical_year_start(as_of), as_of)
    regions = [region, *Region.objects.visible_to(request.user).children_of(region)]
    figures = selectors.figures_of(regions, span)
    return render(
        request,
        "reporting/indicator_list.html",
        {
            "form": form,
            "region": region,
            "definitions": pages.definitions(),
            "span": span,
            "sections": pages.indicator_sections(regions, figures, span, request.user),
        },
    )


@requires(Permission.RETURNS_VIEW)
@require_safe
def figure_list(request, code, region):
    """The records that a figure counted, page by page; opening a list of few readers is recorded."""
    region = _region(request, region)
    group, indicator, span, report = _figure(request, code)
    rows = group.people(code, region, span)
    if group.list_permission:
        services.record_opened(region=region, code=code, rows=rows, span=span, by=request.user)
    return render(
        request,
        "reporting/figure_list.html",
        {
            "indicator": indicator,
            "region": region,
            "span": span,
            "report": report,
            "period": request.GET.get("period", ""),
            "list": pages.row_page(request.GET, rows, group, request.user, group.list_unit(code)),
            "query": request.GET.urlencode(),
            "may_export": request.user.may(Permission.EXPORT),
        },
    )


@requires(Permission.EXPORT)
@require_safe
def figure_export(request, code, region):
    """The same records as a workbook, recorded; up to what one person may take in a day."""
    region = _region(request, region)
    group, indicator, span, _ = _figure(request, code)
    try:
        content = services.export_people(
            title=f"{region.name}　{indicator.name}",
            meta=f"{span.start}至{span.as_of}　{request.user.name} {dates.today()}导出",
            code=code,
            region=region,
            rows=group.people(code, region, span),
            by=request.user,
        )
    except RuleViolation as violation:
        messages.error(request, violation.message)
        target = reverse("reporting:figure-list", args=[code, region.code])
        return redirect(f"{target}?{request.GET.urlencode()}")
    name = f"{region.name}_{indicator.name}名单_{span.as_of}.xlsx"
    return download(name, content)


def _region(request, code: str) -> Region:
    return get_object_or_404(Region.objects.visible_to(request.user), code=code)


def _version(request, pk: int) -> ReturnVersion:
    versions = ReturnVersion.objects.visible_to(request.user).select_related("region", "made_by")
    return get_object_or_404(versions, pk=pk)


def _return_and_period(code: str, period: str):
    try:
        report = sheets.find_return(code)
        return report, sheets.period_of(report, period)
    except RuleViolation:
        raise Http404


def _figure(request, code: str):
    """The group, indicator, days and return (or None) that a list page is asked for.

    403 where the records open only to others.
    """
    form = FigureForm(request.GET)
    if not form.is_valid():
        raise Http404
    report = form.cleaned_data.get("report")
    try:
        group = report.group_of(code) if report else group_of(code)
    except KeyError:
        raise Http404
    if not group.opens_to(request.user):
        raise PermissionDenied
    indicator = next(i for i in group.indicators if i.code == code)
    return group, indicator, form.span(dates.today()), report


def _list_name(report) -> str:
    return "reporting:return-monthly" if report.cycle == "month" else "reporting:return-annual"
