"""Rounds of visits (节日慰问): list, a new one, one with its families, ticking off, receipts."""

from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import RuleViolation
from fpadmin.money import capital_yuan
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import list_page, registered_list_page
from households.forms.special_rounds import (
    LeaveOutForm,
    RoundForm,
    TickForm,
    UntickForm,
    VisitorsForm,
)
from households.models import CareRound, FamilyContact, FamilyParent, RoundVisit
from households.services import special_rounds
from households.services.printing import record_print
from households.special import contact_log, round_list, round_paper, rounds

TASKS = "tasks"


@requires(Permission.SPECIAL_VIEW)
@require_safe
def special_round_list(request):
    """Every round of the township; for a contact those that visit own families."""
    return list_page(
        request,
        rounds.with_progress(CareRound.objects.visible_to(request.user), request.user),
        template="households/special_round_list.html",
        title="节日慰问",
        unit="次",
        table_class=round_list.RoundTable,
        extra={
            "can_edit": request.user.may(Permission.SPECIAL_EDIT),
            "sees_all": request.user.may(Permission.SPECIAL_LIST),
        },
    )


@requires(Permission.SPECIAL_LIST)
@require_safe
def special_visit_list(request):
    """Families on the lists of every round, for a file too."""
    return registered_list_page(
        request, round_list.KEY, template="households/special_visit_list.html"
    )


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_round_create(request):
    """A new round: the families are listed and visitors proposed."""
    today = dates.today()
    form = RoundForm(
        request.POST if request.method == "POST" else None, initial={"starts_on": today}
    )
    if form.is_valid():
        try:
            care_round = special_rounds.make_round(
                by=request.user, township=request.user.region, today=today, **form.values()
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已制定“{care_round.name}”。请核对名单和慰问人。")
            return redirect(care_round)
    return render_form(request, "households/special_round_form.html", {"form": form})


@requires(Permission.SPECIAL_VIEW)
@require_safe
def special_round_detail(request, pk):
    """One round: how far it is by village, and its families; for a contact the own ones in big rows."""
    care_round = _round(request, pk)
    visits = RoundVisit.objects.visible_to(request.user).filter(round=care_round)
    user = request.user
    context = {
        "care_round": care_round,
        "progress": rounds.progress_of(visits, care_round.amount),
        "brought": rounds.brought(care_round),
        "tag": rounds.round_tag(care_round, dates.today()),
        "can_edit": user.may(Permission.SPECIAL_EDIT),
        "can_export": user.may(Permission.EXPORT),
        "list_key": round_list.KEY,
        "export_query": urlencode({"round": care_round.pk}),
    }
    if not user.may(Permission.SPECIAL_LIST):
        own = list(rounds.for_list(visits))
        context |= {
            "to_visit": [one for one in own if one.state == rounds.OPEN],
            "others": [
                (one, round_list.acts_on(one, user)) for one in own if one.state != rounds.OPEN
            ],
        }
        return render(request, "households/special_round_own.html", context)
    return list_page(
        request,
        rounds.for_list(visits),
        template="households/special_round_detail.html",
        title="慰问名单",
        unit="户",
        table_class=round_list.RoundVisitTable,
        filter_class=round_list.RoundVisitFilter,
        extra=context | {"villages": rounds.by_village(visits, care_round.amount)},
    )


@requires(Permission.SPECIAL_EDIT)
@require_POST
@once
def special_round_refresh(request, pk):
    """Take in families whose archive was opened since, drop those that are closed."""
    care_round = _round(request, pk)
    added, dropped = special_rounds.refresh_round(
        by=request.user, care_round=care_round, today=dates.today()
    )
    messages.success(request, f"名单已更新：新列入{added}户，移出{dropped}户。")
    return redirect(care_round)


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_round_visitors(request, pk):
    """Who is to go to each family that is not visited yet."""
    care_round = _round(request, pk)
    visits = RoundVisit.objects.visible_to(request.user).filter(round=care_round).to_visit()
    terms = FamilyContact.objects.visible_to(request.user).filter(
        family__in=visits.order_by().values("family"), ended_on__isnull=True
    )
    form = VisitorsForm(
        request.POST if request.method == "POST" else None,
        visits=rounds.for_list(visits),
        terms=terms.select_related("person").order_by("started_on", "pk"),
    )
    if form.is_valid():
        try:
            count = special_rounds.change_visitors(
                by=request.user, care_round=care_round, chosen=form.chosen()
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已保存，改动{count}户的慰问人。")
            return redirect(care_round)
    return render_form(
        request, "households/special_round_visitors.html", {"form": form, "care_round": care_round}
    )


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_visit_tick(request, pk):
    """That a family was visited: who, when, who signed."""
    today = dates.today()
    visit = _visit(request, pk)
    if visit.state != rounds.OPEN:
        messages.info(request, f"{round_list.called(visit)}：{rounds.STATE_WORDS[visit.state]}。")
        return redirect(visit.round)
    parents = FamilyParent.objects.visible_to(request.user).filter(
        family=visit.family_id, ended_on__isnull=True, resident__death_date__isnull=True
    )
    contacts = list(rounds.who_may_have_gone(visit, today))
    back, day_taken = _back(request, visit), None
    form = TickForm(
        request.POST if request.method == "POST" else None,
        visit=visit,
        contacts=contacts,
        signers=parents.values_list("resident__name", flat=True),
        user=request.user,
        today=today,
    )
    if form.is_valid() and (not form.warnings or "confirmed" in request.POST):
        try:
            ticked = special_rounds.tick_off(
                by=request.user, visit=visit, today=today, **form.values()
            )
        except RuleViolation as violation:
            refuse(form, violation)
            if isinstance(violation, special_rounds.DayTaken):
                day_taken = violation.record
        else:
            linked = "，用的是当天已有的联系记录" if ticked.linked else ""
            messages.success(request, f"{round_list.called(visit)}已登记慰问{linked}。")
            return redirect(back)
    return render_form(
        request,
        "households/special_visit_tick.html",
        {
            "form": form,
            "visit": visit,
            "called": round_list.called(visit),
            "brought": rounds.brought(visit.round),
            "contacts": contacts,
            "back": back,
            "day_taken": day_taken,
            "may_correct": bool(day_taken) and contact_log.may_correct(request.user, day_taken),
            "warnings": form.warnings if form.is_bound and not form.errors else [],
        },
    )


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_visit_untick(request, pk):
    """Take a tick back, with the reason."""
    visit = _visit(request, pk)
    form = UntickForm(request.POST if request.method == "POST" else None)

    def save():
        special_rounds.untick(
            by=request.user,
            visit=visit,
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
            today=dates.today(),
        )

    return _with_reason(
        request, visit, form, save, "撤回慰问登记", "households/special_visit_untick.html"
    )


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_visit_leave_out(request, pk):
    """Leave a family out of a round, with the reason."""
    visit = _visit(request, pk)
    form = LeaveOutForm(request.POST if request.method == "POST" else None)

    def save():
        special_rounds.leave_out(by=request.user, visit=visit, reason=form.cleaned_data["reason"])

    return _with_reason(
        request, visit, form, save, "不慰问", "households/special_visit_leave_out.html"
    )


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_visit_take_in(request, pk):
    """Visit a family after all that was left out."""
    visit = _visit(request, pk)
    if request.method == "POST":
        try:
            special_rounds.take_in(by=request.user, visit=visit)
            messages.success(request, f"{round_list.called(visit)}已重新列入名单。")
        except RuleViolation as violation:
            messages.error(request, violation.message)
        return redirect(visit.round)
    return render(
        request,
        "households/special_visit_take_in.html",
        {"visit": visit, "called": round_list.called(visit)},
    )


@requires(Permission.SPECIAL_RECORD)
@require_safe
def special_round_receipt(request, pk):
    """A receipt for each family of the round, to be cut apart; whom a contact sees, the own ones."""
    care_round = _round(request, pk)
    return _receipts(request, care_round, _to_print(request, care_round))


@requires(Permission.SPECIAL_RECORD)
@require_safe
def special_visit_receipt(request, pk):
    """The receipt of one family, to be signed."""
    visit = _visit(request, pk)
    return _receipts(request, visit.round, [visit])


@requires(Permission.SPECIAL_LIST)
@require_safe
def special_round_paper(request, pk):
    """The office's own list of the round by village: it names every family, so it stays there."""
    care_round = _round(request, pk)
    sheets = round_paper.office_list(_to_print(request, care_round), care_round.amount)
    return _print(
        request,
        "households/special_round_paper.html",
        care_round,
        title=f"{care_round.name}登记表（办公室留存）",
        sheets=sheets,
        count=sum(len(sheet.lines) for sheet in sheets),
    )


def _receipts(request, care_round: CareRound, visits):
    sheets = round_paper.slip_sheets(visits)
    amount = care_round.amount
    return _print(
        request,
        "households/special_round_receipt.html",
        care_round,
        title=f"{care_round.name}签收单",
        sheets=sheets,
        count=sum(map(len, sheets)),
        in_words="" if amount is None else capital_yuan(amount),
        layout="A4竖向，沿虚线裁开，一户一张",
    )


def _print(request, template: str, care_round: CareRound, *, title: str, count: int, **context):
    record_print(by=request.user, what=title, count=count)
    return render(
        request,
        template,
        {
            "title": title,
            "care_round": care_round,
            "count": count,
            "unit": "户",
            "now": timezone.now(),
            "back": care_round.get_absolute_url(),
        }
        | context,
    )


def _to_print(request, care_round: CareRound):
    visits = RoundVisit.objects.visible_to(request.user).filter(round=care_round, left_out="")
    return rounds.for_list(visits)


def _with_reason(request, visit: RoundVisit, form, save, title: str, template: str):
    if form.is_valid():
        try:
            save()
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"{title}：{round_list.called(visit)}，已保存。")
            return redirect(visit.round)
    return render(
        request, template, {"form": form, "visit": visit, "called": round_list.called(visit)}
    )


def _back(request, visit: RoundVisit) -> str:
    """To the tasks on a phone, else to the round."""
    if request.GET.get("from") == TASKS:
        return reverse("households:special-my-tasks")
    return visit.round.get_absolute_url()


def _round(request, pk) -> CareRound:
    visible = CareRound.objects.visible_to(request.user).select_related("region")
    return get_object_or_404(rounds.with_progress(visible, request.user), pk=pk)


def _visit(request, pk) -> RoundVisit:
    visits = RoundVisit.objects.visible_to(request.user)
    return get_object_or_404(rounds.for_list(visits), pk=pk)
