"""Archives are tested again when something happens in the registry; nothing is closed by itself."""

from collections.abc import Collection, Mapping
from datetime import date

from django.db import transaction
from django.db.models import Q

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from households.models import ArchiveReview, ChildRecord, LifeEvent, Resident, SpecialFamily
from households.special.doubts import doubts

STANDS = "重新核对：仍符合建档条件。请看家庭情况有没有变化，档案要不要补充。"


@transaction.atomic
def review_archives(
    *,
    by,
    people: Collection[int],
    cause: str,
    today: date,
    always: bool,
    resident: Resident | None = None,
    event: LifeEvent | None = None,
) -> list[ArchiveReview]:
    """Test the open archives again that `people` belong to, as parent, child or member of the household.

    Opens a task for each that has become doubtful in a new way; with `always` for every one.
    """
    families = SpecialFamily.objects.filter(
        Q(parents__resident__in=people, parents__ended_on__isnull=True)
        | Q(parents__resident__in=_parents_of(people), parents__ended_on__isnull=True)
        | Q(household__members__in=people),
        closed_on__isnull=True,
    )
    pks = sorted(set(families.values_list("pk", flat=True)))
    if not pks:
        return []
    concerned = SpecialFamily.objects.filter(pk__in=pks)
    found = doubts(concerned, today)
    new = found if not always else {pk: found.get(pk, STANDS) for pk in pks}
    return _open_reviews(by, concerned, new, cause, today, always, resident, event)


@transaction.atomic
def review_region(*, by, region: Region, cause: str, today: date) -> list[ArchiveReview]:
    """Test all open archives of `region` again, after an import; tasks for new doubts alone."""
    families = SpecialFamily.objects.within(region).filter(closed_on__isnull=True)
    if not families.exists():
        return []
    return _open_reviews(by, families, doubts(families, today), cause, today, False, None, None)


def _parents_of(people: Collection[int]):
    children = ChildRecord.objects.filter(child__in=people).order_by()
    return children.values("mother").union(children.values("father"))


def _open_reviews(
    by, families, findings: Mapping[int, str], cause, today, always, resident, event
) -> list[ArchiveReview]:
    """What was found before, decided or not, is not found again, unless something happened."""
    known = set(
        ArchiveReview.objects.filter(family__in=list(findings)).values_list("family", "finding")
    )
    waiting = {
        review.family_id: review
        for review in ArchiveReview.objects.filter(
            family__in=list(findings), decision="", found_on=today, resident=resident
        )
        if resident
    }
    opened = []
    for family in families.select_related("household__village").filter(pk__in=list(findings)):
        finding = findings[family.pk][:500]
        if family.pk in waiting:  # one happening, told by the birth history and by its event
            review = waiting[family.pk]
            review.cause, review.finding = cause, finding
            review.event = event or review.event
            review.save(update_fields=["cause", "finding", "event"])
        elif always or (family.pk, finding) not in known:
            review = ArchiveReview(
                family=family,
                cause=cause,
                finding=finding,
                resident=resident,
                event=event,
                found_on=today,
            )
            review.save()
            opened.append(review)
    entries = [
        log.Entry(
            "special.review_opened",
            SpecialFamily._meta.label_lower,
            str(review.family_id),
            review.family.household.village.path,
        )
        for review in opened
    ]
    if entries:
        log.record_many(entries, by=by)
    return opened
