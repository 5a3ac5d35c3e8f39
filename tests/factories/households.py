"""Households and residents for tests: required values only; ID numbers from a sequence."""

from datetime import date
from itertools import count

from fpadmin.accounts.models import Region
from fpadmin.crypto import digest
from fpadmin.identity import check_character
from households.models import ChildRecord, Household, Residency, Resident

_sequence = count(1)


def make_id_number(birth_date: date, sex: str = "男", area: str = "539981") -> str:
    """A valid number of an area never issued; successive calls differ."""
    serial = (next(_sequence) * 2 + (sex == "男")) % 1000
    first17 = f"{area}{birth_date:%Y%m%d}{serial:03d}"
    return first17 + check_character(first17)


def make_household(village: Region, number: str = "", group: Region | None = None) -> Household:
    """A household; the number it is given has six digits, those that tests write have five."""
    return Household.objects.create(
        village=village, group=group, number=number or f"9{next(_sequence):05d}"
    )


def make_resident(household: Household, name: str = "张三", **extra) -> Resident:
    """A resident with one open spell of unknown start."""
    birth_date = extra.pop("birth_date", date(1980, 5, 1))
    sex = extra.pop("sex", "男")
    id_number = extra.pop("id_number", None)
    id_number = make_id_number(birth_date, sex) if id_number is None else id_number
    values = {
        "relation": "户主",
        "hukou": "农业",
        "residence": "常住",
        "marital": "未婚",
        "hukou_region_code": "",
    } | extra
    resident = Resident.objects.create(
        name=name,
        sex=sex,
        birth_date=birth_date,
        household=household,
        village=household.village,
        id_number=id_number,
        id_number_digest=digest(id_number) or None,
        **values,
    )
    make_spell(resident)
    return resident


def make_spell(resident: Resident, started_on=None, ended_on=None, household=None) -> Residency:
    household = household or resident.household
    return Residency.objects.create(
        resident=resident,
        household=household,
        village=household.village,
        relation=resident.relation,
        residence=resident.residence,
        hukou=resident.hukou,
        hukou_region_code=resident.hukou_region_code,
        started_on=started_on,
        ended_on=ended_on,
    )


def make_birth(mother: Resident | None, birth_date: date, father=None, **extra) -> ChildRecord:
    values = {"sex": "女", "order": 1, "within_policy": True} | extra
    return ChildRecord.objects.create(
        mother=mother,
        mother_id_number=mother.id_number if mother else "",
        mother_id_number_digest=(mother.id_number_digest or "") if mother else "",
        father=father,
        father_id_number=father.id_number if father else "",
        father_id_number_digest=(father.id_number_digest or "") if father else "",
        birth_date=birth_date,
        **values,
    )
