"""Finds the village and the group that a workbook means, within one office."""

import re
from functools import cached_property

from fpadmin.accounts.models import Region
from fpadmin.scoping import below

_NUMBER = re.compile(r"\d+")


class Directory:
    """The villages and groups of an office, read once."""

    def __init__(self, office: Region):
        self._office = office
        inside = Region.objects.filter(below(office.path), level__gte=Region.Level.VILLAGE)
        self._villages = {r.code: r for r in inside if r.level == Region.Level.VILLAGE}
        self._groups: dict[tuple[int, str], Region] = {}
        for group in sorted(inside, key=lambda r: r.code):
            if group.level == Region.Level.GROUP:
                for name in _names(group):
                    self._groups.setdefault((group.parent_id, name), group)

    def village(self, code: str | None) -> tuple[Region | None, tuple[str, str] | None]:
        """(village, None), or (None, (code, sentence)) for an unknown one or one outside."""
        found = self._villages.get(code)
        if found or code is None:
            return found, None
        if code in self._everywhere:
            return None, ("outside_office", f"这个村不属于{self._office.name}。请核对代码。")
        return None, ("unknown_village", "区划表里没有这个村居代码。请核对，或先导入区划。")

    @cached_property
    def _everywhere(self) -> set[str]:
        """The codes of all villages, read when the first isn't the office's."""
        villages = Region.objects.filter(level=Region.Level.VILLAGE)
        return set(villages.values_list("code", flat=True))

    def group(self, village: Region, name: str) -> Region | None:
        """The group of that name or number below the village."""
        return self._groups.get((village.pk, name)) or self._groups.get((village.pk, _plain(name)))


def _plain(name: str) -> str:
    """村民小组 of office lists by their number: 第2村民小组, 2组, 02 and 2 are the same."""
    number = _NUMBER.search(name)
    return str(int(number.group())) if number else name


def _names(group: Region) -> list[str]:
    """A group's own name first, then its number, then the last two digits of its code."""
    return [group.name, group.code, _plain(group.name), str(int(group.code[-2:]))]
