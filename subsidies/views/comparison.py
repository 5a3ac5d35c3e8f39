"""The comparison desk: its list, both sides of a difference, the verdict, and what follows from it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households.services import record_view
from subsidies.comparison import desk, page, runs
from subsidies.comparison.rules import ACTIONS, END, RULES
from subsidies.forms.comparison import EndForm, JudgeForm
from subsidies.models import Difference, Enrolment, RosterEntry
from subsidies.policies import catalogue
from subsidies.services import comparison


@requires(Permission.BENEFIT_VIEW)
@require_safe
def difference_list(request):
    """What differs in the user's region; what waits, unless asked otherwise."""
    return registered_list_page(
        request,
        desk.KEY,
        template="subsidies/difference_list.html",
        extra={
            "figures": desk.figures(request.user),
            "can_run": request.user.may(Permission.BENEFIT_EDIT),
        },
    )


@requires(Permission.BENEFIT_EDIT)
@require_POST
def comparison_run(request):
    """Have the office's lists and rolls compared in the background."""
    job = runs.start(region=request.user.region, by=request.user)
    messages.success(request, "已开始比对，完成后差异列在这里。")
    return redirect(job)


@requires(Permission.BENEFIT_VIEW)
@require_safe
def difference_detail(request, pk):
    """Both sides of one difference."""
    row = _difference(request, pk)
    record_view(by=request.user, target=row.resident)
    form = JudgeForm(difference=row, actions=page.actions_of(row, request.user))
    return _detail(request, row, form)


@requires(Permission.BENEFIT_APPLY)
@require_POST
@once
def difference_take(request, pk):
    """Take a difference on oneself."""
    row = _difference(request, pk)
    try:
        refused = comparison.assign(by=request.user, differences=[row], owner=request.user)
    except RuleViolation as violation:
        refused = {row.pk: violation.message}
    if refused:
        messages.error(request, refused[row.pk])
    else:
        messages.success(request, "已由您承办。")
    return redirect(row)


@requires(Permission.BENEFIT_APPLY)
@require_POST
@once
def difference_decide(request, pk):
    """Write the verdict; a mistake of ours leads on to where it is mended."""
    row = _difference(request, pk)
    if not _may_judge(request.user, row):
        raise PermissionDenied
    form = JudgeForm(request.POST, difference=row, actions=page.actions_of(row, request.user))
    if not form.is_valid():
        return _detail(request, row, form)
    try:
        refused = comparison.judge(
            by=request.user, differences=[row], now=timezone.now(), **form.cleaned_data
        )
    except RuleViolation as violation:
        refuse(form, violation)
        return _detail(request, row, form)
    if refused:
        form.add_error(None, refused[row.pk])
        return _detail(request, row, form)
    messages.success(request, "已保存核实结论。")
    action = form.cleaned_data["action"]
    if not action:
        return redirect(row)
    return redirect(page.url_of(action, row, _entry(request, row), request.user))


@requires(Permission.BENEFIT_APPLY)
@require_POST
def difference_mend(request, pk):
    """Keep how a mistake of ours is mended, and go there."""
    row = _difference(request, pk)
    action = request.POST.get("action", "")
    if not _may_judge(request.user, row):
        raise PermissionDenied
    try:
        comparison.mend(by=request.user, difference=row, action=action)
    except RuleViolation as violation:
        messages.error(request, violation.message)
        return redirect(row)
    return redirect(page.url_of(action, row, _entry(request, row), request.user))


@requires(Permission.BENEFIT_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def difference_exit(request, pk):
    """Propose the end of the line that a verdict found to be our mistake."""
    row = _difference(request, pk)
    if row.enrolment is None:
        raise Http404
    other = _other(request, row)
    month, reason = page.end_suggested(row, _entry(request, row), dates.today())
    posted = request.POST if request.method == "POST" else None
    form = EndForm(posted, lines=page.lines_to_end(row, other), month=month, reason=reason)
    if posted is not None and form.is_valid():
        try:
            comparison.propose_end(
                by=request.user,
                difference=row,
                other=form.cleaned_data["line"] == "other",
                month=form.cleaned_data["month"],
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已提出退出，等审核人同意后生效。")
            return redirect(row)
    return render(
        request, "subsidies/difference_exit.html",
        {"row": row, "form": form, "other": other, "rule": RULES[row.rule]},
    )  # fmt: skip


def _difference(request, pk) -> Difference:
    rows = Difference.objects.visible_to(request.user).select_related(
        "resident__village", "resident__household__group", "enrolment__resident__village",
        "enrolment__resident__household__group", "owner", "decided_by", "change",
    )  # fmt: skip
    return get_object_or_404(rows, pk=pk)


def _entry(request, row: Difference) -> RosterEntry | None:
    if row.entry_id is None:
        return None
    entries = RosterEntry.objects.visible_to(request.user).select_related(
        "resident__village", "resident__household__group"
    )
    return entries.filter(pk=row.entry_id).first()


def _other(request, row: Difference) -> Enrolment | None:
    lines = Enrolment.objects.visible_to(request.user).for_list()
    return lines.filter(pk=row.other_enrolment_id).first() if row.other_enrolment_id else None


def _may_judge(user, row: Difference) -> bool:
    if not user.may(Permission.BENEFIT_APPLY):
        return False
    return user.may(Permission.BENEFIT_EDIT) or row.owner_id == user.pk


def _detail(request, row: Difference, form: JudgeForm):
    user, today = request.user, dates.today()
    entry, other = _entry(request, row), _other(request, row)
    is_open = not row.verdict and row.gone_on is None
    to_mend = row.verdict == Difference.Verdict.RIGHT and row.gone_on is None
    actions = page.actions_of(row, user) if to_mend and _may_judge(user, row) else []
    return render(
        request,
        "subsidies/difference_detail.html",
        {
            "row": row,
            "rule": RULES[row.rule],
            "policy": catalogue.name_of(row.policy_code) if row.policy_code else "",
            "tag": desk.state_of(row),
            "entry": entry,
            "sides": page.sides_of(row, entry, other, today),
            "hidden_other": bool(row.other_enrolment_id and other is None),
            "sharing": page.others_on_account(row, user),
            "grounds": page.grounds_of(row, today),
            "policy_query": page.policy_query(row),
            "form": form,
            "can_take": is_open
            and user.may(Permission.BENEFIT_APPLY)
            and row.owner_id != user.pk
            and (row.owner_id is None or user.may(Permission.BENEFIT_EDIT)),
            "can_judge": is_open and _may_judge(user, row),
            "action": ACTIONS.get(row.action, ""),
            "actions": [
                (key, ACTIONS[key]) for key in actions if not (key == END and row.change_id)
            ],
        },
    )
