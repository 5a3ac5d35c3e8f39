"""Who qualifies: lists, and one person's case."""

from django.http import Http404
from django.views.decorators.http import require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.listing import Asked
from fpadmin.ui.lists import registered_list_page
from subsidies.eligibility import candidate_list
from subsidies.eligibility.questions import question_of
from subsidies.policies.seeing import codes_for


@requires(Permission.BENEFIT_VIEW)
@require_safe
def eligibility_list(request):
    """Everybody who qualifies for a policy on a day, and how that compares with the roll."""
    asked = Asked.by(request)
    code = request.GET.get("policy")
    if code and code not in codes_for(request.user):
        raise Http404
    question = question_of(asked)
    return registered_list_page(
        request,
        candidate_list.key_of(question.code if question else code or ""),
        template="subsidies/eligibility_list.html",
        extra={"question": question},
    )


@requires(Permission.BENEFIT_VIEW)
@require_safe
def eligibility_person(request, pk):
    raise Http404


@requires(Permission.BENEFIT_VIEW)
@require_safe
def eligibility_letter(request, pk):
    raise Http404
