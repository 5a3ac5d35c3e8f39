"""The invented tree: villages of about 1,900 people, 8 to a township, 10 townships to a county."""

from collections.abc import Iterator
from dataclasses import dataclass

PEOPLE_PER_VILLAGE = 1_900
VILLAGES_PER_TOWNSHIP = 8
TOWNSHIPS_PER_COUNTY = 10
GROUPS_PER_VILLAGE = 6
PROVINCE, CITY = "53", "5399"  # no city of Yunnan has the number 99
LUBIAO_COUNTY = "539981"
_NUMERALS = "一二三四五六七八九十"
_TOWNSHIPS = ("青龙", "白塔", "石门", "双河", "太平", "永安", "新华", "红旗", "河口", "大营")
_VILLAGES = (
    "上村", "下村", "新村", "河边村", "大树村", "石桥村", "龙潭村", "松林村", "竹园村", "茶山村",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A region of the invented tree; `people` is how many a village gets, else 0."""

    code: str
    name: str
    level: int
    people: int = 0
    urban_rural: str = ""


def plan(
    residents: int,
    *,
    people_per_village: int = PEOPLE_PER_VILLAGE,
    villages_per_township: int = VILLAGES_PER_TOWNSHIP,
) -> Iterator[Place]:
    """Places from the province down, parents first, whose villages hold exactly `residents`.

    ValueError for more people than the never-issued county codes of one city hold.
    """
    codes = [f"{CITY}{n:02d}" for n in range(1, 100) if f"{CITY}{n:02d}" != LUBIAO_COUNTY]
    most = len(codes) * TOWNSHIPS_PER_COUNTY * villages_per_township * people_per_village
    if not 1 <= residents <= most:
        raise ValueError(f"人数应在1到{most}之间，现在是{residents}。")
    yield Place(PROVINCE, "云南省", 1)
    yield Place(CITY, "演示市", 2)
    villages = -(-residents // people_per_village)
    for index in range(villages):
        people = residents // villages + (index < residents % villages)
        township, v = divmod(index, villages_per_township)
        county, t = divmod(township, TOWNSHIPS_PER_COUNTY)
        county_code = codes[county]
        township_code = f"{county_code}{t + 1:03d}"
        if v == 0 and t == 0:
            yield Place(county_code, f"演示{_chinese(county + 1)}县", 3)
        if v == 0:
            yield Place(township_code, f"{_TOWNSHIPS[t]}镇", 4)
        code = f"{township_code}{200 + v:03d}"
        kind = "城镇" if v == 0 else "乡村"
        yield Place(code, f"{_TOWNSHIPS[t]}{_VILLAGES[v]}", 5, people, kind)
        for group in range(1, GROUPS_PER_VILLAGE + 1):
            yield Place(f"{code}{group:02d}", f"{group}组", 6)


def _chinese(number: int) -> str:
    """1 to 99 in Chinese numerals."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_NUMERALS[tens - 1]}十"
    return head + (_NUMERALS[ones - 1] if ones else "")
