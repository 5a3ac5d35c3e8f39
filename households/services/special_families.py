"""Archives of special families: opened, changed, closed, opened for reading; what contacts must do."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households.models import (
    ArchiveReview,
    CareRule,
    FamilyContact,
    FamilyKind,
    FamilyParent,
    Household,
    Resident,
    SpecialFamily,
)
from households.services.scope import require_visible
from households.special.families import contradicting_children, contradiction, parents_of
from households.special.holding import locked_family

SECOND_ARCHIVE = "这一户已有在管的特殊家庭档案，不能再建一份。请打开原来的档案。"
HEALTH_FIELDS = ("cause_of_death", "health_note")


@transaction.atomic
def open_archive(
    *,
    by,
    household: Household,
    kind: str,
    opened_on: date,
    today: date,
    parents: Collection[Resident] = (),
    difficulties: str = "",
    needs: str = "",
) -> SpecialFamily:
    """A new archive with its parents, by default parents_of().

    Refuses a second open archive of the household or of a parent, one that begins in the future or
    before an earlier one was closed, and kind 死亡 or 伤残 for a family with a living healthy child.
    """
    household = _locked_household(household)
    _refuse_day(household, opened_on, today)
    for day in (opened_on, today):
        _refuse_living_child(household, kind, day)
    people = list(parents) or parents_of(household, opened_on)
    if not people:
        raise RuleViolation("请选择这份档案的父母，至少一位。", field="parents")
    _refuse_elsewhere({one.pk for one in people})
    try:
        with transaction.atomic():
            family = SpecialFamily.objects.create(
                household=household,
                kind=kind,
                opened_on=opened_on,
                difficulties=difficulties,
                needs=needs,
            )
    except IntegrityError:
        raise RuleViolation(SECOND_ARCHIVE, field="household") from None
    FamilyParent.objects.bulk_create(
        FamilyParent(family=family, resident=one, started_on=opened_on) for one in people
    )
    require_visible(SpecialFamily.objects.visible_to(by), family)
    _record("special.opened", family, by, {"opened_on": ["", str(opened_on)]})
    return family


@transaction.atomic
def change_archive(
    *,
    by,
    family: SpecialFamily,
    row_version: int,
    kind: str,
    parents: Collection[Resident],
    difficulties: str,
    needs: str,
    today: date,
) -> SpecialFamily:
    """Correct kind, parents, difficulties and needs. A parent left out ends today; health has its own."""
    claim(family, row_version)
    family = SpecialFamily.objects.select_related("household__village").get(pk=family.pk)
    if kind != family.kind:
        _refuse_living_child(family.household, kind, today)
    if not parents:
        raise RuleViolation("请选择这份档案的父母，至少一位。", field="parents")
    new = {"kind": kind, "difficulties": difficulties, "needs": needs}
    changed = {name for name, value in new.items() if getattr(family, name) != value}
    for name, value in new.items():
        setattr(family, name, value)
    family.save(update_fields=list(new))
    if _set_parents(family, {one.pk for one in parents}, today):
        changed.add("parents")
    require_visible(SpecialFamily.objects.visible_to(by), family)
    _record("special.changed", family, by, {"fields": sorted(changed)})
    return family


@transaction.atomic
def change_health(
    *, by, family: SpecialFamily, row_version: int, cause_of_death: str, health_note: str
) -> SpecialFamily:
    """What only the smallest circle reads: cause of death, health."""
    claim(family, row_version)
    family = SpecialFamily.objects.select_related("household__village").get(pk=family.pk)
    new = {"cause_of_death": cause_of_death, "health_note": health_note}
    changed = sorted(name for name, value in new.items() if getattr(family, name) != value)
    for name, value in new.items():
        setattr(family, name, value)
    family.save(update_fields=list(new))
    require_visible(SpecialFamily.objects.visible_to(by), family)
    _record("special.health_changed", family, by, {"fields": changed})
    return family


@transaction.atomic
def close_archive(
    *, by, family: SpecialFamily, closed_on: date, reason: str, note: str = "", today: date
) -> SpecialFamily:
    """Close the archive and end its contacts' terms on that day. Nothing is deleted."""
    family = locked_family(family)
    if family.closed_on:
        raise RuleViolation("这份档案已经结案。")
    if closed_on > today:
        raise RuleViolation("结案日期不能晚于今天。", field="closed_on")
    if closed_on < family.opened_on:
        raise RuleViolation("结案日期不能早于建档日期。", field="closed_on")
    late = FamilyContact.objects.filter(
        family=family, ended_on__isnull=True, records__happened_on__gt=closed_on
    )
    if (
        late.exists()
        or FamilyContact.objects.filter(
            family=family, ended_on__isnull=True, started_on__gt=closed_on
        ).exists()
    ):
        raise RuleViolation(
            "这一天以后还有联系记录或新换的联系人。请核对结案日期。", field="closed_on"
        )
    FamilyContact.objects.filter(family=family, ended_on__isnull=True).update(
        ended_on=closed_on, end_reason="结案"
    )
    family.closed_on, family.close_reason, family.close_note = closed_on, reason, note
    family.row_version += 1  # the row is locked; a form opened before shows both versions
    family.save(update_fields=["closed_on", "close_reason", "close_note", "row_version"])
    require_visible(SpecialFamily.objects.visible_to(by), family)
    _record("special.closed", family, by, {"closed_on": ["", str(closed_on)]})
    return family


@transaction.atomic
def move_archive(*, by, family: SpecialFamily, household: Household) -> SpecialFamily:
    """The archive follows its parents into another household.

    Refuses one where none of its parents is, and one with an archive that is open or of the same day.
    """
    family = locked_family(family)
    household = _locked_household(household)
    here = Resident.objects.filter(
        household=household,
        departed_on__isnull=True,
        special_archives__family=family,
        special_archives__ended_on__isnull=True,
    )
    if not here.exists():
        raise RuleViolation(f"{household}里没有这份档案的父母，不能转到这一户。", field="household")
    others = household.special_families.exclude(pk=family.pk)
    if others.filter(closed_on__isnull=True).exists():
        raise RuleViolation(SECOND_ARCHIVE, field="household")
    if others.filter(opened_on=family.opened_on).exists():
        raise RuleViolation(
            f"{household}在{family.opened_on}已经建过一份档案，不能转到这一户。", field="household"
        )
    before = str(family.household)
    family.household = household
    family.row_version += 1
    family.save(update_fields=["household", "row_version"])
    require_visible(SpecialFamily.objects.visible_to(by), family)
    _record("special.moved", family, by, {"household": [before, str(household)]})
    return family


@transaction.atomic
def decide_review(
    *, by, review: ArchiveReview, decision: str, note: str, now: datetime
) -> ArchiveReview:
    """Say what came of looking at the archive; a kept archive needs words."""
    review = ArchiveReview.objects.select_for_update(of=("self",)).get(pk=review.pk)
    if review.decision:
        raise RuleViolation("这一条已经处理过了。")
    if decision == ArchiveReview.Decision.KEPT and not note:
        raise RuleViolation("请写明档案不变的理由。", field="note")
    review.decision, review.note, review.decided_by, review.decided_at = decision, note, by, now
    review.save(update_fields=["decision", "note", "decided_by", "decided_at"])
    require_visible(ArchiveReview.objects.visible_to(by), review)
    _record("special.reviewed", review.family, by, {"decision": ["", decision]})
    return review


@transaction.atomic
def set_care_rule(
    *, by, region: Region, from_on: date, values: dict[str, Any], today: date
) -> CareRule:
    """What `region` asks of contacts from that day on; a rule that was set for the day is replaced.

    Refuses a day before this month: months that are over keep their rule, so no return changes. And
    more kinds than contacts.
    """
    first = today.replace(day=1)
    if from_on < first:
        raise RuleViolation(
            f"生效日期不能早于本月1日（{first}）：过去的月份按当时的要求计算，不再改变。",
            field="from_on",
        )
    if len(values["kinds_required"]) > values["contacts_required"]:
        raise RuleViolation(
            f"须有{len(values['kinds_required'])}类联系人，每户只要求{values['contacts_required']}名，"
            "不够分。请减少类别或增加人数。",
            field="kinds_required",
        )
    rule, _ = CareRule.objects.update_or_create(
        region=region, from_on=from_on, defaults={**values, "set_by": by}
    )
    require_visible(CareRule.objects.visible_to(by), rule)
    log.record(
        "special.rule_set",
        by=by,
        target=rule,
        region_path=region.path,
        changes={name: ["", str(value)] for name, value in values.items()},
    )
    return rule


@transaction.atomic
def record_opening(*, by, family: SpecialFamily, what: str = "") -> None:
    """That somebody opened the archive, or of it what only the smallest circle reads."""
    _record(
        "special.health_viewed" if what else "special.viewed",
        family,
        by,
        {"what": what} if what else {},
    )


def _locked_household(household: Household) -> Household:
    Household.objects.select_for_update().values_list("pk").get(pk=household.pk)
    return Household.objects.select_related("village").get(pk=household.pk)


def _refuse_day(household: Household, opened_on: date, today: date) -> None:
    if opened_on > today:
        raise RuleViolation("建档日期不能晚于今天。", field="opened_on")
    earlier = household.special_families.order_by("-opened_on").first()
    if earlier and earlier.closed_on is None:
        raise RuleViolation(SECOND_ARCHIVE, field="household")
    if earlier and opened_on < earlier.closed_on:
        raise RuleViolation(
            f"这一户上一份档案到{earlier.closed_on}才结案，建档日期不能比它早。", field="opened_on"
        )


def _refuse_living_child(household: Household, kind: str, day: date) -> None:
    number = contradicting_children({household.pk: kind}, day).get(household.pk, 0)
    if number:
        raise RuleViolation(
            f"{day}那天，这一户有{contradiction(kind, number)}，不能建"
            f"“{FamilyKind(kind).label}”档案。请核对建档日期和生育史。",
            field="kind",
        )


def _refuse_elsewhere(people: set[int], family: SpecialFamily | None = None) -> None:
    """Nobody is in two open archives. Where the other is isn't told: it may be another office's."""
    # Held, so that two offices do not open one each at once.
    list(Resident.objects.select_for_update().filter(pk__in=people).order_by("pk").values("pk"))
    known = FamilyParent.objects.filter(
        resident__in=people, ended_on__isnull=True, family__closed_on__isnull=True
    ).exclude(family=family)
    if busy := known.select_related("resident").order_by("pk").first():
        raise RuleViolation(
            f"{busy.resident.name}已在另一份在管的档案里。请把那份档案转来，或者先在那一份里去掉。",
            field="parents",
        )


def _set_parents(family: SpecialFamily, wanted: set[int], today: date) -> bool:
    current = {p.resident_id: p for p in family.parents.all()}
    left = [p for pk, p in current.items() if pk not in wanted and p.ended_on is None]
    back = [p for pk, p in current.items() if pk in wanted and p.ended_on is not None]
    new = wanted - current.keys()
    _refuse_elsewhere(new | {p.resident_id for p in back}, family)
    FamilyParent.objects.filter(pk__in=[p.pk for p in left]).update(ended_on=today)
    FamilyParent.objects.filter(pk__in=[p.pk for p in back]).update(ended_on=None)
    FamilyParent.objects.bulk_create(
        FamilyParent(family=family, resident_id=pk, started_on=family.opened_on)
        for pk in sorted(new)
    )
    return bool(left or back or new)


def _record(type_: str, family: SpecialFamily, by, changes: dict) -> None:
    log.record(
        type_,
        by=by,
        target=family,
        region_path=family.household.village.path,
        changes=changes,
    )
