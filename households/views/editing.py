"""What every edit page shares: the version it was opened on, the check page, the conflict page."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from fpadmin.errors import EditConflict
from households import conflicts, selectors

CHECK, SAVE, BACK, RESOLVE = "check", "save", "back", "resolve"
_CONTROL = {"csrfmiddlewaretoken", "row_version", "opened", "step"}


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


def check_page(request: HttpRequest, form, **context) -> HttpResponse:
    """Everything that is about to be saved, once more; warnings above it."""
    return render(
        request,
        "households/check.html",
        {
            "lines": form.lines(),
            "warnings": form.warnings,
            "posted": posted_pairs(form.data),
            "row_version": request.POST.get("row_version", ""),
            "opened": request.POST.get("opened", ""),
            **context,
        },
    )


def conflict_page(request: HttpRequest, form, conflict: EditConflict, **context) -> HttpResponse:
    """您的修改, 他人修改 and 原值 side by side; 409, for nothing was saved."""
    current = conflict.current
    theirs = form.initial_of(current)
    opened = conflicts.unseal(request.POST.get("opened", ""), posted_version(request))
    return render(
        request,
        "households/conflict.html",
        {
            "differences": conflicts.differences(form, opened or {}, theirs),
            "event": selectors.last_change(current),
            "posted": posted_pairs(form.data),
            "row_version": current.row_version,
            "opened": conflicts.seal(theirs, current.row_version),
            **context,
        },
        status=409,
    )
