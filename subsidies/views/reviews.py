"""The yearly review: overview, made, its lines decided, closed."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from subsidies.eligibility.explaining import explain
from subsidies.forms.reviews import DecideForm, YearForm
from subsidies.models import AnnualReview, ReviewFinding, ReviewLine
from subsidies.policies.seeing import codes_for
from subsidies.reviews import line_list, overview
from subsidies.services import reviews as services


@requires(Permission.BENEFIT_ANNUAL)
@require_safe
def review_list(request):
    """The townships' reviews of a year, policy by policy."""
    today = dates.today()
    form = YearForm(request.GET or None, this_year=today.year)
    year = (form.cleaned_data["year"] if form.is_valid() else None) or today.year
    region = _region(request)
    return render(
        request,
        "subsidies/review_list.html",
        {
            "form": form,
            "year": year,
            "region": region,
            "regions": _townships(request),
            "rows": overview.rows_of(request.user, region, year) if region else [],
            "can_make": request.user.may(Permission.BENEFIT_EDIT),
        },
    )


@requires(Permission.BENEFIT_EDIT)
@require_POST
@once
def review_create(request):
    """Make a review, or make it anew."""
    today = dates.today()
    form = YearForm(request.POST, this_year=today.year)
    code, region = request.POST.get("policy", ""), _region(request)
    if code not in codes_for(request.user) or region is None or not form.is_valid():
        raise Http404
    try:
        review = services.make_review(
            by=request.user, region=region, policy_code=code, now=timezone.now(),
            year=form.cleaned_data["year"] or today.year, today=today,
        )  # fmt: skip
    except RuleViolation as violation:
        messages.error(request, violation.message)
        return redirect("subsidies:review-list")
    messages.success(request, f"已按{review.as_of}的情况核查，请逐项处理。")
    return redirect(review)


@requires(Permission.BENEFIT_ANNUAL)
@require_safe
def review_detail(request, pk):
    """One review: what was found, and what is left to decide."""
    review = _review(request, pk)
    row = overview.row_of(request.user, review)
    return render(
        request,
        "subsidies/review_detail.html",
        {
            "review": review,
            "row": row,
            "open_url": overview.open_url(review),
            "stays_open": ReviewLine.objects.visible_to(request.user)
            .filter(review=review, finding=ReviewFinding.STAYS, decision="")
            .count(),
            "can_edit": request.user.may(Permission.BENEFIT_EDIT) and not review.closed_at,
        },
    )


@requires(Permission.BENEFIT_ANNUAL)
@require_safe
def review_line_list(request):
    """The lines of a review that tells nothing of a child's death or illness."""
    return _lines(request, line_list.KEY)


@requires(Permission.BENEFIT_ANNUAL)
@require_safe
def review_line_sensitive_list(request):
    """The lines of the others."""
    return _lines(request, line_list.SENSITIVE_KEY)


@requires(Permission.BENEFIT_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def review_line_decide(request, pk):
    """One person: what was found by which values, and what is done about it."""
    lines = ReviewLine.objects.visible_to(request.user).select_related(
        "review", "resident__household", "resident__village", "enrolment"
    )
    line = get_object_or_404(lines, pk=pk)
    back = line_list.lines_url(line.review, state=line_list.OPEN)
    if line.decision or line.review.closed_at:
        messages.info(request, f"{line.resident.name}已经处理过了。")
        return redirect(back)
    form = DecideForm(request.POST if request.method == "POST" else None, line=line)
    if request.method == "POST" and form.is_valid():
        try:
            services.decide_line(
                by=request.user, line=line, today=dates.today(), now=timezone.now(),
                **form.cleaned_data,
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"{line.resident.name}已处理。")
            return redirect(back)
    return render(
        request,
        "subsidies/review_line_decide.html",
        {
            "line": line,
            "form": form,
            "back": back,
            "tag": line_list.TAGS[line.finding],
            "case": explain(line.resident, line.policy_code, line.review.as_of),
        },
    )


@requires(Permission.BENEFIT_EDIT)
@require_POST
@once
def review_confirm(request, pk):
    """Confirm everybody whom the test lets stay."""
    review = _review(request, pk)
    try:
        number = services.confirm_stays(
            by=request.user, review=review, pks=None, now=timezone.now()
        )
    except RuleViolation as violation:
        messages.error(request, violation.message)
    else:
        messages.success(request, f"已确认{number}人继续享受。")
    return redirect(review)


@requires(Permission.BENEFIT_EDIT)
@require_POST
@once
def review_close(request, pk):
    """Close the review once everybody is decided."""
    review = _review(request, pk)
    try:
        services.close_review(by=request.user, review=review, now=timezone.now())
    except RuleViolation as violation:
        messages.error(request, violation.message)
    else:
        messages.success(request, "年审已办结。")
    return redirect(review)


def _lines(request, key: str):
    review = None
    if request.GET.get("review", "").isdigit():
        review = _review(request, int(request.GET["review"]))
        if line_list.key_of(review.policy_code) != key:
            raise Http404
    return registered_list_page(
        request, key, template="subsidies/review_line_list.html", extra={"review": review}
    )


def _review(request, pk) -> AnnualReview:
    reviews = AnnualReview.objects.visible_to(request.user).select_related("region", "made_by")
    return get_object_or_404(reviews, pk=pk)


def _townships(request) -> list[Region]:
    there = Region.objects.visible_to(request.user).filter(level=Region.Level.TOWNSHIP)
    return list(there.valid_on(dates.today()).order_by("code"))


def _region(request) -> Region | None:
    """The township asked for, else the user's own or the first of the county."""
    townships = _townships(request)
    asked = request.GET.get("region") or request.POST.get("region")
    if asked:
        found = next((one for one in townships if one.code == asked), None)
        if found is None:
            raise Http404
        return found
    return townships[0] if townships else None
