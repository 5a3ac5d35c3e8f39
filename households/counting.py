"""Where a person, a death or a birth is counted, and how villages add up to the regions asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from django.db.models import F, Q
from django.db.models.functions import Substr

from fpadmin.accounts.models import Region
from fpadmin.scoping import below

GROUP = Region.Level.GROUP


@dataclass(frozen=True)
class Place:
    """The names by which records tell their village, its path, and the group within it."""

    village: str
    path: str
    group: str

    def lies_in(self, regions: Sequence[Region]) -> Q:
        """Records counted in any of `regions`: a group's by its households, any other by the path."""
        groups = [r.pk for r in regions if r.level == GROUP]
        found = Q(**{f"{self.group}__in": groups}) if groups else Q()
        for region in _outermost(r for r in regions if r.level != GROUP):
            found |= below(region.path, self.path)
        return found


def sum_up(regions: Sequence[Region], records, aggregates: dict, place: Place) -> dict:
    """{region code: {name: number}} of `records`, aggregated by village and added up, in two queries.

    Aggregated by village and group where a group is asked for. A region that nothing is counted
    in has zeros.
    """
    totals = {region.path: dict.fromkeys(aggregates, 0) for region in regions}
    columns = {"_village": F(place.village)}
    by_group = any(region.level == GROUP for region in regions)
    if by_group:
        columns["_group"] = F(place.group)
    paths = _paths_below(regions, with_groups=by_group)
    rows = (
        records.filter(place.lies_in(regions)).order_by().values(**columns).annotate(**aggregates)
    )
    for row in rows:
        counted_in = {*upwards(paths.get(row["_village"], "")), paths.get(row.get("_group"), "")}
        for path in totals.keys() & counted_in:
            for name in aggregates:
                totals[path][name] += row[name]
    return {region.code: totals[region.path] for region in regions}


@dataclass(frozen=True)
class Gathered:
    """The villages (and, where a group is asked for, the groups) of some regions.

    Named by key, a thousand villages are found faster than by the paths of their regions.
    """

    regions: Sequence[Region]
    paths: dict[int, str]

    @cached_property
    def codes(self) -> dict[str, str]:
        return {region.path: region.code for region in self.regions}

    @property
    def by_group(self) -> bool:
        return any(region.level == GROUP for region in self.regions)

    def without(self, paths: Iterable[str]) -> "Gathered":
        """Leaving out what lies below these paths."""
        left_out = tuple(paths)
        if not left_out:
            return self
        kept = {key: p for key, p in self.paths.items() if not p.startswith(left_out)}
        return Gathered(self.regions, kept)

    def lies_in(self, place: Place) -> Q:
        """Records counted in one of the regions."""
        villages = Q(**{f"{place.village}__in": list(self.paths)})
        if not self.by_group:
            return villages
        groups = [region.pk for region in self.regions if region.level == GROUP]
        return villages | Q(**{f"{place.group}__in": groups})

    def codes_of(self, village: int, group: int | None = None) -> list[str]:
        """The codes of the regions that a village and a group in it count in."""
        below = (*upwards(self.paths.get(village, "")), self.paths.get(group, ""))
        return [self.codes[path] for path in dict.fromkeys(below) if path in self.codes]


def gathered(regions: Sequence[Region]) -> Gathered:
    """In one query."""
    by_group = any(region.level == GROUP for region in regions)
    return Gathered(regions, _paths_below(regions, with_groups=by_group))


def add_up(places: Gathered, records, aggregates: dict, place: Place) -> dict:
    """As sum_up(), in one query, of records whose village is dear to find: none is asked for a path."""
    totals = {region.code: dict.fromkeys(aggregates, 0) for region in places.regions}
    columns = {"_village": F(place.village)}
    if places.by_group:
        columns["_group"] = F(place.group)
    inside = records.filter(places.lies_in(place))
    for row in inside.order_by().values(**columns).annotate(**aggregates):
        for code in places.codes_of(row["_village"], row.get("_group")):
            for name in aggregates:
                totals[code][name] += row[name]
    return totals


def by_level(regions: Sequence[Region], records, aggregate, place: Place) -> dict:
    """{region code: number} of what doesn't add up, such as distinct numbers: one query a level.

    Codes of one level have one length, so a path's beginning names the region of that level.
    """
    found = {}
    for level in {region.level for region in regions}:
        alike = [r for r in regions if r.level == level]
        if level == GROUP:
            key, name = F(place.group), "pk"
        else:
            key, name = Substr(place.path, 1, len(alike[0].path)), "path"
        rows = (
            records.filter(place.lies_in(regions))
            .order_by()
            .values(_region=key)
            .annotate(_number=aggregate)
        )
        numbers = {row["_region"]: row["_number"] for row in rows}
        found |= {r.code: numbers.get(getattr(r, name), 0) for r in alike}
    return found


def _paths_below(regions: Sequence[Region], *, with_groups: bool) -> dict[int, str]:
    found = Q()
    for region in _outermost(regions):
        found |= below(region.path)
    places = Region.objects.filter(found)
    if not with_groups:
        places = places.exclude(level=GROUP)
    return dict(places.values_list("pk", "path"))


def upwards(path: str) -> Iterable[str]:
    """The path itself and each path above it."""
    return accumulate(f"{code}." for code in path.split(".") if code)


def _outermost(regions: Iterable[Region]) -> list[Region]:
    """Without those that lie below another."""
    kept: list[Region] = []
    for region in sorted(regions, key=lambda r: r.path):
        if not kept or not region.path.startswith(kept[-1].path):
            kept.append(region)
    return kept
