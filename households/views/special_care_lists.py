"""The registers of care, each a tab of one page."""

from django.views.decorators.http import require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.listing import Asked
from fpadmin.ui.lists import registered_list_page
from households.models import PriorityKind
from households.special import care_lists, care_rows

EMPTY = {
    care_lists.CARDS: "在家庭档案的“就医卡”里登记，登记后会列在这里。",
    care_lists.PRIORITIES: "在家庭档案的“六优先使用”里登记，联系人也可以登记。",
    care_lists.CHECKS: "没有在管的特殊家庭。",
    care_lists.CONTRACTS: "没有在管的特殊家庭。",
    care_lists.INSURANCES: "在家庭档案的“住院护理保险”里登记。",
    care_lists.AIDS: "在家庭档案的“享受待遇”里登记。",
}


@requires(Permission.SPECIAL_LIST)
@require_safe
def card_list(request):
    """The issue register of cards."""
    return _register(request, care_lists.CARDS)


@requires(Permission.SPECIAL_LIST)
@require_safe
def priority_list(request):
    """The uses of priorities, and how often each was used at which hospital."""
    return _register(
        request,
        care_lists.PRIORITIES,
        lines=care_rows.by_hospital(Asked.by(request)),
        kinds=PriorityKind.choices,
        hospitals=care_rows.known_hospitals(request.user),
    )


@requires(Permission.SPECIAL_LIST)
@require_safe
def check_list(request):
    """Whose yearly check is done and whose is due."""
    return _register(request, care_lists.CHECKS, year=care_rows.year_of(Asked.by(request)))


@requires(Permission.SPECIAL_LIST)
@require_safe
def contract_list(request):
    """Who has a family doctor, whose contract ends soon, who has none."""
    return _register(request, care_lists.CONTRACTS)


@requires(Permission.SPECIAL_LIST)
@require_safe
def insurance_list(request):
    """The nursing insurances."""
    return _register(request, care_lists.INSURANCES)


@requires(Permission.SPECIAL_LIST)
@require_safe
def aid_list(request):
    """Benefits and aid received."""
    return _register(request, care_lists.AIDS)


def _register(request, key: str, **extra):
    context = {"tabs": care_lists.TABS, "here": key, "empty_text": EMPTY[key], **extra}
    return registered_list_page(
        request, key, template="households/special_care.html", extra=context
    )
