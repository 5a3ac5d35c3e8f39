"""Batches of payments: listed, made, looked at, taken from step to step by different people."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.accounts.step_up import confirm_password
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.editing import posted_pairs, posted_version
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from subsidies.forms.batches import (
    AgreeForm,
    ApproveForm,
    BatchForm,
    HoldForm,
    PasswordForm,
    PolicyForm,
    ReasonForm,
    ReturnForm,
)
from subsidies.models import BATCH_TRANSITIONS, PaymentBatch, PaymentLine
from subsidies.payments import batch_list, batch_page, line_list, paper, previewing, turns
from subsidies.payments.actions import actions_of
from subsidies.payments.periods import year_words
from subsidies.payments.steps import makers
from subsidies.policies import catalogue
from subsidies.services import payments as services
from subsidies.services.payment_papers import record_batch_print

GET_OR_POST = ["GET", "HEAD", "POST"]


@requires(Permission.PAYMENT_VIEW)
@require_safe
def batch_list_page(request):
    """The batches that the user may see."""
    may_make = request.user.may(Permission.PAYMENT_MAKE)
    return registered_list_page(
        request, batch_list.KEY, template="subsidies/batch_list.html", extra={"may_make": may_make}
    )


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(GET_OR_POST)
@once
def batch_create(request):
    """Choose the policy, then year, months and part; look at what comes of it; make it."""
    office, today = request.user.region, dates.today()
    if office.level != Region.Level.TOWNSHIP:
        raise Http404
    choices = previewing.offered(request.user, office, today)
    code = request.GET.get("policy", "")
    if code not in dict(choices):
        form = PolicyForm(request.GET if code else None, choices=choices)
        return render(
            request, "subsidies/batch_policy.html",
            {"form": form, "choices": choices, "office": office},
        )  # fmt: skip
    policy = catalogue.policy(code)
    form = BatchForm(
        request.POST if request.method == "POST" else None,
        policy=policy, parts=previewing.parts_of(request.user, policy, office), today=today,
    )  # fmt: skip
    context = {"form": form, "policy": policy, "office": office}
    if request.method != "POST" or not form.is_valid() or request.POST.get("step") == "back":
        return render(request, "subsidies/batch_form.html", context)
    values = form.cleaned_data | {
        "by": request.user, "office": office, "policy_code": code, "today": today,
        "now": dates.now(),
    }  # fmt: skip
    try:
        if request.POST.get("step") == "check":
            context |= {
                "preview": previewing.preview(**values),
                "pairs": posted_pairs(request.POST),
                "year": year_words(policy, values["year"]),
                "values": values,
            }
            return render(request, "subsidies/batch_preview.html", context)
        batch = services.create_batch(**values)
    except RuleViolation as violation:
        refuse(form, violation)
        return render(request, "subsidies/batch_form.html", context)
    messages.success(request, f"批次{batch.number}已编制，还是草稿。请核对名单后提交。")
    return redirect(batch)


@requires(Permission.PAYMENT_VIEW)
@require_safe
def batch_detail(request, pk):
    """One batch: where it stands, what it comes to, what has to be seen to, and by whom."""
    return _page(request, _batch(request, pk))


@requires(Permission.PAYMENT_MAKE)
@require_POST
@once
def batch_recalculate(request, pk):
    """Make the lines anew."""
    batch, version = _batch(request, pk), posted_version(request)
    if "recalculate" not in actions_of(batch, request.user).names:
        return _too_late(request, batch)
    try:
        services.recalculate(
            by=request.user, batch=batch, row_version=version, today=dates.today(), now=dates.now()
        )
    except RuleViolation as violation:
        return _refused(request, batch, "submit", violation)
    messages.success(request, "已按现在的在册情况和标准重新计算。")
    return redirect(batch)


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(GET_OR_POST)
@once
def batch_submit(request, pk):
    """Hand the list over to be checked."""

    def act(batch, form):
        version = posted_version(request)
        services.submit_batch(by=request.user, batch=batch, row_version=version, now=dates.now())
        return "已提交，等同事核对。"

    return _step(request, pk, "submit", None, act)


@requires(Permission.PAYMENT_CHECK)
@require_http_methods(GET_OR_POST)
@once
def batch_check(request, pk):
    """Say that the list is right."""

    def act(batch, form):
        services.check_batch(by=request.user, batch=batch, now=dates.now(), **form.cleaned_data)
        return "已核对，等批准。"

    return _step(request, pk, "check", AgreeForm, act)


@requires(Permission.PAYMENT_APPROVE)
@sensitive_post_parameters("password")
@require_http_methods(GET_OR_POST)
@once
def batch_approve(request, pk):
    """Release the money, with one's own password."""

    def act(batch, form):
        _confirm(request, batch, form)
        services.approve_batch(
            by=request.user, batch=batch, sha256=form.cleaned_data["sha256"], today=dates.today(),
            now=dates.now(),
        )  # fmt: skip
        return "已批准，资金已占用，等经办生成银行文件。"

    return _step(request, pk, "approve", ApproveForm, act)


@requires(Permission.PAYMENT_VIEW)
@require_http_methods(GET_OR_POST)
@once
def batch_return(request, pk):
    """Send it back to who made it."""

    def act(batch, form):
        services.return_batch(by=request.user, batch=batch, note=form.reason(), now=dates.now())
        return "已退回经办人。"

    return _step(request, pk, "return", ReturnForm, act)


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(GET_OR_POST)
@once
def batch_void(request, pk):
    """Give it up, before it goes to the bank."""

    def act(batch, form):
        services.void_batch(
            by=request.user, batch=batch, today=dates.today(), now=dates.now(), **form.cleaned_data
        )
        return "已作废，名单里的人可以编入别的批次。"

    return _step(request, pk, "void", ReasonForm, act)


@requires(Permission.PAYMENT_MAKE)
@sensitive_post_parameters("password")
@require_http_methods(GET_OR_POST)
@once
def batch_send(request, pk):
    """Say that the file went to the bank, with one's own password."""

    def act(batch, form):
        _confirm(request, batch, form)
        services.send_batch(by=request.user, batch=batch, today=dates.today(), now=dates.now())
        return "已送银行，等银行回盘。"

    return _step(request, pk, "send", PasswordForm, act)


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(GET_OR_POST)
@once
def batch_close(request, pk):
    """Say that nothing is left to do."""

    def act(batch, form):
        services.close_batch(by=request.user, batch=batch, now=dates.now())
        return "已结清。"

    return _step(request, pk, "close", None, act)


@requires(Permission.PAYMENT_VIEW)
@require_safe
def batch_lines(request, pk):
    """The list of this batch's lines, under the conditions of the address."""
    batch = _batch(request, pk)
    query = {key: value for key, value in request.GET.items() if key != "batch"}
    url = line_list.lines_url(batch)
    return redirect(f"{url}&{urlencode(query)}" if query else url)


@requires(Permission.PAYMENT_VIEW)
@require_safe
def line_list_page(request):
    """The lines of policies that tell nothing of a child's death or illness."""
    return _lines(request, line_list.KEY)


@requires(Permission.PAYMENT_VIEW)
@require_safe
def line_sensitive_list_page(request):
    """The lines of the others, as far as the user may know."""
    return _lines(request, line_list.SENSITIVE_KEY)


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(GET_OR_POST)
@once
def line_hold(request, pk):
    """Keep one line out of the payment."""
    line = _line(request, pk)
    form = HoldForm(request.POST if request.method == "POST" else None)
    if line_list.act_of(line, request.user) != "hold":
        return _too_late(request, line.batch)
    if request.method == "POST" and form.is_valid():
        try:
            services.hold_line(by=request.user, line=line, now=dates.now(), **form.cleaned_data)
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"第{line.line_no}笔已暂缓，这一批不发。")
            return redirect(line.batch)
    return render(request, "subsidies/batch_line_hold.html", {"line": line, "form": form})


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(GET_OR_POST)
@once
def line_release(request, pk):
    """Put one held line back."""
    line = _line(request, pk)
    if line_list.act_of(line, request.user) != "release":
        return _too_late(request, line.batch)
    if request.method == "POST":
        try:
            services.release_line(by=request.user, line=line, now=dates.now())
        except RuleViolation as violation:
            messages.error(request, violation.message)
        else:
            messages.success(request, f"第{line.line_no}笔已恢复发放。")
        return redirect(line.batch)
    return render(request, "subsidies/batch_line_release.html", {"line": line})


@requires(Permission.PAYMENT_VIEW)
@require_safe
def batch_print(request, pk):
    """The roster on paper (发放花名册), recorded as printed."""
    batch, now = _batch(request, pk), dates.now()
    sheets = paper.sheets_of(batch)
    count = sum(len(sheet.lines) for sheet in sheets)
    record_batch_print(by=request.user, batch=batch, count=count)
    return render(
        request,
        "subsidies/batch_print.html",
        {
            "title": f"{batch.policy.name}发放花名册",
            "batch": batch,
            "year": year_words(batch.policy, batch.year),
            "sheets": sheets,
            "count": count,
            "unit": "笔",
            "now": now,
            "back": batch.get_absolute_url(),
        },
    )


@requires(Permission.PAYMENT_VIEW)
@require_safe
def batch_steps(request, pk):
    """Who did what with the batch, newest first."""
    batch = _batch(request, pk)
    return render(
        request,
        "subsidies/batch_steps.html",
        {"batch": batch, "title": batch_list.title_of(batch), "rows": batch_page.record_of(batch)},
    )


def _step(request, pk, action: str, form_class, act):
    """A page of one step: what it does to how much, the form, and what came of it.

    `act(batch, form)` takes the step and returns the message. Where somebody took another step first,
    the finished page is shown with 409.
    """
    batch = _batch(request, pk)
    data = request.POST if request.method == "POST" else None
    form = form_class(data) if form_class else None
    if action not in BATCH_TRANSITIONS.get(batch.state, {}):
        return _too_late(request, batch)
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            done = act(batch, form)
        except RuleViolation as violation:
            return _refused(request, batch, action, violation, form)
        messages.success(request, done)
        return redirect(batch)
    return _step_page(request, batch, action, form)


def _step_page(request, batch: PaymentBatch, action: str, form, fault: str = ""):
    sums = batch_page.sums_of(batch)
    return render(
        request,
        f"subsidies/batch_{action}.html",
        {
            "batch": batch,
            "form": form,
            "fault": fault or _own_words(request.user, batch, action),
            "title": batch_list.title_of(batch),
            "state": batch_list.state_tag(batch),
            "whole": batch_page.whole_of(batch, sums),
            "sums": sums,
            "parts": batch_page.parts_of(batch),
            "digest": batch_page.digest_words(batch),
            "fund": batch_page.fund_of(request.user, batch),
            "changed": batch_page.changed_count(batch),
            "changed_url": line_list.lines_url(batch, changed="true"),
            "lines_url": line_list.lines_url(batch),
        },
    )


def _own_words(user, batch: PaymentBatch, action: str) -> str:
    """Why this user may not take the step, said before anything is typed."""
    if user.pk not in turns.excluded(batch, action):
        return ""
    return services.OWN if user.pk in makers(batch) else services.TWO_STEPS


def _refused(request, batch: PaymentBatch, action: str, violation: RuleViolation, form=None):
    """The form with what the service refused; if the batch went on meanwhile, its page and who did it."""
    now = _batch(request, batch.pk)
    if action not in BATCH_TRANSITIONS.get(now.state, {}):
        return _page(request, now, lost=True)
    if form is not None and violation.field in form.fields:
        refuse(form, violation)
        return _step_page(request, now, action, form)
    return _page(request, now, fault=violation.message) if form is None else _step_page(
        request, now, action, form, violation.message
    )  # fmt: skip


def _too_late(request, batch: PaymentBatch):
    """A step that isn't to be taken now: its page; a POST is told who was first."""
    if request.method == "POST":
        return _page(request, batch, lost=True)
    messages.info(request, f"这个批次现在是“{batch.get_state_display()}”，这一步现在不能办理。")
    return redirect(batch)


def _page(request, batch: PaymentBatch, *, lost: bool = False, fault: str = ""):
    user, today = request.user, dates.today()
    sums = batch_page.sums_of(batch)
    troubles, trouble_count = batch_page.troubled(batch, user, today)
    exceptions, exceptions_url = batch_page.exceptions_of(batch, user)
    return render(
        request,
        "subsidies/batch_detail.html",
        {
            "batch": batch,
            "title": batch_list.title_of(batch),
            "state": batch_list.state_tag(batch),
            "months": batch_list.months_words(batch.policy_code, batch.from_month, batch.to_month),
            "steps": batch_page.steps_of(batch, sums, today),
            "figures": batch_page.figures_of(batch, sums, batch_page.fund_of(user, batch)),
            "troubles": troubles,
            "trouble_count": trouble_count,
            "exceptions": exceptions,
            "exceptions_url": exceptions_url,
            "tell_url": batch_page.tell_url(batch, user, sums),
            "held": batch_page.held_lines(batch, user, today),
            "sums": sums,
            "parts": batch_page.parts_of(batch),
            "lines_url": line_list.lines_url(batch),
            "held_url": line_list.lines_url(batch, state="held"),
            "changed_url": line_list.lines_url(batch, changed="true"),
            "digest": batch_page.digest_words(batch),
            "next": turns.who_is_next(batch, bool(exceptions)),
            "actions": actions_of(batch, user, sums),
            "returned": batch_page.last_return(batch),
            "voided": batch_page.void_step(batch),
            "lost": batch_page.last_words(batch, today) if lost else "",
            "fault": fault,
        },
        status=409 if lost else 200,
    )


def _lines(request, key: str):
    batch = None
    if request.GET.get("batch", "").isdigit():
        batch = _batch(request, int(request.GET["batch"]))
        if line_list.key_of(batch.policy_code) != key:
            raise Http404
    return registered_list_page(
        request, key, template="subsidies/batch_line_list.html",
        extra={"searched": key, "batch": batch},
    )  # fmt: skip


def _confirm(request, batch: PaymentBatch, form) -> None:
    confirm_password(
        by=request.user, password=form.cleaned_data["password"], target=batch,
        address=request.META.get("REMOTE_ADDR", ""),
    )  # fmt: skip


def _batch(request, pk) -> PaymentBatch:
    batches = PaymentBatch.objects.visible_to(request.user).select_related(
        "office", "parent", "version", "made_by", "submitted_by", "checked_by", "approved_by",
        "sealed_by", "sent_by", "closed_by", "voided_by",
    )  # fmt: skip
    return get_object_or_404(batches, pk=pk)


def _line(request, pk) -> PaymentLine:
    lines = PaymentLine.objects.visible_to(request.user).for_list()
    return get_object_or_404(lines.select_related("batch__office"), pk=pk)
