"""Families of an invented village: pure functions of a seed and a day.

The proportions are those of a township of south-west China in the 2010s: 2.9 people to a
household, one household in nine from elsewhere, adults away for work, one person in six over 60.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from fpadmin.dates import age_on, years_before
from households.demo import people
from households.demo.people import Birth, Family, IdNumbers, Person
from households.demo.places import GROUPS_PER_VILLAGE

ELSEWHERE = ("511500", "522401", "530300", "530600", "532300", "430400")  # where 流入 come from
_HOSPITALS = ("市人民医院", "市妇幼保健院", "街道卫生院")
_SCHOOLING = ("小学", "小学", "初中", "初中", "高中", "大专及以上")
_WORK = ("务农",) * 8 + ("灵活就业", "企业在职", "机关事业", "无业")


@dataclass
class Village:
    """What the families of one village are drawn from. `numbers` is shared by a county."""

    rng: Random
    area: str  # first six digits of the ID numbers
    today: date
    numbers: IdNumbers

    def aged(self, low: float, high: float) -> date:
        """A birth date of somebody between the two ages today."""
        return self.today - timedelta(int(self.rng.uniform(low, high) * 365.25))

    def person(self, sex: str, birth_date: date, *, surname: str = "", area: str = "") -> Person:
        number = self.numbers.issue(area or self.area, birth_date, sex)
        name = people.name_of(self.rng, sex, surname)
        return Person(name, sex, birth_date, number)

    def either(self, chance: float) -> bool:
        return self.rng.random() < chance


def families(village: Village, count: int) -> Iterator[Family]:
    """Households of the village with exactly `count` people together."""
    number = 0
    while count > 0:
        number += 1
        make = village.rng.choices(_KINDS, _WEIGHTS)[0]
        family = make(village)
        if len(family.people) > count:
            family = _single(village)
        count -= len(family.people)
        family.number = f"{number:05d}"
        family.group = village.rng.randrange(GROUPS_PER_VILLAGE)
        _settle(village, family)
        yield family


def _young_couple(village: Village) -> Family:
    husband, wife = _couple(village, village.aged(24, 44))
    return _with_children(village, Family([husband, wife]), wife, husband)


def _middle_couple(village: Village) -> Family:
    husband, wife = _couple(village, village.aged(44, 60))
    return _with_children(village, Family([husband, wife]), wife, husband)


def _three_generations(village: Village) -> Family:
    """A couple, their children, and the husband's parents, of whom one may have died."""
    husband, wife = _couple(village, village.aged(24, 40))
    born = years_before(husband.birth_date, 1) - timedelta(int(village.rng.uniform(20, 28) * 365))
    grandfather, grandmother = _couple(village, born, surname=husband.name[0])
    grandfather.relation, grandmother.relation = "父", "母"
    husband.father, husband.mother = grandfather, grandmother
    family = Family([husband, wife, grandfather, grandmother])
    family.births.append(Birth(grandmother, grandfather, husband, 1))
    _later_siblings(village, family, grandmother, grandfather, husband)
    _may_die(village, grandfather, grandmother)
    if village.either(0.35):  # one grandparent lives elsewhere or was never registered
        gone = grandfather if village.either(0.7) else grandmother
        if gone.death_date is None:
            gone.registered = False
            family.people.remove(gone)
            family.births = [b for b in family.births if b.mother is not gone]
    return _with_children(village, family, wife, husband)


def _old_couple(village: Village) -> Family:
    husband, wife = _couple(village, village.aged(60, 84))
    family = _with_children(village, Family([husband, wife]), wife, husband, at_home=False)
    _may_die(village, husband, wife)
    if husband.death_date:
        wife.relation = "户主"
    return family


def _widowed(village: Village) -> Family:
    """A widow whose husband was never registered here; her birth history is."""
    husband, wife = _couple(village, village.aged(58, 88))
    husband.registered = False
    husband.residence = "常住"
    wife.relation, wife.marital = "户主", "丧偶"
    return _with_children(village, Family([wife]), wife, husband, at_home=False)


def _single(village: Village) -> Family:
    sex = "男" if village.either(0.65) else "女"
    person = village.person(sex, village.aged(20, 62))
    person.relation = "户主"
    return Family([person])


def _divorced_mother(village: Village) -> Family:
    husband, wife = _couple(village, village.aged(28, 48))
    husband.registered = False
    wife.relation, wife.marital, wife.spouse = "户主", "离婚", None
    return _with_children(village, Family([wife]), wife, husband)


def _from_elsewhere(village: Village) -> Family:
    """People whose hukou is elsewhere, here since some day of the last years."""
    code = village.rng.choice(ELSEWHERE)
    area = f"{code[:2]}99{village.area[4:]}"
    moved_on = village.aged(0.1, 6)
    if village.either(0.55):
        sex = "男" if village.either(0.6) else "女"
        person = village.person(sex, village.aged(18, 50), area=area)
        person.relation = "户主"
        family = Family([person])
    else:
        husband, wife = _couple(village, village.aged(24, 42), area=area)
        family = _with_children(village, Family([husband, wife]), wife, husband)
    for person in family.people:
        person.residence, person.hukou_region_code = "流入", code
        person.moved_on = max(moved_on, person.birth_date)
    return family


_KINDS: tuple[Callable[[Village], Family], ...] = (
    _young_couple, _three_generations, _middle_couple, _old_couple, _widowed, _single,
    _divorced_mother, _from_elsewhere,
)  # fmt: skip
_WEIGHTS = (22, 17, 19, 13, 6, 9, 3, 11)


def _couple(
    village: Village, wife_born: date, *, surname: str = "", area: str = ""
) -> tuple[Person, Person]:
    """Husband and wife, married at lawful ages before today."""
    rng = village.rng
    older = max(-3.0, min(9.0, rng.gauss(2, 2.5)))
    husband_born = min(wife_born - timedelta(int(older * 365)), village.aged(23, 23))
    wife = village.person("女", wife_born, area=area)
    husband = village.person("男", husband_born, surname=surname, area=area)
    lawful = max(_birthday(wife_born, 20), _birthday(husband_born, 22))
    married = people.days_between(rng, lawful, min(village.today, lawful + timedelta(6 * 365)))
    husband.relation, wife.relation = "户主", "配偶"
    remarried = village.either(0.03)
    for one, other in ((husband, wife), (wife, husband)):
        one.spouse, one.first_marriage_date = other, married
        one.marital = "再婚" if remarried else "初婚"
    return husband, wife


def _birthday(born: date, age: int) -> date:
    try:
        return born.replace(year=born.year + age)
    except ValueError:  # 29 February
        return date(born.year + age, 3, 1)


def _wanted(village: Village, wife: Person) -> int:
    """How many children a woman of her generation has."""
    year = wife.birth_date.year
    if year < 1955:
        return village.rng.choices((1, 2, 3, 4), (8, 34, 38, 20))[0]
    if year < 1974:
        return village.rng.choices((0, 1, 2, 3), (2, 44, 48, 6))[0]
    return village.rng.choices((0, 1, 2, 3), (7, 43, 46, 4))[0]


def _with_children(
    village: Village, family: Family, wife: Person, husband: Person, *, at_home: bool = True
) -> Family:
    """Adds the couple's birth history; children still at home become members."""
    rng = village.rng
    born = wife.first_marriage_date + timedelta(rng.randint(240, 1300))
    latest = min(village.today, _birthday(wife.birth_date, 46))
    for order in range(1, 1 + _wanted(village, wife)):
        if born > latest:
            break
        child = _child(village, wife, husband, born)
        birth = Birth(wife, husband, child, order, within_policy=order < 3 or village.either(0.6))
        _fate(village, birth)
        family.births.append(birth)
        age = age_on(born, village.today)
        stays = age < 18 or (at_home and age < 30 and village.either(0.55))
        if stays and birth.death_date is None and village.either(0.97):
            family.people.append(child)
        else:
            child.registered = False
        born += timedelta(rng.randint(500, 2400))
    _may_hold_certificate(village, family, wife, husband)
    return family


def _later_siblings(
    village: Village, family: Family, mother: Person, father: Person, first: Person
) -> None:
    """Brothers and sisters of `first`, living elsewhere, in the mother's birth history."""
    born = first.birth_date + timedelta(village.rng.randint(500, 1800))
    for order in range(2, 1 + max(_wanted(village, mother), 1)):
        if born > _birthday(mother.birth_date, 46):
            break
        child = _child(village, mother, father, born)
        child.registered = False
        family.births.append(Birth(mother, father, child, order))
        born += timedelta(village.rng.randint(500, 2000))


def _child(village: Village, mother: Person, father: Person, born: date) -> Person:
    rng = village.rng
    sex = "男" if village.either(110 / 210) else "女"
    child = village.person(sex, born, surname=father.name[0])
    child.relation = "子" if sex == "男" else "女"
    child.mother, child.father, child.ethnicity = mother, father, father.ethnicity
    if (village.today - born).days < 60 and rng.random() < 0.6:
        child.id_number = ""  # not yet registered with the police
    return child


def _fate(village: Village, birth: Birth) -> None:
    """Some children are adopted, died, or are disabled."""
    rng, born = village.rng, birth.child.birth_date
    draw = rng.random()
    if draw < 0.004:
        birth.origin = "收养"
        return
    if (village.today - born).days < 400:
        birth.hospital = rng.choice(_HOSPITALS)
    elif draw < 0.013:
        birth.death_date = people.days_between(rng, born + timedelta(1), village.today)
    elif draw < 0.020:
        birth.disability_grade = rng.choice(("一级", "二级", "三级", "四级"))
        birth.disability_date = people.days_between(rng, born + timedelta(365), village.today)
        birth.child.disability_grade = birth.disability_grade


def _may_die(village: Village, one: Person, other: Person) -> None:
    """One of an old couple may have died in the last three years; the other is then widowed."""
    if village.either(0.18):
        dead, left = (one, other) if village.either(0.6) else (other, one)
        dead.death_date = village.today - timedelta(village.rng.randint(0, 1095))
        left.marital = "丧偶"


def _may_hold_certificate(village: Village, family: Family, wife: Person, husband: Person) -> None:
    """A couple with one child born before 2016 may hold the certificate, on both rows."""
    own = [b for b in family.births if b.mother is wife]
    if len(own) != 1 or own[0].child.birth_date.year > 2015 or not village.either(0.4):
        return
    number = f"DS{village.area[4:]}{village.rng.randrange(10**9):09d}"
    granted = people.days_between(
        village.rng,
        own[0].child.birth_date + timedelta(60),
        own[0].child.birth_date + timedelta(1200),
    )
    for parent in (wife, husband):
        parent.only_child_cert_no = number
        parent.only_child_cert_date = min(granted, village.today)


def _settle(village: Village, family: Family) -> None:
    """What the household shares, and each member's schooling, work, phone and account."""
    rng, today = village.rng, village.today
    hukou = "非农业" if village.either(0.10) else "农业"
    ethnicity = people.ethnicity_of(rng)
    family.low_income = village.either(0.045)
    if family.low_income and village.either(0.5):
        family.low_income_since = village.aged(0.1, 8)
    for person in family.people:
        age = age_on(person.birth_date, today)
        person.hukou = hukou
        person.ethnicity = ethnicity if village.either(0.93) else people.ethnicity_of(rng)
        person.education = _education(rng, age)
        person.employment = _employment(rng, age)
        if age >= 16:
            person.phone = people.phone_of(rng) if rng.random() < 0.8 else ""
            if rng.random() < 0.85:
                person.bank, person.bank_account = "农村信用社", people.account_of(rng)
        if 18 <= age < 50 and person.residence == "常住" and rng.random() < 0.06:
            person.residence = "流出"
            person.moved_on = people.days_between(
                rng, max(today - timedelta(2000), _birthday(person.birth_date, 17)), today
            )
        if not person.disability_grade and rng.random() < 0.012:
            person.disability_grade = rng.choice(("一级", "二级", "三级", "四级"))


def _education(rng: Random, age: int) -> str:
    if age < 6:
        return "学龄前"
    if age < 12:
        return "小学"
    if age < 15:
        return "初中"
    return rng.choice(_SCHOOLING)


def _employment(rng: Random, age: int) -> str:
    if age < 6:
        return ""
    if age < 18:
        return "学生"
    if age >= 60 and rng.random() < 0.15:
        return "企业退休"
    return rng.choice(_WORK)
