"""People who may be registered twice: the queue, both side by side, and what becomes of them."""

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import list_page
from households import selectors, services, side_by_side
from households.filters_duplicates import DuplicateFilter
from households.forms.merging import MergeForm
from households.models import Duplicate, LifeEvent, Merge
from households.tables_duplicates import DuplicateTable

SAVE, BACK = "save", "back"


@requires(Permission.REGISTRY_EDIT)
@require_safe
def duplicate_list(request):
    """Pairs whose two people are both in the user's region."""
    return list_page(
        request,
        Duplicate.objects.visible_to(request.user).for_list(),
        template="households/duplicate_list.html",
        title="疑似重复",
        unit="对",
        table_class=DuplicateTable,
        filter_class=DuplicateFilter,
    )


@requires(Permission.REGISTRY_VIEW)
@require_safe
def duplicate_counts(request):
    """How many pairs wait in which township, and between townships: figures, no names."""
    townships, across = side_by_side.counts_by_township(request.user)
    context = {"townships": townships, "across": across}
    return render(request, "households/duplicate_counts.html", context)


@requires(Permission.REGISTRY_EDIT)
@require_safe
def duplicate_detail(request, pk):
    """Both records side by side, with everything that hangs on them."""
    pair = _pair(request, pk)
    merge = _merge_of(request, pair)
    if merge:
        return redirect(merge)
    for person in (pair.first, pair.second):
        services.record_view(by=request.user, target=person)
    return _detail(request, pair, MergeForm(pair=pair))


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def duplicate_different(request, pk):
    """Say that they are two people, once it is confirmed."""
    pair = _pair(request, pk)
    refusal = ""
    if request.method == "POST":
        try:
            services.decide_different(by=request.user, pair=pair, now=timezone.now())
        except RuleViolation as violation:
            refusal = violation.message
        else:
            messages.success(request, "已记下不是同一人，以后不再提示这一对。")
            return redirect("households:duplicate-list")
    context = {"pair": pair, "refusal": refusal}
    return render(request, "households/duplicate_different.html", context)


@requires(Permission.REGISTRY_EDIT)
@require_POST
def duplicate_merge(request, pk):
    """Which record stays and which values win; shown once more before anything is written."""
    pair = _pair(request, pk)
    form = MergeForm(request.POST, pair=pair)
    step = request.POST.get("step")
    if pair.state != Duplicate.State.OPEN or not form.is_valid() or step == BACK:
        return _detail(request, pair, form)
    if step != SAVE:
        context = {
            "pair": pair,
            "form": form,
            "kept": form.kept,
            "merged": form.merged,
            "outcome": form.outcome(),
            "hanging": side_by_side.hanging_on(form.merged),
        }
        return render(request, "households/duplicate_merge.html", context)
    try:
        merge = services.merge_residents(
            by=request.user,
            kept=form.kept,
            merged=form.merged,
            taken=form.taken(),
            versions=form.versions(),
            today=dates.today(),
            now=timezone.now(),
        )
    except RuleViolation as violation:
        refuse(form, violation)
        return _detail(request, pair, form)
    messages.success(request, f"已合并，{services.UNDO_DAYS}天内可以撤销。")
    return redirect(merge)


@requires(Permission.REGISTRY_EDIT)
@require_safe
def merge_detail(request, pk):
    """One merge: what was merged into what, by whom, and whether it can still be taken back."""
    merge = _merge(request, pk)
    return render(request, "households/merge_detail.html", _merge_context(merge))


@requires(Permission.REGISTRY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def merge_undo(request, pk):
    """Take a merge back, once it is confirmed."""
    merge = _merge(request, pk)
    refusal = ""
    if request.method == "POST":
        try:
            services.undo_merge(by=request.user, merge=merge, now=timezone.now())
        except RuleViolation as violation:
            refusal = violation.message
        else:
            messages.success(request, "已撤销合并，两份记录都恢复原样。")
            return redirect(merge)
    context = _merge_context(merge) | {"refusal": refusal}
    return render(request, "households/merge_undo.html", context)


def _pair(request, pk) -> Duplicate:
    return get_object_or_404(Duplicate.objects.visible_to(request.user).for_page(), pk=pk)


def _merge(request, pk) -> Merge:
    merges = Merge.objects.visible_to(request.user)
    return get_object_or_404(merges.for_page(), pk=pk)


def _merge_of(request, pair: Duplicate) -> Merge | None:
    people = (pair.first_id, pair.second_id)
    merges = Merge.objects.visible_to(request.user).standing()
    return merges.filter(kept__in=people, merged__in=people).first()


def _merge_context(merge: Merge) -> dict:
    return {
        "merge": merge,
        "last_day": merge.made_at + services.UNDO_PERIOD,
        "can_undo": not merge.undone_at and timezone.now() <= merge.made_at + services.UNDO_PERIOD,
    }


def _detail(request, pair: Duplicate, form: MergeForm):
    user = request.user
    events = LifeEvent.objects.visible_to(user).for_list()
    sides = [
        {
            "person": person,
            "spells": selectors.spells_of(user, person),
            "births": selectors.births_of(user, [person]),
            "relatives": selectors.relatives_of(user, person),
            "events": events.filter(Q(resident=person) | Q(people__resident=person)).distinct(),
            "hanging": side_by_side.hanging_on(person),
        }
        for person in (pair.first, pair.second)
    ]
    return render(
        request,
        "households/duplicate_detail.html",
        {
            "pair": pair,
            "form": form,
            "rows": form.rows(),
            "sides": sides,
            "day": dates.today(),
            "is_open": pair.state == Duplicate.State.OPEN,
            "cancel": reverse("households:duplicate-list"),
        },
    )
