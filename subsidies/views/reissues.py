"""Failed lines paid again, and their accounts: told to the village, mended there or by the office."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.lists import registered_list_page
from subsidies.models import PaymentBatch
from subsidies.reissues import account_list, page
from subsidies.services import reissues as services


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def reissue_create(request, pk):
    """Who would be paid again; ticked, they become a batch in the draft."""
    batch = _batch(request, pk)
    fault = ""
    if request.method == "POST":
        chosen = {int(one) for one in request.POST.getlist("line") if one.isdecimal()}
        try:
            if not chosen:
                raise RuleViolation("请至少勾选一笔。")
            child = services.create_reissue(
                by=request.user, batch=batch, lines=chosen, today=dates.today(), now=dates.now()
            )
        except RuleViolation as violation:
            fault = violation.message
        else:
            messages.success(request, f"已编制补发批次{child.number}，请核对后提交。")
            return redirect(child)
    return render(
        request,
        "subsidies/reissue_form.html",
        {"batch": batch, "check": page.check_list(batch), "fault": fault},
    )


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def account_tell(request, pk):
    """Which accounts of the batch become tasks of which village; done once."""
    batch = _batch(request, pk)
    if request.method == "POST":
        also = {int(one) for one in request.POST.getlist("line") if one.isdecimal()}
        try:
            count = services.tell_village(by=request.user, batch=batch, also=also, now=dates.now())
        except RuleViolation as violation:
            messages.error(request, violation.message)
        else:
            messages.success(request, f"已把{count}笔发给村里更正账户。")
        return redirect(batch)
    return render(
        request,
        "subsidies/account_tell.html",
        {"batch": batch, "lines": page.to_tell(batch), "unclear": page.not_sure_to_tell(batch)},
    )


@requires(Permission.PAYMENT_VILLAGE)
@require_safe
def account_list_page(request):
    """Accounts that wait to be mended, of the user's villages."""
    return registered_list_page(
        request,
        account_list.KEY,
        template="subsidies/account_list.html",
        extra={"is_office": request.user.may(Permission.PAYMENT_VIEW)},
    )


def _batch(request, pk) -> PaymentBatch:
    batches = PaymentBatch.objects.visible_to(request.user).select_related("office")
    return get_object_or_404(batches, pk=pk)
