"""总人口账: the ledger of a place and month, locking a month and opening it again."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.reporting import sheets
from fpadmin.ui.forms import refuse
from households import services
from households.forms.ledger import LedgerForm, UnlockForm
from households.ledger_page import RETURN, ledger_page
from households.models import LedgerLock


@requires(Permission.RETURNS_VIEW)
@require_safe
def ledger_detail(request):
    """One month of one place, every class of people, by village in the class asked for."""
    today = dates.today()
    form = LedgerForm(request.GET, user=request.user, today=today)
    if not form.is_valid() and "region" in form.errors:
        raise Http404
    region = form.cleaned_data.get("region") or request.user.region
    month = form.months[form.chosen("month")]
    page = ledger_page(region, month, form.chosen("who"), request.user, today)
    return render(
        request,
        "households/ledger_detail.html",
        {
            "form": form,
            "region": region,
            "month": month,
            "page": page,
            "may_make": request.user.may(Permission.RETURNS_MAKE),
            "return_code": RETURN,
        },
    )


@requires(Permission.LEDGER_LOCK)
@require_http_methods(["GET", "HEAD", "POST"])
def ledger_lock(request, region, period):
    """Lock a month after a last look."""
    township = get_object_or_404(Region.objects.visible_to(request.user), code=region)
    try:
        month = sheets.period_of(sheets.find_return(RETURN), period)
    except RuleViolation:
        raise Http404
    if request.method == "POST":
        try:
            lock = services.lock_month(
                by=request.user, township=township, period=month.code, today=dates.today()
            )
            messages.success(request, f"{lock.label}已锁定，数字不再变。")
        except RuleViolation as problem:
            messages.error(request, problem.message)
        return redirect(_address(township, month.code))
    return render(
        request,
        "households/ledger_lock.html",
        {"township": township, "month": month, "back": _address(township, month.code)},
    )


@requires(Permission.LEDGER_UNLOCK)
@require_http_methods(["GET", "HEAD", "POST"])
def ledger_unlock(request, pk):
    """Open the last locked month of a township again, with the reason."""
    locks = LedgerLock.objects.visible_to(request.user).select_related("township", "locked_by")
    lock = get_object_or_404(locks, pk=pk)
    form = UnlockForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.unlock_month(by=request.user, lock=lock, reason=form.cleaned_data["reason"])
        except RuleViolation as problem:
            refuse(form, problem)
        else:
            messages.success(request, f"{lock.township.name}{lock.label}已解锁。")
            return redirect(_address(lock.township, lock.period))
    return render(
        request,
        "households/ledger_unlock.html",
        {"lock": lock, "form": form, "back": _address(lock.township, lock.period)},
    )


def _address(region: Region, month: str) -> str:
    query = urlencode({"region": region.code, "month": month})
    return f"{reverse('households:ledger-detail')}?{query}"
