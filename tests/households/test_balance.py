"""The balance of a span against a plain recount, over random histories of a few people."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from fpadmin.reporting.registry import Span
from households.balance import compute_balance, people_of_balance
from households.indicators import (
    compute_births,
    compute_population,
    people_of_births,
    people_of_population,
)
from households.models import ChildRecord, Residency, Resident
from tests.factories.accounts import make_region
from tests.factories.households import make_birth, make_household, make_resident

SPAN = Span(date(2018, 9, 1), date(2018, 9, 30))
DAYS = st.integers(-6, 36).map(lambda n: SPAN.start + timedelta(days=n))


@st.composite
def people(draw):
    """(birth date, death date, spells): spells are (start, village number, end), apart in time."""
    born = draw(st.one_of(st.just(date(1990, 1, 1)), DAYS))
    died = draw(st.one_of(st.none(), DAYS.filter(lambda d: d >= born)))
    cuts = sorted(draw(st.lists(DAYS, min_size=1, max_size=4, unique=True)))
    starts = [draw(st.sampled_from([None, cuts[0]])), *cuts[1:]]
    ends = [*cuts[1:], None]
    kept = [
        (start, draw(st.integers(0, 2)), end)
        for start, end in zip(starts, ends, strict=True)
        if draw(st.integers(0, 3))
    ]
    return born, died, kept


births = st.tuples(
    DAYS,
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from([None, 0, 1, 2, 3, 4, 5]),
    st.booleans(),
)


class BalanceOfAnyHistory(TestCase):
    """Hypothesis needs the unittest form to roll each example back."""

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(people(), min_size=6, max_size=6), st.lists(births, max_size=5))
    def test_balance_holds_and_equals_its_lists(self, histories, records):
        villages = [make_region(f"53998100120{n}") for n in (1, 2)]
        villages.append(make_region("539981100201"))
        homes = [make_household(v) for v in villages]
        residents = [
            Resident(
                name="张三", sex="女", birth_date=born, death_date=died, household=homes[0],
                village=villages[0], relation="其他", hukou="农业", residence="常住", marital="未婚",
            )
            for born, died, _ in histories
        ]  # fmt: skip
        Resident.objects.bulk_create(residents)
        Residency.objects.bulk_create(
            Residency(
                resident=resident, household=homes[number], village=villages[number],
                relation="其他", residence="常住", hukou="农业", started_on=start, ended_on=end,
            )
            for resident, (_, _, spells) in zip(residents, histories, strict=True)
            for start, number, end in spells
        )  # fmt: skip
        for order, (born, mother, father, child, has_mother) in enumerate(records, 1):
            make_birth(
                residents[mother] if has_mother else None,
                born,
                father=residents[father],
                child=None if child is None else residents[child],
                order=order,
            )
        regions = [villages[0].parent, villages[2].parent, *villages, villages[0].parent.parent]
        figures = compute_balance(regions, SPAN)
        born = compute_births(regions, SPAN)
        population = compute_population(regions, SPAN)
        for region in regions:
            row = figures[region.code]
            births_here, deaths = born[region.code]["births"], population[region.code]["deaths"]
            assert row["closing"] == (
                row["opening"] + births_here + row["other_additions"] - deaths - row["other_losses"]
            )
            assert row["closing"] == population[region.code]["population"]
        for region in (villages[0], villages[0].parent):
            for code, number in figures[region.code].items():
                assert len(list(people_of_balance(code, region, SPAN))) == number
            deaths = people_of_population("deaths", region, SPAN)
            assert len(list(deaths)) == population[region.code]["deaths"]
            births_here = people_of_births("births", region, SPAN)
            assert len(list(births_here)) == born[region.code]["births"]
        for number, village in enumerate(villages):
            assert figures[village.code] == recounted(histories, records, number)
        for parent in (villages[0].parent, villages[0].parent.parent):
            below = [v for v in villages if v.path.startswith(parent.path)]
            for code, number in figures[parent.code].items():
                assert number == sum(figures[v.code][code] for v in below)


def recounted(histories, records, village):
    """The sets of balance.py's docstring, one person after another."""

    def where(history, day):
        for start, number, end in history[2]:
            if (start is None or start <= day) and (end is None or end > day):
                return number
        return None

    def living_in(day):
        return {
            n
            for n, h in enumerate(histories)
            if where(h, day) == village and h[0] <= day and (h[1] is None or h[1] > day)
        }

    opening, closing = living_in(SPAN.start - timedelta(days=1)), living_in(SPAN.as_of)
    dead = {
        n
        for n, h in enumerate(histories)
        if h[1] and SPAN.start <= h[1] <= SPAN.as_of and where(h, h[1]) == village
    }
    born = []
    for day, mother, father, child, has_mother in records:
        place = where(histories[mother], day) if has_mother else None
        place = where(histories[father], day) if place is None else place
        if SPAN.start <= day <= SPAN.as_of and place == village:
            born.append(child)
    children = set(born) - {None}
    arrived = (closing | dead) - opening - children
    brought = children & ((closing | dead) - opening)
    return {
        "opening": len(opening),
        "other_additions": len(arrived),
        "other_losses": len(opening - closing - dead) + len(born) - len(brought),
        "births_not_registered": len(born) - len(brought),
        "closing": len(closing),
    }


def test_overlapping_spells_are_refused_so_that_nobody_counts_twice(village):
    resident = make_resident(make_household(village))
    with pytest.raises(IntegrityError), transaction.atomic():
        Residency.objects.create(
            resident=resident, household=resident.household, village=village, relation="户主",
            residence="常住", hukou="农业", started_on=date(2018, 9, 3),
        )  # fmt: skip


def test_births_not_registered_says_why(village):
    mother = make_resident(make_household(village), "王芳", sex="女")
    make_birth(mother, date(2018, 9, 3), child_name="张安", order=1)
    make_birth(
        mother,
        date(2018, 9, 4),
        child_name="张宁",
        order=2,
        survival="死亡",
        death_date=date(2018, 9, 5),
    )
    assert ChildRecord.objects.count() == 2
    rows = list(people_of_balance("other_losses", village, SPAN))
    assert [(r.name, r.facts["原因"]) for r in rows] == [
        ("张安", "出生后尚未登记为居民"),
        ("张宁", "出生后死亡，没有登记为居民"),
    ]


def test_child_recorded_twice_counts_once_as_new(village):
    """Born to the mother and again to a single father: the second record brings nobody."""
    home = make_household(village)
    mother = make_resident(home, "王芳", sex="女", relation="配偶")
    father = make_resident(home, "张伟")
    child = make_resident(home, "张安", birth_date=date(2018, 9, 3), relation="子")
    make_birth(mother, date(2018, 9, 3), child=child, child_name="张安")
    make_birth(None, date(2018, 9, 3), father, child=child, child_name="张安")
    row = compute_balance([village], SPAN)[village.code]
    assert (row["opening"], row["closing"]) == (2, 3)
    assert (row["other_additions"], row["other_losses"]) == (0, 1)


def test_child_registered_in_another_village_is_a_loss_here_and_an_addition_there(
    village, other_village
):
    mother = make_resident(make_household(village), "王芳", sex="女")
    child = make_resident(make_household(other_village), "张安", birth_date=date(2018, 9, 3))
    make_birth(mother, date(2018, 9, 3), child=child, child_name="张安")
    figures = compute_balance([village, other_village, village.parent], SPAN)
    assert figures[village.code]["other_losses"] == 1
    assert figures[other_village.code]["other_additions"] == 1
    assert figures[village.parent.code]["closing"] == 2
    (lost,) = people_of_balance("other_losses", village, SPAN)
    assert lost.facts["原因"].startswith("出生后登记在别处")


def test_somebody_who_came_and_died_within_the_month_is_both(village):
    guest = make_resident(make_household(village), "客人", death_date=date(2018, 9, 20))
    Residency.objects.filter(resident=guest).update(started_on=date(2018, 9, 10))
    row = compute_balance([village], SPAN)[village.code]
    assert row == {
        "opening": 0, "other_additions": 1, "other_losses": 0, "births_not_registered": 0, "closing": 0,
    }  # fmt: skip
    assert compute_population([village], SPAN)[village.code]["deaths"] == 1
