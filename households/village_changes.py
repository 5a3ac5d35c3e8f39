"""What a change of villages (合村并居) would move, and the numbers that would clash."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, count

from django.db.models import F, Q, QuerySet

from fpadmin.accounts.models import Region, User
from fpadmin.errors import RuleViolation
from households.models import Household, LedgerLock, Residency, Resident, registered

GROUPS_OF_A_VILLAGE = 99  # two digits of the code


@dataclass(frozen=True)
class NewVillage:
    """A village that begins with the change."""

    code: str
    name: str
    urban_rural: str = ""


@dataclass
class VillageMove:
    """Which villages or groups become part of `target` from `day` on, and what that means."""

    sources: list[Region]
    target: Region | NewVillage
    day: date
    households: int = 0
    residents: int = 0
    renumbered: dict[int, str] = field(default_factory=dict)  # household → its number there
    accounts: int = 0  # of the villages that end

    @property
    def villages(self) -> list[Region]:
        """The sources that are whole villages: they end with the change."""
        return [r for r in self.sources if r.level == Region.Level.VILLAGE]


def plan_move(
    *, sources: Sequence[Region], target: Region | NewVillage, day: date, today: date
) -> VillageMove:
    """What the change would move. Refuses, in words, what cannot be one operation of one township."""
    sources = sorted(sources, key=lambda r: r.code)
    move = VillageMove(sources, target, day)
    if day > today:
        raise RuleViolation(f"生效日期{day}在今天（{today}）之后，到了那一天再办理。", field="day")
    if not sources:
        raise RuleViolation("请选择要调整的村或小组。", field="sources")
    for region in sources:
        if region.level not in (Region.Level.VILLAGE, Region.Level.GROUP):
            raise RuleViolation(f"{region.name}不是村或小组。", field="sources")
        if not _in_force(region, day):
            raise RuleViolation(f"{region.name}在{day}没有启用。", field="sources")
    inside = [r.name for r in sources if any(r.parent_id == other.pk for other in sources)]
    if inside:
        raise RuleViolation(f"{inside[0]}随所在的村一起调整，不用单独选。", field="sources")
    townships = {_township(r.code) for r in (*sources, target)}
    if len(townships) > 1:
        raise RuleViolation("只能在同一个乡镇（街道）内调整。", field="target")
    if isinstance(target, Region):
        if target.level != Region.Level.VILLAGE or not _in_force(target, day):
            raise RuleViolation(f"{target.name}不是在{day}启用的村。", field="target")
        if any(r.code.startswith(target.code) for r in sources):
            raise RuleViolation(
                f"{target.name}不能并入自己，请从调整的区划中去掉。", field="target"
            )
    elif Region.objects.filter(code=target.code).exists():
        raise RuleViolation(f"区划代码{target.code}已经有了。", field="code")
    locked = LedgerLock.objects.in_force().filter(
        township__code=townships.pop(), closes_on__gte=day
    )
    newest = locked.order_by("-closes_on").first()
    if newest:
        raise RuleViolation(
            f"{newest.period}的总人口账已锁定，生效日期要晚于{newest.closes_on}，或请县里先解锁。",
            field="day",
        )
    homes = households_of(sources)
    if not homes.exists() and not move.villages:
        raise RuleViolation("所选的小组没有家庭，不用调整。", field="sources")
    move.households = homes.count()
    move.residents = Resident.objects.filter(registered(today), household__in=homes).count()
    move.renumbered = _renumbered(homes, target)
    move.accounts = User.objects.filter(region__in=move.villages, is_active=True).count()
    return move


def households_of(sources: Sequence[Region]) -> QuerySet[Household]:
    """The households that move: of whole villages, and of single groups."""
    villages = [r.pk for r in sources if r.level == Region.Level.VILLAGE]
    groups = [r.pk for r in sources if r.level == Region.Level.GROUP]
    return Household.objects.filter(Q(village__in=villages) | Q(group__in=groups))


def spells_to_divide(homes: QuerySet[Household], day: date) -> QuerySet[Residency]:
    """Spells in those households that began before the day and hold on it or later."""
    return Residency.objects.filter(
        Q(started_on__isnull=True) | Q(started_on__lt=day),
        Q(ended_on__isnull=True) | Q(ended_on__gt=day),
        household__in=homes,
    )


def spells_from(homes: QuerySet[Household], day: date) -> QuerySet[Residency]:
    """Spells in those households that began on the day or later."""
    return Residency.objects.filter(household__in=homes, started_on__gte=day)


def group_places(
    sources: Sequence[Region], target: Region, day: date
) -> list[tuple[Region, str, str]]:
    """(old group, new code, new name) of every group that moves, being in force on the day.

    Groups keep their names; one whose name the target has already is called after its village too.
    """
    taken = list(Region.objects.filter(parent=target).values_list("code", "name"))
    codes, names = {code for code, _ in taken}, {name for _, name in taken}
    villages = [r.pk for r in sources if r.level == Region.Level.VILLAGE]
    groups = [r for r in sources if r.level == Region.Level.GROUP]
    below = Region.objects.filter(parent__in=villages, level=Region.Level.GROUP)
    groups += below.valid_on(day).select_related("parent")
    numbers = (f"{target.code}{n:02d}" for n in range(1, GROUPS_OF_A_VILLAGE + 1))
    free = [code for code in numbers if code not in codes]
    if len(groups) > len(free):
        raise RuleViolation(
            f"{target.name}最多{GROUPS_OF_A_VILLAGE}个小组，放不下。", field="sources"
        )
    placed = []
    for group, code in zip(sorted(groups, key=lambda g: g.code), free, strict=False):
        name = group.name if group.name not in names else f"{group.parent.name}{group.name}"
        names.add(name)
        placed.append((group, code, name))
    return placed


def _renumbered(homes: QuerySet[Household], target: Region | NewVillage) -> dict[int, str]:
    """New numbers for households whose number is taken in the target, or by one that moves with them.

    The old village's last three digits and a dash come before the number; where the column has no
    room for that, the number is cut and counted.
    """
    moving = list(homes.order_by("pk").values_list("pk", "number", F("village__code")))
    taken: dict[str, int] = defaultdict(int)
    if isinstance(target, Region):
        for number in target.households.values_list("number", flat=True):
            taken[number] += 1
    for _, number, _ in moving:
        taken[number] += 1
    renumbered = {}
    used = set(taken)
    room = Household._meta.get_field("number").max_length
    for pk, number, code in moving:
        if taken[number] > 1:
            wanted = f"{code[9:12]}-{number}"
            counted = (f"{wanted[: room - len(str(n)) - 1]}-{n}" for n in count(2))
            options = chain([wanted] if len(wanted) <= room else [], counted)
            renumbered[pk] = next(new for new in options if new not in used)
            used.add(renumbered[pk])
    return renumbered


def _in_force(region: Region, day: date) -> bool:
    begun = region.valid_from is None or region.valid_from <= day
    return begun and (region.valid_until is None or region.valid_until > day)


def _township(code: str) -> str:
    return code[:9]
