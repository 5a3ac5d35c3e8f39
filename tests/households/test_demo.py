"""Invented registries: what they promise, on both databases."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from io import StringIO
from random import Random

import pytest
from django.core.management import call_command

from fpadmin import invariants
from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Role
from fpadmin.audit.models import AuditEvent
from fpadmin.dates import age_on
from fpadmin.identity import parse_id_number
from fpadmin.imports.models import ImportBatch
from fpadmin.reporting.registry import Span
from households.demo import places, township
from households.demo.people import IdNumbers
from households.demo.population import Village, families
from households.indicators import compute_births, compute_population
from households.models import (
    ChildRecord,
    ContactRecord,
    Household,
    Residency,
    Resident,
    SpecialFamily,
)
from households.special import criteria
from tests.factories.accounts import make_region
from tests.factories.households import make_household, make_resident

TODAY = date(2018, 10, 9)


def village_of(count: int, seed: int = 1):
    return list(families(Village(Random(seed), "539901", TODAY, IdNumbers()), count))


@pytest.fixture(scope="module")
def invented():
    return village_of(3_000)


def demo(*arguments) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("demo", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


# The generator ---------------------------------------------------------------------------------


def test_families_hold_exactly_the_people_asked_for(invented):
    assert sum(len(family.people) for family in invented) == 3_000
    assert [f.number for f in invented[:2]] == ["00001", "00002"]


def test_same_seed_gives_the_same_people_and_another_gives_others():
    def names(seed):
        return [person.name for family in village_of(200, seed) for person in family.people]

    assert names(7) == names(7)
    assert names(7) != names(8)


def test_every_number_is_valid_unique_and_of_a_county_never_issued(invented):
    everybody = [p for family in invented for p in family.people]
    children = [b.child for family in invented for b in family.births]
    numbers = Counter(p.id_number for p in {*everybody, *children} if p.id_number)
    assert max(numbers.values()) == 1
    assert {number[2:4] for number in numbers} == {"99"}
    for person in everybody:
        if person.id_number:
            known = parse_id_number(person.id_number, today=TODAY)
            assert (known.birth_date, known.sex) == (person.birth_date, person.sex)


def test_only_babies_lack_a_number(invented):
    without = [p for family in invented for p in family.people if not p.id_number]
    assert all(age_on(p.birth_date, TODAY) == 0 for p in without)


def test_each_household_has_one_living_head(invented):
    for family in invented:
        heads = [p for p in family.people if p.relation == "户主" and not p.death_date]
        assert len(heads) == 1, family.number


def test_couples_point_at_each_other_and_married_at_lawful_ages(invented):
    ages = {"男": 22, "女": 20}
    married = [p for family in invented for p in family.people if p.first_marriage_date]
    assert len(married) > 1_000
    for person in married:
        assert person.spouse is None or person.spouse.spouse in (person, None)
        assert age_on(person.birth_date, person.first_marriage_date) >= ages[person.sex]
        assert person.first_marriage_date <= TODAY


def test_birth_histories_are_in_step_with_dates_and_mothers_ages(invented):
    for family in invented:
        by_mother: dict = {}
        for birth in family.births:
            by_mother.setdefault(id(birth.mother), []).append(birth)
            assert 12 <= age_on(birth.mother.birth_date, birth.child.birth_date) <= 60
            assert birth.child.birth_date <= TODAY
        for births in by_mother.values():
            assert [b.order for b in births] == list(range(1, len(births) + 1))
            assert births == sorted(births, key=lambda b: b.child.birth_date)


def test_all_kinds_of_cases_occur(invented):
    people = [p for family in invented for p in family.people]
    births = [b for family in invented for b in family.births]
    assert {p.residence for p in people} == {"常住", "流入", "流出"}
    assert {p.hukou for p in people} == {"农业", "非农业"}
    assert {p.marital for p in people} >= {"未婚", "初婚", "再婚", "丧偶", "离婚"}
    assert any(p.death_date for p in people)
    assert any(p.only_child_cert_no for p in people)
    assert any(b.death_date for b in births)
    assert any(b.disability_grade for b in births)
    assert any(not b.child.registered for b in births)
    assert all(p.hukou_region_code for p in people if p.residence == "流入")


def test_adoption_occurs_in_a_larger_place():
    births = [b for f in village_of(6_000) for b in f.births]
    assert any(b.origin == "收养" for b in births)


def test_numbers_run_out_loudly():
    numbers = IdNumbers()
    issued = {numbers.issue("539901", TODAY, "女") for _ in range(499)}
    assert len(issued) == 499
    with pytest.raises(ValueError, match="539901"):
        numbers.issue("539901", TODAY, "女")


@pytest.mark.parametrize("residents", [1, 1_900, 16_000, 1_000_000])
def test_plan_gives_parents_first_and_everybody_a_village(residents):
    plan = list(places.plan(residents))
    assert sum(p.people for p in plan) == residents
    codes = [p.code for p in plan]
    assert len(codes) == len(set(codes))
    assert places.LUBIAO_COUNTY not in codes
    assert all(p.people for p in plan if p.level == 5)


def test_plan_grows_from_a_village_to_counties():
    levels = Counter(p.level for p in places.plan(1_000_000))
    assert (levels[3], levels[4], levels[5]) == (7, 66, 527)


@pytest.mark.parametrize("residents", [0, -5, 10**9])
def test_plan_refuses_impossible_sizes(residents):
    with pytest.raises(ValueError, match="人数"):
        list(places.plan(residents))


# The command -----------------------------------------------------------------------------------


def test_invented_registry_is_whole_and_audited(db, settings):
    settings.DEMO = True
    status, printed = demo("--residents", "2500", "--json")
    answer = json.loads(printed)
    assert status == 0
    assert answer["residents"] == Resident.objects.count() == 2_500
    assert answer["households"] == Household.objects.count()
    assert answer["births"] == ChildRecord.objects.count()
    assert Residency.objects.filter(ended_on__isnull=True).count() == 2_500
    assert Resident.objects.filter(spouse__isnull=False).count() > 800
    assert Resident.objects.filter(mother__isnull=False).count() > 400
    moment = datetime(2018, 10, 9, 4, tzinfo=UTC)
    assert [r.findings for r in invariants.check_all(moment) if not r.ok] == []
    event = AuditEvent.objects.get(type="demo.loaded")
    assert (event.actor, event.count) == ("系统：演示数据", 2_500)


def test_invented_special_families_meet_the_criteria_and_are_looked_after(db, settings):
    settings.DEMO = True
    answer = json.loads(demo("--residents", "6000", "--json")[1])
    families = SpecialFamily.objects.all()
    assert 2 <= families.count() == answer["archives"]
    kinds = dict(families.values_list("household", "kind"))
    found = criteria.found(TODAY).values_list("household", "found_kind")
    assert {home: kind for home, kind in found if home in kinds} == kinds
    for family in families:
        assert family.parents.exists()
        assert {term.started_on for term in family.contacts.all()} == {family.opened_on}
        kinds_named = family.contacts.values_list("person__kind", flat=True)
        assert sorted(kinds_named) == ["村居干部", "街道领导", "计生专干"]
    records = ContactRecord.objects.count()
    assert 6 * families.count() <= records <= 13 * families.count()
    visible = SpecialFamily.objects.visible_to(User.objects.get(role=Role.PROPAGANDIST))
    assert visible.exists()


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_even_a_small_place_has_a_family_for_the_propagandist(db, settings, seed):
    settings.DEMO = True
    demo("--residents", "300", "--seed", seed)
    user = User.objects.get(role=Role.PROPAGANDIST)
    assert SpecialFamily.objects.visible_to(user).count() >= 1
    event = AuditEvent.objects.get(type="special.person_changed")
    assert (event.actor, event.changes) == ("系统：演示数据", {"fields": ["user"]})
    demo("--residents", "300")
    assert AuditEvent.objects.filter(type="special.person_changed").count() == 1


def test_second_run_changes_nothing_and_says_so(db, settings):
    settings.DEMO = True
    demo("--residents", "300")
    before = Resident.objects.count(), User.objects.count(), Region.objects.count()
    status, printed = demo("--residents", "300")
    assert status == 0
    assert "没有改动" in printed
    assert (Resident.objects.count(), User.objects.count(), Region.objects.count()) == before


def test_accounts_one_per_role_that_can_work_at_once(db, settings):
    settings.DEMO = True
    demo("--residents", "300")
    assert sorted(User.objects.values_list("role", flat=True)) == sorted(Role.values)
    assert not User.objects.filter(must_change_password=True).exists()


def test_no_accounts_outside_the_demonstration(db, settings):
    settings.DEMO = False
    status, printed = demo("--residents", "300")
    assert status == 0
    assert "FPADMIN_DEMO" in printed
    assert not User.objects.exists()


def test_database_with_real_residents_is_refused(db, settings):
    settings.DEMO = True
    make_resident(make_household(make_region("530181001201")))
    for arguments in ((), ("--residents", "300")):
        status, printed = demo(*arguments, "--json")
        assert status == 1
        assert "已有单位的居民登记" in json.loads(printed)["error"]
    assert Resident.objects.count() == 1
    assert not User.objects.exists()


def test_two_demonstrations_are_not_mixed(db):
    demo("--residents", "300")
    status, printed = demo()
    assert status == 1
    assert "另一套演示数据" in printed


def test_impossible_size_is_refused_with_a_sentence(db):
    status, printed = demo("--residents", "0", "--json")
    assert status == 1
    assert "人数" in json.loads(printed)["error"]


# The report of 12 December 2018 on the statistical year 2018.
PUBLISHED = {
    "population": 15_142, "hukou_agricultural": 11_841, "hukou_non_agricultural": 1_351,
    "inflow": 1_950, "households": 5_756, "women_married_15_49": 2_630,
    "women_married_15_49_agricultural": 2_039, "women_married_15_49_non_agricultural": 166,
    "women_married_15_49_inflow": 425, "only_child_certificates": 621, "deaths": 85,
    "births": 163, "births_boys": 87, "births_girls": 76, "births_order_1": 76,
    "births_order_2": 80, "births_order_3_plus": 7, "births_within_policy": 163,
}  # fmt: skip


def assert_published_figures():
    """For the township as a whole, and summed from its villages."""
    office = Region.objects.get(code=township.OFFICE)
    regions = [office, *Region.objects.children_of(office)]
    span = Span(date(2017, 10, 1), date(2018, 9, 30))
    population, births = compute_population(regions, span), compute_births(regions, span)
    figures = {region.code: population[region.code] | births[region.code] for region in regions}
    whole = figures.pop(office.code)
    assert {code: whole[code] for code in PUBLISHED} == PUBLISHED
    assert (whole["within_policy_rate"], round(whole["sex_ratio_at_birth"], 2)) == (100, 114.47)
    assert len(figures) == 8
    summed = {code: sum(village[code] for village in figures.values()) for code in PUBLISHED}
    assert summed == PUBLISHED


def assert_special_families():
    """The report's five families; each of two went a month without a contact."""
    families = SpecialFamily.objects.order_by("pk")
    places = Counter(families.values_list("household__village__name", flat=True))
    assert places == {"庄科村": 2, "安丰营村": 1, "禄脿社区": 2}
    assert Counter(f.kind for f in families) == {"死亡": 3, "伤残": 2}
    assert ContactRecord.objects.count() == 43
    months = {
        (place, day.month)
        for place, family in enumerate(families, start=1)
        for day in family.contacts.values_list("records__happened_on", flat=True)
    }
    every = {(place, month) for place in range(1, 6) for month in range(1, 10)}
    assert every - months == {(2, 5), (4, 7)}
    assert all(f.parents.count() == 2 and f.contacts.count() == 3 for f in families)
    propagandist = User.objects.get(role=Role.PROPAGANDIST)
    assert list(SpecialFamily.objects.visible_to(propagandist)) == [families[0]]


def test_township_of_2018_gives_the_published_figures_and_comes_in_once(db, settings):
    settings.DEMO = True
    status, printed = demo("--json")
    answer = json.loads(printed)
    assert status == 0
    assert answer["kinds"]["residents"] == {"rows": 15_227, "created": 15_227}
    assert answer["kinds"]["births"] == {"rows": 7_788, "created": 7_788}
    assert Resident.objects.count() == 15_227
    assert ImportBatch.objects.filter(state="committed").count() == len(answer["kinds"])
    assert_published_figures()
    assert_special_families()
    someone = Resident.objects.order_by("pk").first()
    Resident.objects.filter(pk=someone.pk).update(education="博士")
    status, printed = demo("--json")
    assert json.loads(printed)["kinds"]["residents"] == {"rows": 15_227, "created": 0}
    someone.refresh_from_db()
    assert someone.education == "博士"


def test_every_workbook_of_the_township_is_shipped():
    assert {path.stem for path in township.FOLDER.glob("*.xlsx")} >= {
        "regions", "residents", "births", "special_families", "contacts", "enrolments", "migrants",
        "migrant_checks", "institutions", "agreements", "doctor_contracts", "worklog",
    }  # fmt: skip
