"""What every edit page shares: the version it was opened on, and the page for two edits at once."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import EditConflict
from fpadmin.ui import conflicts

RESOLVE = "resolve"
_CONTROL = {"csrfmiddlewaretoken", "row_version", "opened", "step"}


def opened(record, initial: dict) -> dict:
    """What a form carries along: the record's version and, sealed, what it showed."""
    return {"row_version": record.row_version, "opened": conflicts.seal(record, initial)}


def opened_before(request: HttpRequest) -> dict:
    """The same for a form that comes back."""
    version = posted_version(request)
    return {"row_version": version, "opened": request.POST.get("opened", "")}


def posted_version(request: HttpRequest) -> int:
    """The version that the form was opened on. Without one the request is refused with 400."""
    version = request.POST.get("row_version", "")
    if not version.isdecimal() or len(version) > 9:
        raise BadRequest("the form carries no row_version")
    return int(version)


def answers(request: HttpRequest, theirs: dict):
    """The posted data; after a conflict with the other's values where they were chosen."""
    if request.POST.get("step") == RESOLVE:
        return conflicts.put_together(request.POST, theirs)
    return request.POST


def posted_pairs(data) -> list[tuple[str, str]]:
    """Everything that was posted, to be carried on by hidden inputs."""
    return [
        (name, value)
        for name, values in data.lists()
        if name not in _CONTROL and not name.startswith("use_")
        for value in values
    ]


def conflict_page(
    request: HttpRequest, form, conflict: EditConflict, *, section: tuple[str, str], **context
) -> HttpResponse:
    """您的修改, 他人修改 and 原值 side by side; 409, for nothing was saved.

    `section` is the label and the route of the list that the record stands in.
    """
    current = conflict.current
    theirs = form.initial_of(current)
    before = conflicts.unseal(request.POST.get("opened", ""), posted_version(request))
    return render(
        request,
        "ui/conflict.html",
        {
            "differences": conflicts.differences(form, before, theirs, current),
            "event": AuditEvent.objects.last_change_of(current),
            "posted": posted_pairs(form.data),
            "section": section,
            **opened(current, theirs),
            **context,
        },
        status=409,
    )
