"""What the bank answered: of one batch, of one payment, and the desk for what fits none."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from subsidies.bank_returns import desk, page
from subsidies.bank_returns.ways import OUTCOMES, ways_of
from subsidies.forms.bank_returns import LineAnswerForm, ResolveForm
from subsidies.models import SENT_BATCHES, PaymentBatch, PaymentLine
from subsidies.payments.batch_list import title_of
from subsidies.services import return_desk


@requires(Permission.PAYMENT_VIEW)
@require_safe
def exception_list(request):
    """Answers that fit no payment; what waits, unless asked otherwise."""
    may_make = request.user.may(Permission.PAYMENT_MAKE)
    return registered_list_page(
        request, desk.KEY, template="subsidies/exception_list.html", extra={"may_make": may_make}
    )


@requires(Permission.PAYMENT_VIEW)
@require_safe
def exception_detail(request, pk):
    """What the bank said beside what was sent, and the ways out."""
    return _exception_page(request, _exception(request, pk))


@requires(Permission.PAYMENT_MAKE)
@require_POST
@once
def exception_resolve(request, pk):
    """Settle it."""
    exception = _exception(request, pk)
    form = ResolveForm(request.POST, exception=exception, ways=ways_of(exception))
    if not form.is_valid():
        return _exception_page(request, exception, form)
    try:
        return_desk.resolve_exception(
            by=request.user, exception=exception, today=dates.today(), now=dates.now(),
            **form.cleaned_data,
        )  # fmt: skip
    except RuleViolation as violation:
        refuse(form, violation)
        return _exception_page(request, _exception(request, pk), form)
    messages.success(request, "已处理这条回盘异常。")
    return redirect(desk.URL)


@requires(Permission.PAYMENT_VIEW)
@require_safe
def batch_answers(request, pk):
    """What came back for one batch, by village and by reason, and what is still out."""
    batch = _batch(request, pk)
    user, number = request.user, request.GET.get("no", "").strip()
    answers = page.answers_of(batch, user, dates.today())
    return render(
        request,
        "subsidies/answers.html",
        {
            "batch": batch,
            "title": title_of(batch),
            "answers": answers,
            "out": page.with_tags(answers.out),
            "failed": page.with_tags(answers.failed),
            "number": number,
            "found": page.with_tags(filter(None, [page.line_numbered(batch, user, number)])),
            "open_exceptions": desk.exceptions_for(user).open().filter(batch=batch).count(),
            "may_make": user.may(Permission.PAYMENT_MAKE),
        },
    )


@requires(Permission.PAYMENT_MAKE)
@require_POST
@once
def answers_unclear(request, pk):
    """Mark what the bank hasn't answered in time."""
    batch = _batch(request, pk)
    try:
        count = return_desk.mark_unclear(
            by=request.user, batch=batch, today=dates.today(), now=dates.now()
        )
    except RuleViolation as violation:
        messages.error(request, violation.message)
    else:
        messages.success(request, f"{count:,}笔已标为结果不明，请向银行逐笔查询。")
    return redirect("subsidies:batch-answers", pk=batch.pk)


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def line_answer(request, pk):
    """Type in what the bank said of one payment."""
    lines = PaymentLine.objects.visible_to(request.user).select_related("batch", "village")
    line = get_object_or_404(lines, pk=pk, batch__in=_batches(request))
    back = reverse("subsidies:batch-answers", args=[line.batch_id])
    if line.state not in OUTCOMES:
        messages.error(request, f"这一笔现在是“{line.get_state_display()}”，没有可以登记的结果。")
        return redirect(back)
    form = LineAnswerForm(request.POST if request.method == "POST" else None, line=line)
    if form.is_valid():
        try:
            line = return_desk.answer_line(
                by=request.user, line=line, today=dates.today(), now=dates.now(),
                **form.cleaned_data,
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            recalled = "；已经补发过，已提出追回" if line.late_paid_on else ""
            messages.success(
                request, f"第{line.line_no}号已登记：{line.get_state_display()}{recalled}。"
            )
            return redirect(back)
    return render(
        request, "subsidies/answers_line.html",
        {"line": line, "form": form, "back": back, "tag": page.line_tag(line)},
    )  # fmt: skip


def _exception(request, pk):
    found = desk.exceptions_for(request.user).select_related(
        "office", "batch", "line__batch", "line__village", "resolved_by"
    )
    return get_object_or_404(found, pk=pk)


def _exception_page(request, exception, form=None):
    may_resolve = not exception.resolution and request.user.may(Permission.PAYMENT_MAKE)
    if may_resolve and form is None:
        form = ResolveForm(exception=exception, ways=ways_of(exception))
    line = exception.line
    return render(
        request,
        "subsidies/exception_detail.html",
        {
            "exception": exception,
            "line": line,
            "tag": desk.state_of(exception.resolution),
            "line_tag": page.line_tag(line) if line else "",
            "age": desk.age(exception.created_at, dates.today()),
            "form": form if may_resolve else None,
        },
    )


def _batches(request):
    return PaymentBatch.objects.visible_to(request.user).filter(state__in=SENT_BATCHES).exclude(
        kind=PaymentBatch.Kind.HISTORY
    )  # fmt: skip


def _batch(request, pk) -> PaymentBatch:
    batch = _batches(request).select_related("office").filter(pk=pk).first()
    if batch is None:
        raise Http404
    return batch
