"""Births: a line of a birth history, recorded and corrected."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, render_form
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from households import selectors, services
from households.forms import BirthForm
from households.life_events.plan import children_of
from households.models import ChildRecord, Resident
from households.views import SECTION


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def birth_create(request, pk):
    """A child of this mother, or of this father where no mother is known."""
    parent = get_object_or_404(Resident.objects.visible_to(request.user).for_list(), pk=pk)
    births = selectors.births_of(request.user, [parent])
    initial = {"order": len(births) + 1} | _child_asked_for(request, parent, births)
    form = BirthForm(
        request.POST if request.method == "POST" else None,
        user=request.user,
        today=dates.today(),
        parent=parent,
        initial=initial,
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.record_birth(
                by=request.user, parent=parent, values=form.values(), today=dates.today()
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return _saved(request, parent, form)
    return _birth_form(request, form, parent)


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def birth_edit(request, pk):
    """Correct a line of a birth history."""
    records = ChildRecord.objects.visible_to(request.user)
    record = get_object_or_404(records.select_related("mother__village", "father__village"), pk=pk)
    parent = record.mother or record.father
    initial = BirthForm.initial_of(record)
    common = {
        "user": request.user,
        "today": dates.today(),
        "parent": parent,
        "shown": record,
        "initial": initial,
    }
    if request.method != "POST":
        opened = editing.opened(record, initial)
        return _birth_form(request, BirthForm(**common), parent, **opened)
    opened = editing.opened_before(request)
    form = BirthForm(editing.answers(request, initial), **common)
    if form.is_valid():
        try:
            services.edit_birth(
                by=request.user,
                today=dates.today(),
                record=record,
                parent=parent,
                row_version=opened["row_version"],
                values=form.values(),
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request,
                form,
                conflict,
                section=SECTION,
                title=f"{parent.name}的生育史",
                cancel=_history(parent),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return _saved(request, parent, form)
    return _birth_form(request, form, parent, **opened)


def _history(parent: Resident) -> str:
    return reverse("households:resident-births", args=[parent.pk])


def _saved(request, parent, form):
    messages.success(request, "已保存生育史。")
    for warning in form.warnings:
        messages.warning(request, f"已保存，请核对：{warning}")
    return redirect(_history(parent))


def _birth_form(request, form, parent, **context):
    return render_form(
        request,
        "households/birth_form.html",
        {"form": form, "parent": parent, "cancel": _history(parent), **context},
    )


def _child_asked_for(request, parent: Resident, births: list[ChildRecord]) -> dict:
    """Initial values of the registered child of this parent that ?child= names."""
    pk = request.GET.get("child", "")
    if not (pk.isdecimal() and len(pk) < 18):
        return {}
    children = children_of(parent).visible_to(request.user)
    child = get_object_or_404(children, pk=pk)
    elder = sum(birth.birth_date <= child.birth_date for birth in births)
    return {
        "child_name": child.name,
        "birth_date": child.birth_date,
        "sex": child.sex,
        "order": elder + 1,
    }
