"""The look-ahead against what it stands for: finding everybody anew at each month's end."""

from datetime import date, timedelta
from random import Random

import pytest

from fpadmin.dates import month_end
from households.models import Resident
from subsidies.eligibility.finding import found
from subsidies.models import Enrolment
from subsidies.outlook.ahead import ENTER, LEAVE, ahead, months_of
from tests.factories.benefits import make_enrolment, switch_on
from tests.factories.households import make_birth, make_household, make_resident

DAYS = [date(2018, 10, 9), date(2020, 2, 29), date(2019, 12, 31)]
# Of each kind of unit one that turns by age: the person's own, the wife's, the child's, the parents'.
RULES = {
    "CN-RURAL": None,
    "CN-SPECIAL-DEATH": None,
    "SD-ONLY-CHILD": None,
    "YN-EXAM": ["registered_here", {"child_age": {"min": 15, "max": 17}}],
    "SD-DIBAO": ["registered_here", {"age": {"min": 59, "max": 60}}],
}

pytestmark = pytest.mark.django_db


def populate(random: Random, village, today: date, number: int) -> None:
    """Couples and single parents whose ages lie within a year or so of the limits."""
    for _ in range(number):
        household = make_household(village)
        people = []
        for sex, relation in (("男", "户主"), ("女", "配偶"))[: random.choice((1, 2, 2))]:
            years = random.choice((49, 60, 61))
            people.append(
                make_resident(
                    household, sex=sex, relation=relation, marital="初婚",
                    birth_date=near(random, today, years),
                    only_child_cert_no=random.choice(("", "Y1")),
                )
            )  # fmt: skip
        if len(people) == 2 and random.random() < 0.9:
            for one, other in (people, people[::-1]):
                Resident.objects.filter(pk=one.pk).update(spouse=other)
        father = people[0]
        mother = people[1] if len(people) == 2 else None
        for order in range(random.choice((1, 1, 2))):
            born = near(random, today, random.choice((15, 18, 30)))
            child = make_resident(household, relation="子", birth_date=born)
            dead = random.random() < 0.3
            make_birth(
                mother, born, father=father, order=order + 1, child=child, sex="男",
                **({"survival": "死亡", "death_date": today - timedelta(days=99)} if dead else {}),
            )  # fmt: skip


def near(random: Random, today: date, years: int) -> date:
    born = date(today.year - years, today.month, 28) + timedelta(days=random.randint(-60, 420))
    return random.choice((born, born.replace(day=1), month_end(born.year, born.month)))


@pytest.mark.parametrize("today", DAYS, ids=str)
@pytest.mark.parametrize("code", RULES)
def test_what_comes_is_what_two_findings_differ_by(clerk, village, county, code, today):
    criteria = RULES[code]
    switch_on(code, county, **({"criteria": criteria} if criteria else {}))
    populate(Random(f"{code} {today}"), village, today, 60)
    path = clerk.region.path
    for number, unit in enumerate(found(code, today, path)):
        if number % 2:
            make_enrolment(Resident.objects.get(pk=unit.resident_id), code)
    roll = set(Enrolment.objects.values_list("resident", flat=True))
    coming = ahead(clerk, code, path, today)

    before = {one.resident_id for one in found(code, today - timedelta(days=1), path)}
    seen = 0
    for month in months_of(today):
        after = {one.resident_id for one in found(code, month_end(month.year, month.month), path)}
        enters, leaves = (
            {one.resident_id for one in coming if one.side == side and one.month == month}
            for side in (ENTER, LEAVE)
        )
        assert (month, enters) == (month, (after - before) - roll)
        assert (month, leaves) == (month, (before - after) & roll)
        seen += len(enters) + len(leaves)
        before = after
    assert seen == len(coming) > 0


@pytest.mark.parametrize("code", RULES)
def test_each_comes_on_the_very_day(clerk, village, county, code):
    """Not found the day before it enters, found on the day; the other way round who leaves."""
    today, criteria = DAYS[0], RULES[code]
    switch_on(code, county, **({"criteria": criteria} if criteria else {}))
    populate(Random(code), village, today, 25)
    path = clerk.region.path
    for unit in found(code, today, path):
        make_enrolment(Resident.objects.get(pk=unit.resident_id), code)
    for one in ahead(clerk, code, path, today):
        on, before = (
            {unit.resident_id for unit in found(code, day, path)}
            for day in (one.day, one.day - timedelta(days=1))
        )
        assert (one, one.resident_id in on) == (one, one.side == ENTER)
        assert (one, one.resident_id in before) == (one, one.side == LEAVE)
