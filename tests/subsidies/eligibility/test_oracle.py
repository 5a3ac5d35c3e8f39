"""Random townships, every policy, several days: the list found is the one worked out in plain Python."""

import random
from datetime import date, timedelta

import pytest
from django.db import connection

from households.models import LowIncomeSpell, Residency, Resident
from subsidies.eligibility.explaining import explain
from subsidies.eligibility.finding import count_by_village, found, found_sql
from subsidies.eligibility.predicates import Sql
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from tests.factories.benefits import make_enrolment
from tests.factories.households import make_birth, make_household, make_resident
from tests.subsidies.eligibility.oracle import World

pytestmark = pytest.mark.django_db
DAYS = [date(2018, 12, 31), date(2016, 2, 29), date(2009, 6, 30)]
# Around the bounds of the policies, where a day decides.
BORN = [
    date(1932, 12, 31), date(1933, 1, 1), date(1948, 2, 29), date(1949, 6, 30), date(1958, 12, 31),
    date(1959, 1, 1), date(1967, 2, 28), date(1969, 12, 31), date(1970, 1, 1), date(1985, 7, 1),
]  # fmt: skip
CHILD_BORN = [
    date(1972, 12, 31), date(1973, 1, 1), date(1990, 5, 5), date(2000, 12, 31), date(2001, 1, 1),
    date(2001, 12, 31), date(2002, 1, 1), date(2004, 12, 31), date(2005, 1, 1), date(2016, 3, 1),
]  # fmt: skip


def near(chance: random.Random, days) -> date:
    return chance.choice(days) + timedelta(days=chance.choice([-1, 0, 0, 0, 1, 400]))


def person(chance, household, relation, sex):
    resident = make_resident(
        household, f"{relation}{chance.randrange(1000)}", sex=sex, relation=relation,
        birth_date=near(chance, BORN), hukou=chance.choice(["农业", "农业", "非农业"]),
        residence=chance.choice(["常住", "常住", "流出", "流入"]),
        marital=chance.choice(["初婚", "初婚", "再婚", "丧偶", "离婚"]),
        employment=chance.choice(["", "务农", "无业", "灵活就业", "企业退休"]),
        only_child_cert_no=chance.choice(["", "", f"光{chance.randrange(99)}"]),
        only_child_cert_date=chance.choice([None, *DAYS]),
        death_date=chance.choice([None, None, None, None, DAYS[0], date(2017, 1, 1)]),
    )  # fmt: skip
    if chance.random() < 0.2:  # the hukou of before, and a gap now and then
        turned = chance.choice(DAYS)
        Residency.objects.filter(resident=resident).update(started_on=turned)
        Residency.objects.create(
            resident=resident, household=household, village=household.village, relation=relation,
            residence="常住", hukou=chance.choice(["农业", "非农业"]),
            ended_on=turned - timedelta(days=chance.choice([0, 0, 30])),
        )  # fmt: skip
    return resident


def child(chance, mother, father, order, villages):
    born = near(chance, CHILD_BORN)
    died = chance.choice([None, None, None, born + timedelta(days=900), DAYS[0]])
    grade = chance.choice(["", "", "一级", "三级", "四级"])
    registered = None
    if chance.random() < 0.5:
        registered = make_resident(
            make_household(chance.choice(villages)), f"子女{chance.randrange(1000)}",
            birth_date=born, relation=chance.choice(["户主", "子"]),
        )  # fmt: skip
    make_birth(
        mother, born, father, order=order, sex=chance.choice(["男", "女", "女"]), child=registered,
        within_policy=chance.random() < 0.8, origin=chance.choice(["亲生", "收养"]),
        survival="死亡" if died and died >= born else "存活",
        death_date=died if died and died >= born else None, disability_grade=grade,
        disability_date=chance.choice([None, *DAYS]) if grade else None,
    )  # fmt: skip


def household(chance, villages):
    home = make_household(chance.choice(villages))
    head = person(chance, home, chance.choice(["户主", "户主", "户主", "其他"]), "男")
    wife = None
    if chance.random() < 0.8:
        place = home if chance.random() < 0.85 else make_household(chance.choice(villages))
        wife = person(chance, place, "配偶", "女")
        pairs = [(head, wife), (wife, head)]
        for one, other in pairs if chance.random() < 0.8 else pairs[: chance.choice([0, 1])]:
            Resident.objects.filter(pk=one.pk).update(spouse=other)
    for order in range(1, chance.choice([1, 2, 2, 2, 3, 4])):
        mother = wife if wife and chance.random() < 0.9 else None
        father = head if mother is None or chance.random() < 0.8 else None
        child(chance, mother, father, order, villages)
    if chance.random() < 0.3:
        LowIncomeSpell.objects.create(
            household=home, started_on=chance.choice([None, *DAYS]),
            ended_on=chance.choice([None, date(2019, 1, 1)]),
        )  # fmt: skip
    if chance.random() < 0.2:
        code = chance.choice(["CN-RURAL", "CN-SPECIAL-DEATH", "SD-PENSION"])
        make_enrolment(head, code, date(2009, 6, 1))


def among(code, day, region, some, book):
    """Who of the households of `some` is found, where only they are asked about."""
    homes = [one.household_id for one in some] or [0]
    marks = ", ".join(["%s"] * len(homes))
    only = Sql(f"s.household_id IN ({marks})", tuple(homes))
    query = found_sql(code, day, region.path, book=book, among=only)
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.params)
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.parametrize("seed", range(4))
def test_every_policy_finds_the_people_worked_out_by_hand(seed, village, other_village, township):
    chance = random.Random(seed)
    for _ in range(80):
        household(chance, [village, other_village])
    # Everybody who departed or died is in it: whoever counts must find that out.
    seen = 0
    for day in DAYS:
        world, book = World(day), policy_book(day)
        for code, policy in catalogue.policies().items():
            units = found(code, day, township.path, book=book)
            expected = world.found(policy)
            assert {unit.resident_id for unit in units} == expected, (code, day)
            assert len(units) == len(expected)
            assert sum(count_by_village(code, day, township.path, book=book).values()) == len(units)
            seen += len(units)
            for unit in units[:2]:
                assert explain(unit.resident_id, code, day, book=book).candidate
            assert among(code, day, township, units[::3], book) == {
                u.resident_id
                for u in units
                if u.household_id in {one.household_id for one in units[::3]}
            }
            parts = [found(code, day, one.path, book=book) for one in (village, other_village)]
            assert sum(len(part) for part in parts) == len(units)
    assert seen > 300
