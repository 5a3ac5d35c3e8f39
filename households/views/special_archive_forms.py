"""An archive opened, corrected, closed, moved into another household, and decided on after a review."""

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from households import services
from households.forms.special_archives import (
    PARENT,
    ArchiveForm,
    CloseForm,
    MoveForm,
    ReviewForm,
    archive_values,
)
from households.models import ArchiveReview, Household, Resident, SpecialFamily
from households.special import archive_page, candidates
from households.special.archive_page import title_of
from households.special.families import parents_of
from households.special.rules import rule_book
from households.views.special_archives import SECTION, archive_of

FORM = "households/special_family_form.html"


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_family_create(request, pk):
    """An archive of this household; its parents are ticked as the birth histories say."""
    households = Household.objects.visible_to(request.user).select_related("village", "group")
    household = get_object_or_404(households, pk=pk)
    today = dates.today()
    open_one = SpecialFamily.objects.visible_to(request.user).filter(
        household=household, closed_on__isnull=True
    )
    if request.method != "POST" and open_one.exists():
        messages.info(request, "这一户已有在管的档案。")
        return redirect(open_one.get())
    cases = candidates.cases_in(household, today, rule_book(today))
    concerned = {one.pk for one in parents_of(household, today)}
    form = ArchiveForm(
        request.POST if request.method == "POST" else None,
        people=_people(request, household, today),
        day=today,
        initial={
            "kind": candidates.kind_found(household, today),
            "opened_on": today,
            **{f"{PARENT}{key}": True for key in concerned},
        },
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            family = services.open_archive(
                by=request.user,
                household=household,
                kind=values["kind"],
                opened_on=values["opened_on"],
                today=today,
                parents=form.parents(),
                difficulties=values["difficulties"],
                needs=values["needs"],
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已建档。请接着安排联系人。")
            return redirect(family)
    return render_form(
        request,
        FORM,
        {
            "form": form,
            "household": household,
            "cases": cases,
            "cancel": household.get_absolute_url(),
        },
    )


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_family_edit(request, pk):
    """Correct kind, parents, difficulties and needs."""
    family = archive_of(request, pk)
    today = dates.today()
    people = _people(request, family.household, today, family)
    initial = archive_values(family, people)
    common = {"people": people, "day": today, "shown": family, "initial": initial}
    cancel = family.get_absolute_url()
    if request.method != "POST":
        opened = editing.opened(family, initial)
        return _edit_page(request, ArchiveForm(**common), family, cancel, **opened)
    opened = editing.opened_before(request)
    form = ArchiveForm(editing.answers(request, initial), **common)
    if form.is_valid():
        values = form.cleaned_data
        try:
            services.change_archive(
                by=request.user,
                family=family,
                row_version=opened["row_version"],
                kind=values["kind"],
                parents=form.parents(),
                difficulties=values["difficulties"],
                needs=values["needs"],
                today=today,
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request, form, conflict, section=SECTION, title=title_of(family), cancel=cancel
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已保存。")
            return redirect(family)
    return _edit_page(request, form, family, cancel, **opened)


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_family_close(request, pk):
    """Close the archive for a reason; needs that are still open are named first."""
    family = archive_of(request, pk)
    today = dates.today()
    form = CloseForm(
        request.POST if request.method == "POST" else None, initial={"closed_on": today}
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            services.close_archive(by=request.user, family=family, today=today, **values)
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已结案。档案和联系记录都保留。")
            return redirect(family)
    return render(
        request,
        "households/special_family_close.html",
        {
            "form": form,
            "family": family,
            "names": title_of(family),
            "open_needs": list(family.follow_ups.filter(closed_on__isnull=True)),
        },
    )


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_family_move(request, pk):
    """The archive follows its parents into the household where they are now."""
    family = archive_of(request, pk)
    households = _where_parents_are(request, family)
    form = MoveForm(request.POST if request.method == "POST" else None, households=households)
    if request.method == "POST" and form.is_valid():
        try:
            services.move_archive(by=request.user, family=family, **form.cleaned_data)
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已转到{form.cleaned_data['household']}。")
            return redirect(family)
    return render(
        request,
        "households/special_family_move.html",
        {
            "form": form,
            "family": family,
            "names": title_of(family),
            "can_move": households.exists(),
        },
    )


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_review_decide(request, pk):
    """Say what came of looking at the archive again."""
    reviews = ArchiveReview.objects.visible_to(request.user).select_related(
        "family__household__village"
    )
    review = get_object_or_404(reviews, pk=pk)
    form = ReviewForm(request.POST if request.method == "POST" else None, family=review.family)
    if request.method == "POST" and form.is_valid():
        try:
            services.decide_review(
                by=request.user, review=review, now=timezone.now(), **form.cleaned_data
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已处理。")
            return redirect(review.family)
    return render(
        request,
        "households/special_review_decide.html",
        {"form": form, "review": review, "family": review.family, "names": title_of(review.family)},
    )


def _edit_page(request, form, family: SpecialFamily, cancel: str, **context):
    return render_form(
        request,
        FORM,
        {
            "form": form,
            "family": family,
            "names": title_of(family),
            "household": family.household,
            "cancel": cancel,
            **context,
        },
    )


def _people(request, household: Household, today, family: SpecialFamily | None = None):
    """Who may be a parent of the archive: the household's members, and who is one already."""
    members = (
        Resident.objects.visible_to(request.user).registered_on(today).filter(household=household)
    )
    people = {one.pk: one for one in members.order_by("birth_date", "pk")}
    if family is not None:
        people |= {p.resident_id: p.resident for p in archive_page.parents_of_archive(family)}
    return list(people.values())


def _where_parents_are(request, family: SpecialFamily):
    parents = Resident.objects.visible_to(request.user).filter(
        household=OuterRef("pk"),
        departed_on__isnull=True,
        special_archives__family=family,
        special_archives__ended_on__isnull=True,
    )
    return (
        Household.objects.visible_to(request.user)
        .filter(Exists(parents))
        .exclude(pk=family.household_id)
        .select_related("village")
        .order_by("village__path", "number")
    )
