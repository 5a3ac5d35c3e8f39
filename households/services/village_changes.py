"""Villages merged and divided: the places end and begin, and everybody moves, in one operation."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.db.models import F, Q

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.accounts.services import create_region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.models import ChangeRequest, Household, Residency, Resident, VillageChange
from households.village_changes import (
    NewVillage,
    VillageMove,
    group_places,
    households_of,
    plan_move,
    spells_from,
    spells_to_divide,
)

REASON = "区划调整"
_SPELL = (
    "resident_id", "household_id", "relation", "residence", "hukou", "hukou_region_code", "ended_on",
    "opened_by_id", "closed_by_id",
)  # fmt: skip


@transaction.atomic
def change_villages(
    *,
    by,
    sources: Sequence[Region],
    target: Region | NewVillage,
    day: date,
    document: str,
    today: date,
) -> VillageChange:
    """Make whole villages, or groups of villages, part of `target` from `day` on.

    Up to the day everybody stays where they were: returns of earlier periods keep the old villages.
    From the day on spells, households and groups are the target's. A household number that would
    stand twice gets the old village's digits in front. Villages that moved whole end on the day.
    """
    bulk.one_at_a_time("village_changes")
    wanted = {r.pk for r in sources}
    sources = list(Region.objects.visible_to(by).select_for_update().filter(pk__in=wanted))
    if len(sources) != len(wanted):
        raise RuleViolation("有的村或小组不在您的区划内，没有办理。", field="sources")
    move = plan_move(sources=sources, target=target, day=day, today=today)
    if isinstance(target, NewVillage):
        target = create_region(
            code=target.code,
            name=target.name,
            urban_rural=target.urban_rural,
            valid_from=day,
            valid_until=None,
            by=by,
        )
    if not Region.objects.visible_to(by).filter(pk=target.pk).exists():
        raise RuleViolation("并入的村不在您的区划内，没有办理。", field="target")
    # Held, so that no event writes a spell of the old village once they are counted.
    locked = households_of(move.sources).select_for_update()
    homes = list(locked.order_by("pk").values_list("pk", flat=True))
    groups = _open_groups(move, target, by)
    _divide_spells(homes, target, day)
    _move_households(homes, move, target, groups)
    Resident.objects.filter(household__in=homes).update(
        village=target, row_version=F("row_version") + 1
    )
    ChangeRequest.objects.waiting().filter(
        Q(village__in=move.villages) | Q(household__in=homes) | Q(resident__household__in=homes)
    ).update(village=target)
    _end_places(move, by)
    change = VillageChange.objects.create(
        target=target,
        sources=[r.code for r in move.sources],
        happened_on=day,
        document=document,
        households=len(homes),
        residents=move.residents,
        renumbered=len(move.renumbered),
        made_by=by if hasattr(by, "pk") else None,
    )
    log.record(
        "village.changed",
        by=by,
        target=change,
        region_path=target.path,
        count=move.residents,
        changes={
            "sources": [r.code for r in move.sources],
            "target": target.code,
            "happened_on": day.isoformat(),
            "document": document,
        },
    )
    return change


def _open_groups(move: VillageMove, target: Region, by) -> dict[int, int]:
    """The groups that moved, opened again below the target: old key → new key."""
    placed = group_places(move.sources, target, move.day)
    opened = Region.objects.bulk_create(
        [
            Region(
                code=code,
                name=name,
                level=Region.Level.GROUP,
                parent=target,
                path=f"{target.path}{code}.",
                urban_rural=group.urban_rural,
                valid_from=move.day,
            )
            for group, code, name in placed
        ]
    )
    log.record_many(
        [log.Entry("region.created", "accounts.region", str(r.pk), r.path) for r in opened], by=by
    )
    return {old.pk: new.pk for (old, _, _), new in zip(placed, opened, strict=True)}


def _divide_spells(homes: list[int], target: Region, day: date) -> None:
    """Spells that hold on the day end there and go on in the target; later ones are the target's."""
    kept = Household.objects.filter(pk__in=homes)
    spells_from(kept, day).update(village=target)
    divided = spells_to_divide(kept, day)
    rows = list(divided.order_by("pk").values_list("pk", *_SPELL))
    divided.update(ended_on=day, closed_by=None)
    columns = [*_SPELL, "village_id", "started_on", "reason"]
    position = 1 + _SPELL.index("opened_by_id")
    bulk.insert(
        Residency,
        columns,
        ((*row[1:position], None, *row[position + 1 :], target.pk, day, REASON) for row in rows),
    )


def _move_households(
    homes: list[int], move: VillageMove, target: Region, groups: dict[int, int]
) -> None:
    rows = Household.objects.filter(pk__in=homes).values_list("pk", "number", "group_id")
    bulk.update(
        Household,
        ["village_id", "number", "group_id"],
        [
            (pk, target.pk, move.renumbered.get(pk, number), groups.get(group))
            for pk, number, group in rows
        ],
    )
    Household.objects.filter(pk__in=homes).update(row_version=F("row_version") + 1)


def _end_places(move: VillageMove, by) -> None:
    """The villages and groups that moved are no longer in force from the day on."""
    villages = [r.pk for r in move.villages]
    groups = [r.pk for r in move.sources if r.level == Region.Level.GROUP]
    ended = list(Region.objects.filter(pk__in=groups) | Region.objects.filter(pk__in=villages))
    ended += Region.objects.filter(
        parent__in=villages, level=Region.Level.GROUP, valid_until__isnull=True
    )
    Region.objects.filter(pk__in=[r.pk for r in ended]).update(
        valid_until=move.day, row_version=F("row_version") + 1
    )
    log.record_many(
        [
            log.Entry(
                "region.changed",
                "accounts.region",
                str(r.pk),
                r.path,
                {"valid_until": [None, move.day.isoformat()]},
            )
            for r in ended
        ],
        by=by,
    )
