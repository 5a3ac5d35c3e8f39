"""见面核实: who is to be seen, a meeting on a phone, its page, the village's sheet; a person's payments."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households.models import Resident
from subsidies.forms.meetings import MeetingForm, SettleForm
from subsidies.meetings import due_list, jobs, page, record_list, sample, sheet, standing, waiting
from subsidies.models import Meeting
from subsidies.payments import of_person
from subsidies.services import meetings as services

NO_INDEX = "noindex, nofollow, noarchive"
SECTION = ("见面核实", "subsidies:meeting-list")


@requires(Permission.PAYMENT_VILLAGE)
@require_safe
def meeting_list(request):
    """Who is to be seen: on a phone by urgency, at the office by village and as a list."""
    user, today = request.user, dates.today()
    years = waiting.years_of(user)
    year = _year(request.GET.get("paid"), years, today)
    if not user.may(Permission.PAYMENT_VIEW):
        groups, count = jobs.groups_of(user, today)
        villages = waiting.by_village(user, year, today)
        context = {"groups": groups, "count": count, "villages": villages, "year": year}
        context["more"] = max(count - jobs.MOST, 0)
        return render(request, "subsidies/meeting_phone.html", context)
    villages = waiting.by_village(user, year, today)
    return registered_list_page(
        request,
        due_list.KEY,
        template="subsidies/meeting_list.html",
        extra={
            "villages": villages,
            "total": waiting.total_of(villages),
            "year": year,
            "years": years,
        },
    )


@requires(Permission.PAYMENT_VILLAGE)
@require_safe
def meeting_record_list(request):
    """What was found: every meeting that stands."""
    return registered_list_page(
        request,
        record_list.KEY,
        template="subsidies/meeting_record_list.html",
        extra={
            "months": sample.months(dates.today()),
            "may_sample": request.user.may(Permission.PAYMENT_MAKE),
        },
    )


@requires(Permission.PAYMENT_VILLAGE)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def meeting_create(request, pk):
    """Somebody was seen: alive or not, whether the money came, what is needed."""
    user, today = request.user, dates.today()
    resident = get_object_or_404(page.people_for(user), pk=pk)
    asked = page.asked_of(user, resident)
    form = MeetingForm(
        request.POST if request.method == "POST" else None, initial={"met_on": today}
    )
    if form.is_valid():
        try:
            meeting = services.record_meeting(
                by=user,
                resident=resident,
                instead_of=_posted_earlier(request),
                today=today,
                now=dates.now(),
                **form.values(),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已登记{resident.name}的见面核实。")
            return redirect(meeting if _needs_a_look(meeting) else "subsidies:meeting-list")
    payments = [of_person.Payment(line) for line in asked.lines]
    context = {"form": form, "resident": resident, "asked": asked, "payments": payments}
    context |= _help(user, resident)
    return render_form(request, "subsidies/meeting_form.html", context)


@requires(Permission.PAYMENT_VILLAGE)
@require_safe
def meeting_detail(request, pk):
    """One meeting: what was found, the payments it answers for, what a death leads to."""
    user, today = request.user, dates.today()
    meeting = _meeting(request, pk)
    may_settle = user.may(Permission.PAYMENT_MAKE)
    return render(
        request,
        "subsidies/meeting_detail.html",
        {
            "meeting": meeting,
            "tag": record_list.delivered_tag(meeting),
            "lines": [of_person.Payment(line) for line in page.answered(user, meeting)],
            "ends": page.ends_of(user, meeting),
            "may_correct": standing.may_correct(user, meeting, today),
            "may_settle": may_settle and standing.may_settle(meeting),
            "may_again": meeting.replaced_by_id is None,
            **_help(user, meeting.resident),
        },
    )


@requires(Permission.PAYMENT_VILLAGE)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def meeting_correct(request, pk):
    """Put right what one recorded today."""
    meeting, today = _meeting(request, pk), dates.today()
    if meeting.met_by_id != request.user.pk:
        raise PermissionDenied
    if not standing.may_correct(request.user, meeting, today):
        messages.error(request, services.OWN_DAY)
        return redirect(meeting)
    initial = MeetingForm.initial_of(meeting)
    if request.method != "POST":
        form = MeetingForm(initial=initial)
        return _correct_page(request, form, meeting, **editing.opened(meeting, initial))
    form = MeetingForm(editing.answers(request, initial), initial=initial)
    if form.is_valid():
        try:
            services.correct_meeting(
                by=request.user, meeting=meeting, today=today, now=dates.now(),
                row_version=editing.posted_version(request), **form.values(),
            )  # fmt: skip
        except EditConflict as conflict:
            return editing.conflict_page(
                request, form, conflict, section=SECTION, title="更正见面核实",
                cancel=meeting.get_absolute_url(),
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已更正。")
            return redirect(meeting)
    return _correct_page(request, form, meeting, **editing.opened_before(request))


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def meeting_settle(request, pk):
    """What came of money that was not received."""
    meeting = _meeting(request, pk)
    form = SettleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services.settle_meeting(
                by=request.user, meeting=meeting, now=dates.now(), **form.cleaned_data
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "查实情况已保存。")
            return redirect(meeting)
    return render(request, "subsidies/meeting_settle.html", {"form": form, "meeting": meeting})


@requires(Permission.PAYMENT_VILLAGE)
@require_safe
def meeting_print(request, pk):
    """见面记录表 of a village and a year."""
    user, today = request.user, dates.today()
    village = get_object_or_404(Region.objects.visible_to(user).filter(level=5), pk=pk)
    year = _year(request.GET.get("year"), waiting.years_of(user), today)
    sheets = sheet.sheets_of(user, village, year)
    count = sum(map(len, sheets))
    services.record_print(by=user, village=village, people=count)
    response = render(
        request,
        "subsidies/meeting_print.html",
        {
            "title": f"{year}年见面记录表",
            "village": village,
            "sheets": sheets,
            "count": count,
            "unit": "人",
            "now": dates.now(),
            "back": due_list.address(),
        },
    )
    response["X-Robots-Tag"] = NO_INDEX
    return response


@requires(Permission.PAYMENT_MAKE)
@require_safe
def meeting_sample(request):
    """抽查表: meetings of a month that the township looks into itself."""
    user, month = request.user, _month(request)
    found = sample.sample_of(user, user.region, month)
    services.record_print(by=user, village=user.region, people=len(found.meetings))
    response = render(
        request,
        "subsidies/meeting_sample.html",
        {
            "title": f"{month.label}见面核实抽查表",
            "sample": found,
            "sheets": found.sheets,
            "count": len(found.meetings),
            "unit": "次",
            "now": dates.now(),
            "back": reverse("subsidies:meeting-record-list"),
        },
    )
    response["X-Robots-Tag"] = NO_INDEX
    return response


@requires(Permission.BENEFIT_VIEW)
@require_safe
def payment_person(request, pk):
    """Everything that a person was paid, by year."""
    people = Resident.objects.visible_to(request.user).for_list()
    resident = get_object_or_404(people, pk=pk)
    years = of_person.payments_of(request.user, [resident.pk])
    return render(request, "subsidies/payment_person.html", {"resident": resident, "years": years})


def _meeting(request, pk) -> Meeting:
    held = Meeting.objects.visible_to(request.user)
    people = held.select_related("resident__household", "village", "met_by", "settled_by")
    return get_object_or_404(people.select_related("replaced_by"), pk=pk)


def _help(user, resident: Resident) -> dict:
    """Where a death, and the needs of a special family, are seen to."""
    return {
        "death_url": page.death_url(user, resident),
        "death_words": page.death_words(user),
        "needs_url": page.needs_url(user, resident),
    }


def _posted_earlier(request) -> int | None:
    """The meeting that the form said would be done again."""
    key = request.POST.get("earlier", "")
    return int(key) if key.isascii() and key.isdigit() and len(key) < 18 else None


def _needs_a_look(meeting: Meeting) -> bool:
    return not meeting.is_alive or bool(meeting.difficulties)


def _year(asked: str | None, years: list[int], today) -> int:
    return int(asked) if asked in map(str, years) else today.year


def _month(request) -> dates.Period:
    """The month asked for, else the one before this."""
    try:
        found = dates.parse_period(request.GET.get("month", ""))
    except ValueError:
        found = None
    if found and found.start.month == found.end.month:
        return found
    return sample.months(dates.today())[0]


def _correct_page(request, form, meeting: Meeting, **opened):
    context = {"form": form, "meeting": meeting, "resident": meeting.resident, **opened}
    return render_form(request, "subsidies/meeting_correct.html", context)
