"""联系人: who contacts families, and where the families of one who leaves go."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import registered_list_page
from households import services
from households.forms.special_contacts import HandOverAllForm, LeaveForm, PersonForm
from households.models import ContactPerson, FamilyContact, FollowUp
from households.services import special_staffing
from households.special import people
from households.special.archive_list import parent_names

SECTION = ("联系人", "households:special-person-list")
LEAVE, BACK_IN_OFFICE = "leave", "back_in_office"
CHECK, BACK, SAVE = "check", "back", "save"


@requires(Permission.SPECIAL_LIST)
@require_safe
def special_person_list(request):
    """The contacts of the user's township."""
    return registered_list_page(
        request,
        people.KEY,
        template="households/special_person_list.html",
        extra={"can_edit": request.user.may(Permission.SPECIAL_EDIT)},
    )


@requires(Permission.SPECIAL_LIST)
@require_safe
def special_person_detail(request, pk):
    """One contact and the families that are theirs now."""
    person = _person(request, pk)
    return render(
        request,
        "households/special_person_detail.html",
        {
            "person": person,
            "tag": people.state_tag(person),
            "why": people.REASONS.get(person.why_hand_over, ""),
            "terms": _terms(request, person),
            "can_edit": request.user.may(Permission.SPECIAL_EDIT),
        },
    )


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_person_create(request):
    """A new contact of the user's township."""
    posted = request.POST if request.method == "POST" else None
    form = PersonForm(posted, user=request.user, today=dates.today())
    if posted is not None and form.is_valid() and not _ask_about_account(request, form):
        try:
            person = services.add_contact_person(
                by=request.user, region=request.user.region, **form.values()
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"已登记联系人{person.name}。")
            return redirect("households:special-person-detail", person.pk)
    return _person_form(request, form, cancel=reverse("households:special-person-list"))


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def special_person_edit(request, pk):
    """Correct a contact's name, kind, post, phone and account."""
    person = _person(request, pk)
    cancel = _address(person)
    initial = PersonForm.initial_of(person)
    common = {"user": request.user, "today": dates.today(), "shown": person, "initial": initial}
    if request.method != "POST":
        opened = editing.opened(person, initial)
        return _person_form(request, PersonForm(**common), cancel=cancel, **opened)
    opened = editing.opened_before(request)
    form = PersonForm(editing.answers(request, initial), **common)
    if form.is_valid() and not _ask_about_account(request, form):
        try:
            services.edit_contact_person(
                by=request.user, person=person, row_version=opened["row_version"], **form.values()
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request, form, conflict, section=SECTION, title=person.name, cancel=cancel
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "已保存。")
            return redirect(cancel)
    return _person_form(request, form, cancel=cancel, **opened)


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_person_leave(request, pk):
    """A contact leaves; each family still theirs is handed over, all that were chosen at once."""
    person = _person(request, pk)
    step = request.POST.get("step", "")
    today = dates.today()
    leave = LeaveForm(
        request.POST if step == LEAVE else None, initial={"left_on": person.left_on or today}
    )
    families = _hand_over_form(
        request, person, request.POST if step in (CHECK, BACK, SAVE) else None
    )
    if step == LEAVE and leave.is_valid():
        return _leave(request, person, leave) or _leave_page(request, person, leave, families)
    if step == BACK_IN_OFFICE:
        return _back(request, person)
    if step in (CHECK, SAVE) and families.is_valid():
        act = _check if step == CHECK else _hand_over
        done = act(request, person, families)
        if done:
            return done
    return _leave_page(request, person, leave, families)


def _leave(request, person: ContactPerson, form: LeaveForm):
    try:
        services.mark_left(
            by=request.user,
            person=person,
            left_on=form.cleaned_data["left_on"],
            today=dates.today(),
        )
    except RuleViolation as violation:
        refuse(form, violation)
        return None
    if person.family_count:
        messages.success(request, f"已登记{person.name}离岗，还有{person.family_count}户要交接。")
        return redirect("households:special-person-leave", person.pk)
    messages.success(request, f"已登记{person.name}离岗，没有要交接的家庭。")
    return redirect(_address(person))


def _back(request, person: ContactPerson):
    try:
        special_staffing.take_back_leaving(by=request.user, person=person)
    except RuleViolation as violation:
        messages.error(request, violation.message)
    else:
        messages.success(request, f"{person.name}仍在岗，已交接的家庭不变。")
    return redirect(_address(person))


def _check(request, person: ContactPerson, form: HandOverAllForm):
    """What would be handed over, once more; what would be refused shows on the form already now."""
    moves = form.moves()
    if not _accepted(request, person, form, special_staffing.try_hand_over):
        return None
    return render(
        request,
        "households/special_person_hand_over.html",
        {
            "person": person,
            "moves": moves,
            "staying": len(form.terms) - len(moves),
            "reason": form.cleaned_data["reason"],
            "posted": editing.posted_pairs(request.POST),
        },
    )


def _hand_over(request, person: ContactPerson, form: HandOverAllForm):
    if not _accepted(request, person, form, special_staffing.hand_over_families):
        return None
    count = len(form.moves())
    left = len(form.terms) - count
    if left:
        messages.warning(request, f"已交接{count}户，还有{left}户没有交接。")
        return redirect("households:special-person-leave", person.pk)
    messages.success(request, f"{count}户已全部交接。")
    return redirect(_address(person))


def _accepted(request, person: ContactPerson, form: HandOverAllForm, service) -> bool:
    """Whether the service took it; else its words stand on the form."""
    try:
        service(
            by=request.user,
            person=person,
            moves=form.moves(),
            today=dates.today(),
            reason=form.cleaned_data["reason"],
        )
    except RuleViolation as violation:
        refuse(form, violation)
        return False
    return True


def _leave_page(request, person: ContactPerson, leave: LeaveForm, families: HandOverAllForm):
    return render(
        request,
        "households/special_person_leave.html",
        {
            "person": person,
            "why": people.REASONS.get(person.why_hand_over, ""),
            "leave": leave,
            # What base.html reads the errors of the title from.
            "form": leave if leave.is_bound else families,
            "families": families,
            "needs": FollowUp.objects.visible_to(request.user)
            .filter(owner=person, closed_on__isnull=True)
            .count(),
        },
    )


def _hand_over_form(request, person: ContactPerson, data) -> HandOverAllForm:
    return HandOverAllForm(
        data,
        user=request.user,
        leaver=person,
        terms=_terms(request, person),
        today=dates.today(),
    )


def _ask_about_account(request, form: PersonForm) -> bool:
    """Whether the form comes back once because an account of the same name could be chosen."""
    return "asked" not in request.POST and form.namesake() is not None


def _person_form(request, form: PersonForm, **context):
    namesake = form.namesake()
    return render_form(
        request,
        "households/special_person_form.html",
        {"form": form, "namesake": namesake, **context},
    )


def _person(request, pk) -> ContactPerson:
    return get_object_or_404(people.people(request.user), pk=pk)


def _terms(request, person: ContactPerson):
    """The families that are theirs now, with the parents' names."""
    return (
        FamilyContact.objects.visible_to(request.user)
        .filter(person=person, ended_on__isnull=True)
        .select_related("family__household__village")
        .annotate(parent_names=parent_names("family"))
        .order_by("family__household__village__path", "family__household__number", "pk")
    )


def _address(person: ContactPerson) -> str:
    return reverse("households:special-person-detail", args=[person.pk])
