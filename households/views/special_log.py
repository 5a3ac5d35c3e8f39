"""Contacts with special families: recorded, corrected, taken back; a month's records, and its reason."""

from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.dates import Period, parse_period
from fpadmin.entry.pages import entry_form, render_form
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from households import services
from households.forms.special_log import ExplainForm, RecordEditForm, RecordForm, VoidForm
from households.models import ContactRecord, MissedMonth, SpecialFamily
from households.services.special_log import record_visit
from households.special import contact_log, due
from households.special.archive_list import parent_names

SECTION = ("联系服务", "households:special-matrix")
TASKS = "tasks"
NOT_MISSED = "这个月不用说明：有联系记录，或者还没有过完，或者当时不在管。"


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_record_create(request, pk):
    """A contact with a family, on a phone or at a desk, with the needs raised in it."""
    family = family_of(request, pk)
    today, user = dates.today(), request.user
    posted = request.method == "POST"
    asked = _asked_month(request, today)
    if not posted:
        services.record_opening(by=user, family=family)  # the form shows what was said last
    form = RecordForm(
        request.POST if posted else None,
        request.FILES if posted else None,
        user=user,
        family=family,
        all_terms=user.may(Permission.SPECIAL_LIST),
        today=today,
        # Of a month gone by nobody can guess the day.
        initial={} if asked else {"happened_on": today},
    )
    if posted and form.is_valid():
        try:
            record = record_visit(by=user, today=today, **form.values())
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            opened = len(form.cleaned_data["needs"])
            needs = f"，{opened}项需求开始跟办" if opened else ""
            messages.success(request, f"已记录{record.happened_on}的联系{needs}。")
            return redirect(_back(request, family, record.happened_on))
    return render_form(
        request,
        "households/special_record_form.html",
        {
            "form": form,
            "family": family,
            "asked": asked,
            "last": contact_log.last_record(user, family),
            "cancel": _back(request, family, None),
            "can_edit": user.may(Permission.SPECIAL_EDIT),
        },
    )


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_record_edit(request, pk):
    """Correct a record: who wrote it, or the clerk."""
    record = _correctable(request, pk)
    initial = RecordEditForm.initial_of(record)
    if request.method != "POST":
        form = RecordEditForm(initial=initial)
        return _edit_form(request, form, record, **editing.opened(record, initial))
    opened = editing.opened_before(request)
    form = RecordEditForm(editing.answers(request, initial), initial=initial)
    if form.is_valid():
        try:
            services.edit_contact_record(
                by=request.user,
                record=record,
                row_version=opened["row_version"],
                today=dates.today(),
                **form.cleaned_data,
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request, form, conflict, section=SECTION,
                title=f"{record.names}的联系记录", cancel=_month(record),
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "联系记录已修改。")
            return redirect(_month_of(record.contact.family_id, form.cleaned_data["happened_on"]))
    return _edit_form(request, form, record, **opened)


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def special_record_void(request, pk):
    """Take a record back, with the reason."""
    record = _correctable(request, pk)
    form = VoidForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.void_contact_record(
                by=request.user,
                record=record,
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"{record.happened_on}的联系记录已作废，不再计数。")
            return redirect(_month(record))
    context = {
        "form": form,
        "record": record,
        "back": _month(record),
        "open_needs": due.open_needs(record.follow_ups).count(),
    }
    return render(request, "households/special_record_void.html", context)


@requires(Permission.SPECIAL_VIEW)
@require_safe
def special_month_detail(request, pk, month):
    """The contacts of one family in one month. That it was opened is recorded."""
    family, period = family_of(request, pk), _month_asked(month)
    services.record_opening(by=request.user, family=family)
    today = dates.today()
    said = MissedMonth.objects.visible_to(request.user).filter(family=family, month=period.start)
    return render(
        request,
        "households/special_month_detail.html",
        {
            "family": family,
            "month": period,
            "lines": contact_log.lines(request.user, family, period.start, period.end),
            "said": said.select_related("noted_by").first(),
            "is_missed": _is_missed(request, family, period, today),
            "may_record": request.user.may(Permission.SPECIAL_RECORD) and period.start <= today,
        },
    )


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def special_month_explain(request, pk, month):
    """Why nobody contacted the family in a month that is over; or the way to record it late."""
    family, period = family_of(request, pk), _month_asked(month)
    today = dates.today()
    known = MissedMonth.objects.visible_to(request.user).filter(family=family, month=period.start)
    is_missed = _is_missed(request, family, period, today)
    form = ExplainForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            if not is_missed:
                raise RuleViolation(NOT_MISSED)
            services.explain_missed_month(
                by=request.user,
                family=family,
                month=period.start,
                reason=form.reason(),
                today=today,
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"{period.label}没有联系的原因已写明。")
            return redirect(f"{reverse('households:special-matrix')}?year={period.start.year}")
    return render(
        request,
        "households/special_month_explain.html",
        {
            "form": form,
            "family": family,
            "month": period,
            "is_missed": is_missed,
            "said": known.select_related("noted_by").first(),
        },
    )


def family_of(request, pk) -> SpecialFamily:
    """The archive with its parents' `names`, if the user may see it."""
    families = SpecialFamily.objects.visible_to(request.user).annotate(names=parent_names())
    return get_object_or_404(families.select_related("household__village"), pk=pk)


def _correctable(request, pk) -> ContactRecord:
    """A record that the user sees; 403 unless he wrote it or keeps the archives."""
    record = get_object_or_404(contact_log.records(request.user), pk=pk)
    if not contact_log.may_correct(request.user, record):
        raise PermissionDenied
    if record.voided_at:
        raise Http404
    return record


def _month_asked(code: str) -> Period:
    try:
        period = parse_period(code)
    except ValueError:
        raise Http404
    if len(code) != 7 or "-" not in code:
        raise Http404
    return period


def _asked_month(request, today: date) -> Period | None:
    """The month gone by that a late record is about."""
    code = request.GET.get("month", "")
    if not code:
        return None
    period = _month_asked(code)
    return period if period.end < today else None


def _is_missed(request, family: SpecialFamily, period: Period, today: date) -> bool:
    this = SpecialFamily.objects.visible_to(request.user).filter(pk=family.pk)
    return period.end < today and due.with_gaps(this, [(period.start, period.end)]).exists()


def _back(request, family: SpecialFamily, day: date | None) -> str:
    """To the tasks on a phone; else to the month, and where nothing was saved to the archive."""
    if request.GET.get("from") == TASKS:
        return reverse("households:special-my-tasks")
    return _month_of(family.pk, day) if day else family.get_absolute_url()


def _month(record: ContactRecord) -> str:
    return _month_of(record.contact.family_id, record.happened_on)


def _month_of(family: int, day: date) -> str:
    return reverse("households:special-month-detail", args=[family, f"{day:%Y-%m}"])


def _edit_form(request, form, record: ContactRecord, **opened):
    context = {"form": form, "record": record, "cancel": _month(record), **opened}
    return render_form(request, "households/special_record_edit.html", context)
