"""Archives of special families: the list and the page of one."""

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.lists import registered_list_page
from households import services
from households.models import SpecialFamily
from households.special import archive_list, archive_page


@requires(Permission.SPECIAL_VIEW)
@require_safe
def special_family_list(request):
    """The archives that the user may see: of the township, or as a contact his own."""
    return registered_list_page(
        request,
        archive_list.KEY,
        template="households/special_family_list.html",
        extra={"sees_all": request.user.may(Permission.SPECIAL_LIST)},
    )


@requires(Permission.SPECIAL_VIEW)
@require_safe
def special_family_detail(request, pk):
    """One archive with all its parts. That it was opened is recorded."""
    family = archive_of(request, pk)
    services.record_opening(by=request.user, family=family)
    day = dates.today()
    user = request.user
    sees_all = user.may(Permission.SPECIAL_LIST)
    parents = list(archive_page.parents_of_archive(family))
    return render(
        request,
        "households/special_family_detail.html",
        {
            "family": family,
            "names": archive_page.names_of(parents),
            "day": day,
            "parts": archive_page.parts_of(user, family, day),
            "openings": archive_page.openings_of(family) if sees_all else [],
            "sees_all": sees_all,
            "is_open": family.closed_on is None,
            "can_edit": user.may(Permission.SPECIAL_EDIT),
            "can_record": user.may(Permission.SPECIAL_RECORD),
            "can_see_health": user.may(Permission.SPECIAL_HEALTH),
            "can_reveal": user.may(Permission.IDENTITY_REVEAL),
        },
    )


def archive_of(request, pk) -> SpecialFamily:
    """The archive of that key, if the user may see it."""
    families = SpecialFamily.objects.visible_to(request.user).select_related(
        "household__village", "household__group"
    )
    return get_object_or_404(families, pk=pk)
