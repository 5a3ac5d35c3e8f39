"""Public notices: list, a new one, one with its lines, the sheet, the photo, the end; objections."""

from django.contrib import messages
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
from fpadmin.ui.lists import registered_list_page
from subsidies.applications.looking import book_for
from subsidies.forms.notices import DecisionForm, NoticeForm, ObjectionForm, PhotoForm
from subsidies.models import Notice, Objection
from subsidies.notices import hanging, paper, photos, terms
from subsidies.notices import notice_list as lists
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.services import notices as services

NO_INDEX = "noindex, nofollow, noarchive"
MOST_GROUPS = 12


@requires(Permission.BENEFIT_VIEW)
@require_safe
def notice_list(request):
    """Notices of the region, and before them what waits to be posted."""
    may_post = request.user.may(Permission.BENEFIT_VILLAGE)
    groups = hanging.waiting_groups(request.user) if may_post else []
    return registered_list_page(
        request,
        lists.KEY,
        template="subsidies/notice_list.html",
        extra={"groups": groups[:MOST_GROUPS], "more": len(groups) - MOST_GROUPS},
    )


@requires(Permission.BENEFIT_VILLAGE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def notice_create(request):
    """A notice of one village and policy. Without these in the address: the choice of them."""
    user, today = request.user, dates.today()
    groups = hanging.waiting_groups(user)
    asked = request.GET.get("village"), request.GET.get("policy")
    group = next((g for g in groups if (str(g.village.pk), g.policy_code) == asked), None)
    if group is None:
        return render(request, "subsidies/notice_choose.html", {"groups": groups})
    waiting = hanging.waiting(user).filter(
        resident__village=group.village, policy_code=group.policy_code
    )
    form = NoticeForm(
        request.POST if request.method == "POST" else None,
        waiting=waiting,
        initial={"posted_on": today, "phone": hanging.last_phone(user, group.village)},
    )
    if form.is_valid():
        try:
            notice = services.post_notice(
                by=user, village=group.village, policy_code=group.policy_code, today=today,
                **form.cleaned_data,
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "公示已登记。请打印公示表贴出，并拍照上传。")
            return redirect(notice)
    rule = book_for(group.policy_code, today).rule(group.policy_code, group.village.path)
    return render(
        request,
        "subsidies/notice_form.html",
        {"form": form, "group": group, "term": terms.term_from(today, rule.notice_days)},
    )


@requires(Permission.BENEFIT_VIEW)
@require_safe
def notice_detail(request, pk):
    """One notice: how long it still hangs, who stands on it, the photo, objections."""
    user, today = request.user, dates.today()
    notice = _notice(request, pk)
    changed = terms.changes()
    state = hanging.state_of(notice, today)
    may_act = user.may(Permission.BENEFIT_VILLAGE)
    objections = list(hanging.objections_of(user, notice))
    open_ones = [one for one in objections if not one.outcome]
    return render(
        request,
        "subsidies/notice_detail.html",
        {
            "notice": notice,
            "policy_name": catalogue.name_of(notice.policy_code),
            "tag": hanging.tag_of(notice, today, changed),
            "lines": hanging.lines_of(user, notice),
            "objections": objections,
            "open_ones": open_ones,
            "term": terms.term_from(notice.posted_on, notice.days),
            "is_hanging": state == hanging.HANGING,
            "may_act": may_act,
            "may_object": may_act and state != hanging.ENDED,
            "may_close": may_act and state == hanging.OVER and not open_ones,
            "may_photo": may_act and not (notice.closed_on and notice.photo),
        },
    )


@requires(Permission.BENEFIT_VILLAGE)
@require_safe
def notice_print(request, pk):
    """The sheet for the board, while it hangs. After its term it is gone: 404."""
    today = dates.today()
    notice = _notice(request, pk)
    if hanging.state_of(notice, today) != hanging.HANGING:
        raise Http404
    lines = hanging.lines_of(request.user, notice)
    made = paper.paper_of(notice, lines, policy_book(notice.posted_on))
    services.record_print(by=request.user, notice=notice, people=made.count)
    response = render(
        request,
        "subsidies/notice_print.html",
        {
            "title": "公示表",
            "notice": notice,
            "paper": made,
            "sheets": made.sheets,
            "count": made.count,
            "unit": "人",
            "layout": "A4竖向",
            "back": notice.get_absolute_url(),
        },
    )
    response["X-Robots-Tag"] = NO_INDEX
    return response


@requires(Permission.BENEFIT_VILLAGE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def notice_photo(request, pk):
    """Take over the photo of the board, from a phone's camera or a file."""
    notice = _notice(request, pk)
    posted = request.method == "POST"
    form = PhotoForm(request.POST if posted else None, request.FILES if posted else None)
    if form.is_valid():
        try:
            services.add_photo(by=request.user, notice=notice, photo=form.cleaned_data["photo"])
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "公示照片已存好。")
            return redirect(notice)
    return _form_page(request, "notice_photo", form, notice)


@requires(Permission.BENEFIT_VIEW)
@require_safe
def notice_photo_file(request, pk):
    """The photo itself; the notice's page shows it."""
    notice = _notice(request, pk)
    content = photos.content_of(notice)
    if content is None:
        raise Http404
    response = download(photos.file_name(notice), content)
    response["X-Robots-Tag"] = NO_INDEX
    return response


@requires(Permission.BENEFIT_VILLAGE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def notice_close(request, pk):
    """End a notice whose term is over; its applications go on to the township."""
    notice = _notice(request, pk)
    if request.method == "POST":
        try:
            count = services.close_notice(
                by=request.user, notice=notice, now=timezone.now(), today=dates.today()
            )
        except RuleViolation as violation:
            messages.error(request, violation.message)
        else:
            messages.success(request, f"公示已结束，{count}份申请转乡镇初审。")
        return redirect(notice)
    lines = hanging.lines_of(request.user, notice).filter(removed_on__isnull=True)
    context = {"lines": lines.filter(application__state="notice")}
    return _form_page(request, "notice_close", None, notice, **context)


@requires(Permission.BENEFIT_VILLAGE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def objection_create(request, pk):
    """An objection against somebody who stands on the notice, named or not."""
    notice, today = _notice(request, pk), dates.today()
    lines = hanging.lines_of(request.user, notice).filter(
        removed_on__isnull=True, application__state="notice"
    )
    form = ObjectionForm(
        request.POST if request.method == "POST" else None,
        lines=lines,
        initial={"line": request.GET.get("line"), "raised_on": min(today, notice.ends_on)},
    )
    if form.is_valid():
        try:
            services.record_objection(by=request.user, notice=notice, today=today, **form.values())
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "异议已登记。处理完以前，这份申请不能转下一步。")
            return redirect(notice)
    return _form_page(request, "objection_form", form, notice)


@requires(Permission.BENEFIT_VILLAGE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def objection_decide(request, pk):
    """What looking into an objection showed: it holds and the application goes back, or it doesn't."""
    objections = Objection.objects.visible_to(request.user)
    people = objections.select_related("application__resident__household", "notice__village")
    objection = get_object_or_404(people, pk=pk)
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services.decide_objection(
                by=request.user, objection=objection, now=timezone.now(), today=dates.today(),
                **form.cleaned_data,
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "异议处理结果已保存。")
            return redirect(objection.notice)
    context = {"objection": objection}
    return _form_page(request, "objection_decide", form, objection.notice, **context)


def _form_page(request, template: str, form, notice: Notice, **context):
    context |= {
        "form": form,
        "notice": notice,
        "policy_name": catalogue.name_of(notice.policy_code),
    }
    return render(request, f"subsidies/{template}.html", context)


def _notice(request, pk) -> Notice:
    notices = hanging.for_list(request.user).select_related("village__parent", "posted_by")
    return get_object_or_404(notices, pk=pk)
