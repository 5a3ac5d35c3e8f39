"""Archives of special families: the list and the page of one."""

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui.lists import list_page, registered_list_page
from households import services
from households.models import SpecialFamily
from households.special import archive_list, archive_page, candidate_tables, candidates
from households.special.rules import rule_book

# Where the breadcrumb of a conflict begins.
SECTION = ("特殊家庭", "households:special-family-list")


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
            "has_moved": any(
                p.ended_on is None and p.resident.household_id != family.household_id
                for p in parents
            ),
            "can_edit": user.may(Permission.SPECIAL_EDIT),
            "can_record": user.may(Permission.SPECIAL_RECORD),
            "can_see_health": user.may(Permission.SPECIAL_HEALTH),
            "can_reveal": user.may(Permission.IDENTITY_REVEAL),
        },
    )


@requires(Permission.SPECIAL_LIST)
@require_safe
def special_candidate_list(request):
    """Households that meet the criteria and have no archive."""
    day, book = dates.today(), rule_book(dates.today())
    found = candidates.found_households(request.user, day, book)
    return list_page(
        request,
        candidates.without_archive(request.user, day, book, found),
        template="households/special_candidate_list.html",
        title="应建未建",
        table_class=candidate_tables.CandidateTable,
        filter_class=candidate_tables.CandidateFilter,
        unit="户",
        extra=_check_head(request, day, found) | {"tab": "missing"},
    )


@requires(Permission.SPECIAL_LIST)
@require_safe
def special_doubt_list(request):
    """Open archives that the criteria do not find, or find as another kind."""
    day, book = dates.today(), rule_book(dates.today())
    found = candidates.found_households(request.user, day, book)
    return list_page(
        request,
        candidates.in_doubt(request.user, day, found),
        template="households/special_candidate_list.html",
        title="建档存疑",
        table_class=candidate_tables.DoubtTable,
        filter_class=candidate_tables.DoubtFilter,
        unit="户",
        extra=_check_head(request, day, found) | {"tab": "doubtful"},
    )


def _check_head(request, day, found) -> dict:
    rate = candidates.archive_rate(request.user, day, found)
    return {
        "day": day,
        "rate": rate,
        "missing": rate["missing"],
        "doubtful": candidates.in_doubt(request.user, day, found).count(),
    }


def archive_of(request, pk) -> SpecialFamily:
    """The archive of that key, if the user may see it."""
    families = SpecialFamily.objects.visible_to(request.user).select_related(
        "household__village", "household__group"
    )
    return get_object_or_404(families, pk=pk)
