"""Pages of the exports: ask for a file, follow it, agree or decline, take it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.exports import services
from fpadmin.exports.filters import ExportFilter
from fpadmin.exports.forms import ExportForm, RefusalForm
from fpadmin.exports.models import Export
from fpadmin.exports.presenters import export_view
from fpadmin.exports.tables import ExportTable
from fpadmin.ui.downloads import download_parts
from fpadmin.ui.forms import refuse
from fpadmin.ui.listing import LISTS, Asked, ListSpec, Selection, rows_of
from fpadmin.ui.lists import keys_of_page, list_page, list_url

Scope = Export.Scope


@requires(Permission.EXPORT)
@require_safe
def export_list(request):
    """One's own exports; for who approves also those of the region."""
    return list_page(
        request,
        Export.objects.visible_to(request.user).select_related("requested_by", "job"),
        template="exports/export_list.html",
        title="导出",
        table_class=ExportTable,
        filter_class=ExportFilter,
        unit="次",
    )


@requires(Permission.EXPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def export_create(request, key):
    """Ask for a file of the list whose conditions the address carries, or of the rows just ticked."""
    spec = _spec(request, key)
    asked = Asked.by(request)
    selection = Selection.of(request)
    scopes = _scopes(spec, asked, selection)
    is_answer = request.POST.get("step") == "ask"
    form = ExportForm(
        request.POST if is_answer else None, user=request.user, spec=spec, scopes=scopes
    )
    if is_answer and form.is_valid():
        values = form.values()
        try:
            export = services.request_export(
                by=request.user,
                spec=spec,
                selection=_selection(values["scope"], spec, asked, selection),
                now=timezone.now(),
                **values,
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return redirect(export)
    return render(
        request,
        "exports/export_form.html",
        {
            "form": form,
            "spec": spec,
            "hidden": selection.hidden() if selection else [],
            "back": list_url(spec, asked),
        },
    )


@requires(Permission.EXPORT)
@require_safe
def export_detail(request, pk):
    """One export: what it holds, how far it is, who decides, and the file."""
    return _detail(request, _export(request, pk), RefusalForm())


@requires(Permission.EXPORT_APPROVE)
@require_POST
def export_approve(request, pk):
    """Agree to somebody else's export."""
    export = _export(request, pk)
    try:
        services.approve(export=export, by=request.user, now=timezone.now())
    except RuleViolation as violation:
        messages.error(request, violation.message)
    else:
        messages.success(request, f"已批准，文件只有{export.requested_by.name}能下载。")
    return redirect(export)


@requires(Permission.EXPORT_APPROVE)
@require_POST
def export_refuse(request, pk):
    """Decline somebody else's export, with a reason."""
    export = _export(request, pk)
    form = RefusalForm(request.POST)
    if not form.is_valid():
        return _detail(request, export, form)
    try:
        services.refuse(
            export=export, by=request.user, now=timezone.now(), reason=form.cleaned_data["reason"]
        )
    except RuleViolation as violation:
        messages.error(request, violation.message)
    return redirect(export)


@requires(Permission.EXPORT)
@require_POST
def export_password(request, pk):
    """The password of one's own file, this once."""
    export = _own_export(request, pk)
    try:
        password = services.show_password(export=export, by=request.user, now=timezone.now())
    except RuleViolation as violation:
        messages.error(request, violation.message)
        return redirect(export)
    export.refresh_from_db()
    return _detail(request, export, RefusalForm(), password=password)


@requires(Permission.EXPORT)
@require_POST
def export_download(request, pk):
    """One's own file while its link lasts; afterwards 410. For everybody else there is none."""
    export = _own_export(request, pk)
    view = export_view(export, request.user, timezone.now())
    if export.state == Export.State.GONE or view.is_over:
        return render(request, "exports/export_gone.html", {"export": export}, status=410)
    content = services.open_file(export=export, by=request.user)
    if content is None:
        raise Http404
    return download_parts(export.file_name, content, export.size)


def _detail(request, export, form, **context):
    view = export_view(export, request.user, timezone.now())
    return render(
        request,
        "exports/export_detail.html",
        {"export": export, "view": view, "form": form, **context},
    )


def _export(request, pk) -> Export:
    exports = Export.objects.visible_to(request.user)
    return get_object_or_404(
        exports.select_related("requested_by", "decided_by", "region", "job__requested_by"), pk=pk
    )


def _own_export(request, pk) -> Export:
    export = _export(request, pk)
    if export.requested_by_id != request.user.pk:
        raise Http404
    return export


def _spec(request, key: str) -> ListSpec:
    spec = LISTS.get(key)
    if spec is None:
        raise Http404
    if not request.user.may(spec.permission):
        raise PermissionDenied
    return spec


def _scopes(spec: ListSpec, asked: Asked, selection: Selection) -> list[tuple[str, str]]:
    """What can be exported from here, each with its count; what was ticked stands first."""
    found = rows_of(spec, asked).order_by().count()
    scopes = [
        (Scope.FOUND, f"查询结果，共{found:,}{spec.unit}"),
        (Scope.PAGE, f"本页，{len(keys_of_page(spec, asked)):,}{spec.unit}"),
    ]
    if selection.picked:
        scopes.insert(0, (Scope.PICKED, f"勾选的{len(selection.picked):,}{spec.unit}"))
    return scopes


def _selection(scope: str, spec: ListSpec, asked: Asked, selection: Selection) -> Selection:
    if scope == Scope.PICKED:
        return selection
    if scope == Scope.PAGE:
        return Selection(asked, keys_of_page(spec, asked))
    return Selection(asked, is_all=True)
