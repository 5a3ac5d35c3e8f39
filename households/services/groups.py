"""Many households put into another group of their village."""

from django.db import transaction
from django.db.models import F

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.models import Household


@transaction.atomic
def regroup_households(*, by, households: list[Household], group: Region) -> set[int]:
    """Put the households into `group` and return the keys of those that moved.

    Left alone is one that somebody changed since it was read, that already stands in the group, or
    that `by` cannot see. A group of another village refuses them all. One event per household.
    """
    if any(household.village_id != group.parent_id for household in households):
        raise RuleViolation(f"{group.name}不是这些户所在村的小组。", field="group")
    read = {household.pk: household for household in households}
    locked = (
        Household.objects.visible_to(by)
        .filter(pk__in=list(read))
        .select_for_update(of=("self",))
        .order_by("pk")
        .values_list("pk", "row_version", "group_id")
    )
    moved = {
        pk
        for pk, version, group_id in locked
        if version == read[pk].row_version and group_id != group.pk
    }
    Household.objects.filter(pk__in=moved).update(group=group, row_version=F("row_version") + 1)
    log.record_many(
        (
            log.Entry(
                type="household.changed",
                target_type=Household._meta.label_lower,
                target_id=str(pk),
                region_path=group.parent.path,
                changes={"group": [str(read[pk].group or ""), str(group)]},
            )
            for pk in sorted(moved)
        ),
        by=by,
    )
    return moved
