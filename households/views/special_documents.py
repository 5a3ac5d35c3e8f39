"""Papers and photos of an archive: added, opened, removed."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.downloads import download
from fpadmin.ui.forms import refuse
from households.forms.special_documents import DocumentForm, RemovalForm
from households.models import FamilyDocument, SpecialFamily
from households.services import special_documents as services
from households.special import documents
from households.special.archive_list import parent_names


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_document_create(request, pk):
    """A paper or photo for the archive: a contact's photos and receipts, the clerk's everything."""
    families = SpecialFamily.objects.visible_to(request.user).annotate(names=parent_names())
    family = get_object_or_404(families.select_related("household__village"), pk=pk)
    form = (
        DocumentForm(request.POST, request.FILES, user=request.user)
        if request.method == "POST"
        else DocumentForm(user=request.user)
    )
    if request.method == "POST" and form.is_valid():
        try:
            document = services.add_document(by=request.user, family=family, **form.values())
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已存入档案：{document.title}。")
            return redirect(_section(family))
    return render(
        request,
        "households/special_document_form.html",
        {"form": form, "family": family, "back": _section(family)},
    )


@requires(Permission.SPECIAL_VIEW)
@require_safe
def special_document_file(request, pk):
    """The paper as an attachment, each opening recorded; one of a death or disability for few."""
    document = _document(request, pk)
    if not documents.may_open(request.user, document):
        raise PermissionDenied
    content = services.open_document(by=request.user, document=document)
    if content is None:
        raise Http404
    return download(documents.file_name(document), content)


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def special_document_remove(request, pk):
    """Remove a paper that should not be there, with a reason."""
    document = _document(request, pk)
    form = RemovalForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.remove_document(
                by=request.user,
                document=document,
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已删除：{document.title}。")
            return redirect(_section(document.family))
    return render(
        request,
        "households/special_document_remove.html",
        {"form": form, "document": document, "back": _section(document.family)},
    )


def _document(request, pk) -> FamilyDocument:
    there = FamilyDocument.objects.visible_to(request.user).filter(removed_at__isnull=True)
    there = there.annotate(names=parent_names("family"))
    return get_object_or_404(there.select_related("family__household__village"), pk=pk)


def _section(family: SpecialFamily) -> str:
    """The papers' place on the archive's page."""
    return f"{family.get_absolute_url()}#documents"
