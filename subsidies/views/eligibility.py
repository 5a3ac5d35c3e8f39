"""Who qualifies: lists, one person's case, and the letter that answers why."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.listing import Asked
from fpadmin.ui.lists import registered_list_page
from households.models import Resident
from subsidies.eligibility import candidate_list, letters
from subsidies.eligibility.cases import tell
from subsidies.eligibility.others import around
from subsidies.eligibility.questions import first_code, offered, question_about
from subsidies.forms.eligibility import QuestionForm
from subsidies.policies.book import policy_book
from subsidies.policies.seeing import codes_for
from subsidies.services.eligibility import record_case_view, record_letter_print


@requires(Permission.BENEFIT_VIEW)
@require_safe
def eligibility_list(request):
    """Everybody who qualifies for a policy on a day, and how that compares with the roll."""
    code = _known_code(request) or first_code(Asked.by(request))
    return registered_list_page(
        request, candidate_list.key_of(code), template="subsidies/eligibility_list.html"
    )


@requires(Permission.BENEFIT_VIEW)
@require_safe
def eligibility_person(request, pk):
    """Why one person qualifies for a policy or not, and what the people around draw or could."""
    resident = _resident(request, pk)
    if not resident.residencies.exists():
        return _never_here(request, resident)
    form, question = _question(request, resident)
    told = tell(request.user, resident, question, dates.today())
    others = around(request.user, resident, question)
    record_case_view(
        by=request.user,
        resident=resident,
        sensitive=question.policy.sensitive or others.tells_sensitive,
    )
    return render(
        request,
        "subsidies/eligibility_person.html",
        {
            "resident": resident,
            "form": form,
            "told": told,
            "others": others,
            "query": question.query,
            "can_apply": request.user.may(Permission.BENEFIT_APPLY)
            and told.case.rule.is_on
            and not told.enrolment
            and not told.application,
        },
    )


@requires(Permission.BENEFIT_VIEW)
@require_safe
def eligibility_letter(request, pk):
    """The reply to one person, on A4; that it was printed is recorded."""
    resident = _resident(request, pk)
    if not resident.residencies.exists():
        return _never_here(request, resident)
    _, question = _question(request, resident)
    told = tell(request.user, resident, question, dates.today())
    # A village's reply, too, is the township's: it decides.
    office = request.user.region
    if office.level == office.Level.VILLAGE:
        office = office.parent
    record_letter_print(by=request.user, resident=resident, sensitive=question.policy.sensitive)
    return render(
        request,
        "subsidies/eligibility_letter.html",
        {
            "title": "资格核查答复函",
            "resident": resident,
            "told": told,
            "opening": letters.opening(told, dates.today()),
            "sentences": [letters.sentence(line) for line in told.lines],
            "conclusion": letters.conclusion(told),
            "acts": letters.what_to_do(told, office.name),
            "office": office,
            "day": dates.today(),
            "now": timezone.now(),
            "query": question.query,
        },
    )


def _known_code(request) -> str:
    """The policy of the address; one that may not be named to the user is not there."""
    code = request.GET.get("policy", "")
    if code and code not in codes_for(request.user):
        raise Http404
    return code


def _question(request, resident: Resident):
    """The form, and what it asks of the person; the usual question where it cannot be understood."""
    _known_code(request)
    today = dates.today()
    choices = offered(request.user, policy_book(today), resident.village.path)
    question = question_about(resident.village.path, request.GET, choices, today)
    form = QuestionForm(
        {"policy": question.code, "as_of": request.GET.get("as_of") or question.day},
        choices=choices,
    )
    form.is_valid()
    return form, question


def _resident(request, pk) -> Resident:
    people = Resident.objects.visible_to(request.user).for_list()
    return get_object_or_404(
        people.select_related("spouse__village"), pk=pk, merged_into__isnull=True
    )


def _never_here(request, resident: Resident):
    messages.info(request, "这份登记已经撤销，不能核查资格。")
    return redirect(resident)
