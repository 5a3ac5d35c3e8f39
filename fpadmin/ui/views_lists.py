"""Pages that every registered list shares: its columns, and an act on many of its rows."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.ui import batches, services
from fpadmin.ui.acts import ACTS, Act
from fpadmin.ui.columns import columns_for
from fpadmin.ui.editing import posted_pairs
from fpadmin.ui.listing import LISTS, Asked, ListSpec, Selection
from fpadmin.ui.lists import list_url

CHECK, DO = "check", "do"


@requires(Permission.SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def column_choice(request, key):
    """Which columns the list shows; the address carries the list's own conditions, to come back to."""
    spec = _spec(request, key)
    back = list_url(spec, Asked.by(request))
    if request.method == "POST":
        usual = "usual" in request.POST
        keys = [c.key for c in spec.columns if c.shown] if usual else request.POST.getlist("column")
        services.save_columns(by=request.user, spec=spec, keys=keys)
        return redirect(back)
    chosen = {column.key for column in columns_for(spec, request.user)}
    choices = [(column, column.key in chosen) for column in spec.columns]
    return render(
        request, "ui/column_choice.html", {"spec": spec, "choices": choices, "back": back}
    )


@requires(Permission.SIGNED_IN)
def act_confirm(request, key, act):
    """The act's form, then what it will do to which rows, then doing it: three POSTs of one page.

    Who may not gets 403 whatever the method, as everywhere.
    """
    spec, act = _act(request, key, act)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    selection = Selection.of(request)
    back = list_url(spec, selection.asked)
    if not selection:
        messages.warning(request, f"还没有选中{spec.title}。请先勾选，再点“{act.label}”。")
        return redirect(back)
    batch = batches.gather(spec, act, selection)
    if not batch.rows:
        messages.warning(request, f"选中的{spec.title}没有找到，可能已不在您的管辖范围内。")
        return redirect(back)
    step = request.POST.get("step", "")
    form = batches.form_of(batch, request.POST if step else None)
    context = {
        "spec": spec,
        "act": act,
        "batch": batch,
        "form": form,
        "back": back,
        "hidden": selection.hidden(),
    }
    if batch.is_too_many or (form is not None and (not step or not form.is_valid())):
        return render(request, "ui/act_form.html", context)
    preview = batches.preview(batch, form)
    if step == DO:
        try:
            result = batches.carry_out(batch, preview)
        except RuleViolation as violation:
            context["violation"] = violation.message
        else:
            token = batches.keep(request.session, result)
            target = reverse("lists:act-result", args=[spec.key, act.key, token])
            query = request.GET.urlencode()
            return redirect(f"{target}?{query}" if query else target)
    context |= {
        "preview": preview,
        "posted": posted_pairs(request.POST) if form else selection.hidden(),
    }
    return render(request, "ui/act_confirm.html", context)


@requires(Permission.SIGNED_IN)
def act_result(request, key, act, token):
    """What was done, and for each row that was not, why."""
    spec, act = _act(request, key, act)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    asked = Asked.by(request)
    report = batches.report(spec, asked, request.session, token)
    if report is None:
        raise Http404
    context = {"spec": spec, "act": act, "report": report, "back": list_url(spec, asked)}
    return render(request, "ui/act_result.html", context)


def _spec(request, key: str) -> ListSpec:
    spec = LISTS.get(key)
    if spec is None:
        raise Http404
    if not request.user.may(spec.permission):
        raise PermissionDenied
    return spec


def _act(request, key: str, act_key: str) -> tuple[ListSpec, Act]:
    spec = _spec(request, key)
    act = ACTS.get((key, act_key))
    if act is None or act.opens:
        raise Http404
    if not request.user.may(act.permission):
        raise PermissionDenied
    return spec, act
