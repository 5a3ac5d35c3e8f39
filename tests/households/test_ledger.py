"""The ledger against a plain recount, over random histories written straight into the tables."""

import os
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from fpadmin.reporting.registry import Span
from households.balance import compute_balance
from households.indicators import compute_births, compute_population
from households.ledger import ADDED, CLASSES, COLUMNS, TAKEN, code_of, compute_ledger
from households.ledger_lists import people_of_ledger
from households.models import Residency, Resident
from tests.factories.accounts import make_region
from tests.factories.households import make_birth, make_household, make_resident

SPAN = Span(date(2018, 9, 1), date(2018, 9, 30))
DAYS = st.integers(-6, 36).map(lambda n: SPAN.start + timedelta(days=n))
STATES = [("农业", "常住"), ("非农业", "常住"), ("农业", "流入"), ("农业", "流出")]
# What a night's run multiplies; a commit's is short.
MORE = int(os.environ.get("HISTORY_EXAMPLES", "1"))
SAME = {
    "population": "closing", "hukou_agricultural": "closing_farming",
    "hukou_non_agricultural": "closing_urban", "inflow": "closing_inflow",
}  # fmt: skip


@st.composite
def people(draw):
    """(sex, birth date, death date, spells): spells are (start, village, state, end), apart in time."""
    born = draw(st.one_of(st.just(date(1990, 1, 1)), DAYS))
    died = draw(st.one_of(st.none(), DAYS.filter(lambda d: d >= born)))
    cuts = sorted(draw(st.lists(DAYS, min_size=1, max_size=4, unique=True)))
    starts = [draw(st.sampled_from([None, cuts[0]])), *cuts[1:]]
    kept = [
        (start, draw(st.integers(0, 2)), draw(st.sampled_from(STATES)), end)
        for start, end in zip(starts, [*cuts[1:], None], strict=True)
        if draw(st.integers(0, 3))
    ]
    return draw(st.sampled_from("男女")), born, died, kept


births = st.tuples(
    DAYS,
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from([None, 0, 1, 2, 3, 4, 5]),
    st.booleans(),
    st.sampled_from("男女"),
)


class LedgerOfAnyHistory(TestCase):
    """Hypothesis needs the unittest form to roll each example back."""

    @settings(max_examples=12 * MORE, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(people(), min_size=6, max_size=6), st.lists(births, max_size=5))
    def test_ledger_balances_in_every_class_and_equals_its_lists(self, histories, records):
        villages = [make_region(f"53998100120{n}") for n in (1, 2)]
        villages.append(make_region("539981100201"))
        township, county = villages[0].parent, villages[0].parent.parent
        write(histories, records, villages)
        regions = [township, villages[2].parent, *villages, county]
        figures = compute_ledger(regions, SPAN)
        born, known = compute_births(regions, SPAN), compute_population(regions, SPAN)
        whole = compute_balance(regions, SPAN)
        for region in regions:
            row = figures[region.code]
            for key in CLASSES:
                assert row[code_of("closing", key)] == balanced(row, key), (region.code, key)
            for code, name in SAME.items():
                column, _, key = name.partition("_")
                assert row[code_of(column, key or "all")] == known[region.code][code]
            assert row[code_of("deaths")] == known[region.code]["deaths"]
            assert row[code_of("births")] == born[region.code]["births"]
            assert row[code_of("births", "male")] == born[region.code]["births_boys"]
            gained = row[code_of("moved_in")] + row[code_of("other_additions")]
            assert gained == whole[region.code]["other_additions"]
        for code, number in figures[villages[0].code].items():
            if number or code.endswith("_all"):
                assert len(list(people_of_ledger(code, villages[0], SPAN))) == number, code
        for number, village in enumerate(villages):
            assert ends(figures[village.code]) == recounted(histories, number)
        for parent in (township, county):
            below = [v for v in villages if v.path.startswith(parent.path)]
            for code, number in figures[parent.code].items():
                assert number == sum(figures[v.code][code] for v in below)


def write(histories, records, villages):
    """The people, their spells and the births, without any event."""
    homes = [make_household(v) for v in villages]
    residents = [
        Resident(
            name="张三", sex=sex, birth_date=born, death_date=died, household=homes[0],
            village=villages[0], relation="其他", hukou="农业", residence="常住", marital="未婚",
        )
        for sex, born, died, _ in histories
    ]  # fmt: skip
    Resident.objects.bulk_create(residents)
    Residency.objects.bulk_create(
        Residency(
            resident=resident, household=homes[number], village=villages[number],
            relation="其他", hukou=hukou, residence=residence, started_on=start, ended_on=end,
        )
        for resident, (*_, spells) in zip(residents, histories, strict=True)
        for start, number, (hukou, residence), end in spells
    )  # fmt: skip
    for order, (day, mother, father, child, has_mother, sex) in enumerate(records, 1):
        make_birth(
            residents[mother] if has_mother else None,
            day,
            father=residents[father],
            child=None if child is None else residents[child],
            order=order,
            sex=sex,
        )


def balanced(row, key):
    """What the closing of a class must be."""
    added = sum(row[code_of(column, key)] for column in ("opening", *ADDED))
    return added - sum(row[code_of(column, key)] for column in TAKEN)


def ends(row):
    return {(c, k): row[code_of(c, k)] for c in ("opening", "closing") for k in CLASSES}


def recounted(histories, village):
    """Opening and closing of every class, one person after another."""

    def state(history, day):
        sex, born, died, spells = history
        if born > day or (died and died <= day):
            return None
        for start, number, (hukou, residence), end in spells:
            if (start is None or start <= day) and (end is None or end > day):
                return (
                    (sex, "流入" if residence == "流入" else hukou) if number == village else None
                )
        return None

    found = {}
    for column, day in (("opening", SPAN.start - timedelta(days=1)), ("closing", SPAN.as_of)):
        here = [s for s in (state(h, day) for h in histories) if s]
        for key, word in CLASSES.items():
            found[column, key] = len([s for s in here if key == "all" or word in s])
    return found


def only(figures, **expected):
    """Whether these cells of class 合计 are as told and all others zero."""
    return {c: figures[code_of(c)] for c in COLUMNS if figures[code_of(c)]} == expected


@pytest.mark.django_db
def test_hukou_change_in_the_village_moves_between_the_classes(village):
    resident = make_resident(make_household(village))
    Residency.objects.filter(resident=resident).update(ended_on=date(2018, 9, 10))
    Residency.objects.create(
        resident=resident, household=resident.household, village=village, relation="户主",
        residence="常住", hukou="非农业", started_on=date(2018, 9, 10), reason="户口变更",
    )  # fmt: skip
    row = compute_ledger([village], SPAN)[village.code]
    assert only(row, opening=1, closing=1)
    assert row[code_of("other_losses", "farming")] == 1
    assert row[code_of("other_additions", "urban")] == 1
    assert row[code_of("moved_in", "urban")] == row[code_of("moved_out", "farming")] == 0
    (lost,) = people_of_ledger(code_of("other_losses", "farming"), village, SPAN)
    (won,) = people_of_ledger(code_of("other_additions", "urban"), village, SPAN)
    assert lost.facts["原因"] == won.facts["原因"] == "户口性质或居住状态变更"


@pytest.mark.django_db
def test_ledger_costs_the_same_queries_for_one_village_as_for_two(
    village, other_village, assert_query_count_does_not_grow
):
    regions = [village]
    make_resident(make_household(village))

    def grow():
        regions.extend([other_village, village.parent])
        make_resident(make_household(other_village))

    assert_query_count_does_not_grow(lambda: compute_ledger(regions, SPAN), grow)
