"""The file for the bank: layouts, one made for a batch, and how it is fetched."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.accounts.step_up import confirm_password
from fpadmin.entry.pages import once
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.downloads import download_parts
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import list_page
from subsidies.bank_files import layout_list, page, writing
from subsidies.bank_files.layouts import SHIPPED, Layout
from subsidies.forms.bank_layouts import ChooseForm, LayoutForm, moved
from subsidies.forms.batches import PasswordForm
from subsidies.models import BankFile, BankLayout, PaymentBatch
from subsidies.services import bank_files, bank_layouts

SECTION = ("银行文件格式", "subsidies:layout-list")


@requires(Permission.PAYMENT_VIEW)
@require_safe
def layout_list_page(request):
    """How banks want their files in the user's places; the shipped ones to begin with."""
    return list_page(
        request,
        layout_list.all_layouts(request.user),
        template="subsidies/layout_list.html",
        title="银行文件格式",
        unit="种",
        table_class=partial(layout_list.LayoutTable, user=request.user),
        extra={
            "shipped": page.choices(SHIPPED),
            "can_set": request.user.may(Permission.PAYMENT_LAYOUT),
        },
    )


@requires(Permission.PAYMENT_LAYOUT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def layout_create(request):
    """A new layout for the user's own place, begun with a shipped one."""
    shipped = SHIPPED.get(request.GET.get("from", ""), SHIPPED["xlsx"])
    initial = LayoutForm.initial_from(shipped) | {"name": ""}
    if request.method != "POST":
        return _layout_page(request, LayoutForm(initial=initial), shipped)
    form = LayoutForm(moved(request.POST, _step(request)), initial=initial)
    if _is_saved(request, form):
        try:
            row = bank_layouts.add_layout(
                by=request.user, region=request.user.region, layout=form.layout,
                is_active=form.cleaned_data["is_active"],
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已新增格式“{row.name}”。")
            return redirect("subsidies:layout-list")
    return _layout_page(request, form)


@requires(Permission.PAYMENT_LAYOUT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def layout_edit(request, pk):
    """Change a layout of one's own place or below. Files that were made stay as they are."""
    rows = BankLayout.objects.visible_to(request.user).select_related("region")
    row = get_object_or_404(rows, pk=pk)
    if not layout_list.may_edit(request.user, row):
        raise PermissionDenied
    initial = LayoutForm.initial_from(Layout.of_row(row), is_active=row.is_active)
    if request.method != "POST":
        opened = editing.opened(row, initial)
        return _layout_page(
            request, LayoutForm(initial=initial), Layout.of_row(row), row=row, **opened
        )
    opened = editing.opened_before(request)
    answers = editing.answers(request, initial)
    form = LayoutForm(moved(answers, _step(request)), initial=initial)
    if _is_saved(request, form):
        try:
            bank_layouts.edit_layout(
                by=request.user, row=row, row_version=opened["row_version"], layout=form.layout,
                is_active=form.cleaned_data["is_active"],
            )  # fmt: skip
        except EditConflict as conflict:
            return editing.conflict_page(
                request, form, conflict, section=SECTION, title=row.name, cancel=request.path
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已修改格式“{form.layout.name}”。")
            return redirect("subsidies:layout-list")
    return _layout_page(request, form, row=row, **opened)


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def bank_file_make(request, pk):
    """Choose the layout and have the file of an approved batch written; then how far it has come."""
    batch = _batch(request, pk)
    if BankFile.objects.visible_to(request.user).filter(batch=batch).exists():
        return redirect("subsidies:bank-file-download", batch.pk)
    layouts = layout_list.choices_for(batch.office)
    form = ChooseForm(
        request.POST if request.method == "POST" else None,
        choices=[(key, layout.name) for key, layout in layouts.items()],
    )
    if request.method == "POST" and form.is_valid():
        try:
            bank_files.request_file(
                by=request.user, batch=batch, layout=layouts[form.cleaned_data["layout"]],
                today=dates.today(),
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return redirect("subsidies:bank-file-make", batch.pk)
    context = page.making_context(request.user, batch, layouts)
    return render(request, "subsidies/bank_file_make.html", context | {"form": form})


@requires(Permission.PAYMENT_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def bank_file_download(request, pk):
    """The file and who took it. One's own password shows the zip's; its ticket then gives the zip."""
    files = BankFile.objects.visible_to(request.user).select_related("batch__office", "made_by")
    file = files.filter(batch=_batch(request, pk)).first()
    if file is None:
        raise Http404
    context, answer = {}, {"by": request.user, "bank_file": file, "now": timezone.now()}
    ticket = request.POST.get("ticket")
    form = PasswordForm(request.POST if request.method == "POST" and not ticket else None)
    try:
        if ticket:
            packed = bank_files.open_file(ticket=ticket, **answer)
            return download_parts(packed.name, packed.parts, packed.size)
        if form.is_valid():
            confirm_password(
                by=request.user, password=form.cleaned_data["password"], target=file,
                address=request.META.get("REMOTE_ADDR", ""),
            )  # fmt: skip
            password, ticket = bank_files.show_password(**answer)
            context = {"password": password, "ticket": ticket}
    except RuleViolation as violation:
        if form.is_bound:
            refuse(form, violation)
        context = {"fault": "" if form.is_bound else violation.message}
    shown = page.file_context(file) | {"form": form} | context
    return render(request, "subsidies/bank_file_detail.html", shown)


def _batch(request, pk) -> PaymentBatch:
    batches = PaymentBatch.objects.visible_to(request.user).select_related("office")
    return get_object_or_404(batches, pk=pk)


def _step(request) -> str:
    return request.POST.get("step", "")


def _is_saved(request, form: LayoutForm) -> bool:
    """Whether what was posted is right and is to be kept, not only looked at."""
    return form.is_valid() and _step(request) in ("", editing.RESOLVE)


def _layout_page(request, form: LayoutForm, layout: Layout | None = None, **context):
    """The form with the first lines of what it makes, as far as that is right."""
    if form.is_bound and form.is_valid():
        layout = form.layout
    shown = {"form": form, "layout": layout, "lines": writing.preview(layout) if layout else []}
    return render(request, "subsidies/layout_form.html", shown | context)
