"""追回: what seems paid too much, what is asked back, decided, and came back."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from subsidies.forms.recoveries import DecisionForm, ProposeForm, RepayForm
from subsidies.models import PaymentLine, Recovery, RecoveryPart
from subsidies.recoveries import owed, page, recovery_list
from subsidies.services import recoveries as services

ACCEPT = "accept"


@requires(Permission.PAYMENT_VIEW)
@require_safe
def recovery_list_page(request):
    """What is asked back, and above it what seems paid too much."""
    return registered_list_page(
        request,
        recovery_list.KEY,
        template="subsidies/recovery_list.html",
        extra={
            "suspicions": page.suspicions_of(request.user),
            "can_propose": request.user.may(Permission.PAYMENT_MAKE),
        },
    )


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def recovery_create(request, pk):
    """Ask that money paid by one line come back."""
    lines = PaymentLine.objects.visible_to(request.user)
    line = get_object_or_404(lines.select_related("batch", "beneficiary", "village"), pk=pk)
    today = dates.today()
    reason = Recovery.Reason.LATE_SUCCESS if line.late_paid_on else Recovery.Reason.OVERPAID
    most = owed.most_of(line, reason)
    form = ProposeForm(
        request.POST if request.method == "POST" else None,
        line=line,
        suggested=page.suspected_amount(line) or most,
        can_deduct=owed.can_deduct(line, today),
    )
    if request.method == "POST" and form.is_valid():
        try:
            recovery = services.propose_recovery(
                by=request.user, line=line, today=today, now=dates.now(), **form.values()
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已提出追回，由另一人审核同意后生效。")
            return redirect("subsidies:recovery-detail", recovery.pk)
    return render_form(
        request, "subsidies/recovery_form.html", {"form": form, "line": line, "most": most}
    )


@requires(Permission.PAYMENT_VIEW)
@require_safe
def recovery_detail(request, pk):
    """One recovery: why, how much is back, what is under way."""
    recovery = _recovery(request, pk)
    return render(request, "subsidies/recovery_detail.html", _shown(request, recovery))


@requires(Permission.PAYMENT_CHECK)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def recovery_decide(request, pk):
    """Agree to what somebody else proposed, or refuse it."""
    recovery = _recovery(request, pk)
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        accept = request.POST.get("decision") == ACCEPT
        try:
            services.decide_recovery(
                by=request.user,
                recovery=recovery,
                accept=accept,
                now=dates.now(),
                **form.cleaned_data,
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已同意追回。" if accept else "不追回，已告诉提出人。")
            return redirect("subsidies:recovery-detail", recovery.pk)
    return render(
        request, "subsidies/recovery_decide.html", _shown(request, recovery) | {"form": form}
    )


@requires(Permission.PAYMENT_FUND)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def recovery_repay(request, pk):
    """Write down that money came back."""
    recovery, today = _recovery(request, pk), dates.today()
    left = owed.left_to_repay(recovery)
    form = RepayForm(request.POST if request.method == "POST" else None, left=left, today=today)
    if request.method == "POST" and form.is_valid():
        try:
            services.repay_recovery(
                by=request.user, recovery=recovery, today=today, now=dates.now(),
                **form.cleaned_data,
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已登记，这笔钱已回到可用资金。")
            return redirect("subsidies:recovery-detail", recovery.pk)
    return render_form(
        request, "subsidies/recovery_repay.html", _shown(request, recovery) | {"form": form}
    )


def _recovery(request, pk) -> Recovery:
    found = Recovery.objects.visible_to(request.user).select_related(
        "line__batch__office", "line__beneficiary", "line__village", "proposed_by", "decided_by"
    )
    return get_object_or_404(found, pk=pk)


def _shown(request, recovery: Recovery) -> dict:
    user, state = request.user, recovery.state
    parts = list(
        RecoveryPart.objects.visible_to(user)
        .filter(recovery=recovery)
        .select_related("line__batch", "by")
        .order_by("happened_on", "pk")
    )
    own = recovery.proposed_by_id == user.pk
    waits = state == Recovery.State.PROPOSED
    return {
        "recovery": recovery,
        "line": recovery.line,
        "policy": recovery.line.policy,
        "tag": recovery_list.state_tag(recovery),
        "left": owed.left_of(recovery),
        "under_way": owed.under_way(recovery),
        "left_to_repay": owed.left_to_repay(recovery),
        "parts": parts,
        "story": page.story_of(recovery, parts),
        "can_decide": waits and not own and user.may(Permission.PAYMENT_CHECK),
        "can_repay": state == Recovery.State.OPEN and user.may(Permission.PAYMENT_FUND),
        "can_propose": state == Recovery.State.REFUSED and user.may(Permission.PAYMENT_MAKE),
        "is_own": waits and own,
    }
