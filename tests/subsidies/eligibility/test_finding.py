"""Who is found, with people exactly on each boundary; and that explaining agrees with finding."""

from datetime import date, timedelta

import pytest

from households.models import LowIncomeSpell, Resident
from subsidies.eligibility.explaining import explain
from subsidies.eligibility.finding import count_by_village, found, found_ids
from subsidies.eligibility.months import start_month, usual_day
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.households import make_birth, make_household, make_resident
from tests.factories.special import make_bereaved

pytestmark = pytest.mark.django_db
DAY = date(2018, 12, 31)


def names(code, region, day=DAY):
    keys = [unit.resident_id for unit in found(code, day, region.path)]
    assert len(keys) == len(set(keys))
    return sorted(Resident.objects.filter(pk__in=keys).values_list("name", flat=True))


def keys_of(code, region, day=DAY):
    return {unit.resident_id for unit in found(code, day, region.path)}


def widow(village, **values):
    """A woman with one living son, who meets CN-RURAL but for what `values` change."""
    person = make_resident(
        make_household(village), "宋桂兰",
        **({"sex": "女", "marital": "丧偶", "birth_date": date(1950, 3, 4)} | values),
    )  # fmt: skip
    make_birth(person, date(1975, 1, 2), sex="男")
    return person


def test_couple_of_sixty_with_one_daughter_is_found_both(village, township):
    couple = make_old_couple(village)
    assert keys_of("CN-RURAL", township) == {one.pk for one in couple}


@pytest.mark.parametrize(
    ("born", "holds"),
    [
        (date(1932, 12, 31), False),
        (date(1933, 1, 1), True),
        (date(1958, 12, 30), True),
        (date(1958, 12, 31), True),  # sixty on the day
        (date(1959, 1, 1), False),  # sixty tomorrow
    ],
)
def test_age_and_birth_bounds_are_included(village, born, holds):
    person = widow(village, birth_date=born)
    assert (person.pk in keys_of("CN-RURAL", village)) is holds


def test_born_on_29_february_completes_sixty_on_1_march(village):
    person = widow(village, birth_date=date(1956, 2, 29))
    assert keys_of("CN-RURAL", village, date(2016, 2, 29)) == {person.pk}
    leap = widow(village, birth_date=date(1948, 2, 29))
    day = date(2008, 2, 28)
    assert leap.pk not in keys_of("CN-RURAL", village, day)
    assert leap.pk in keys_of("CN-RURAL", village, day + timedelta(days=1))


@pytest.mark.parametrize(
    "changed",
    [{"hukou": "非农业"}, {"residence": "流入"}, {"death_date": DAY}],
    ids=["urban", "inflow", "died on the day"],
)
def test_who_is_not_a_rural_resident_here_is_not_found(village, changed):
    person = widow(village, **changed)
    assert person.pk not in keys_of("CN-RURAL", village)


def test_outflow_and_a_death_after_the_day_count_as_here(village):
    away = widow(village, residence="流出")
    later = widow(village, death_date=DAY + timedelta(days=1))
    assert keys_of("CN-RURAL", village) == {away.pk, later.pk}


def test_urban_spouse_keeps_a_rural_one_out_unless_the_county_admits_mixed_couples(village, county):
    head, wife = make_old_couple(village)
    head.residencies.update(hukou="非农业")
    assert keys_of("CN-RURAL", village) == set()
    entries = catalogue.as_entries(catalogue.policy("CN-RURAL").criteria)
    switch_on(
        "CN-RURAL", county,
        criteria=[e for e in entries if e != {"spouse_hukou": "农业"}],
    )  # fmt: skip
    assert keys_of("CN-RURAL", village) == {wife.pk}


def test_spouse_who_died_or_left_by_divorce_no_longer_counts(village):
    head, wife = make_old_couple(village)
    head.residencies.update(hukou="非农业")
    Resident.objects.filter(pk=head.pk).update(death_date=DAY)
    assert keys_of("CN-RURAL", village) == {wife.pk}
    Resident.objects.filter(pk=head.pk).update(death_date=None)
    Resident.objects.filter(pk=wife.pk).update(marital="离婚")
    assert keys_of("CN-RURAL", village) == {wife.pk}


@pytest.mark.parametrize(
    ("children", "holds"),
    [
        (["女"], True),
        (["男"], True),
        (["女", "女"], True),
        (["女", "男"], False),
        (["女", "女", "女"], False),
        ([], False),
    ],
)
def test_living_children_are_one_or_two_girls(village, children, holds):
    person = make_resident(make_household(village), "宋桂兰", sex="女", birth_date=date(1950, 3, 4))
    for order, sex in enumerate(children, start=1):
        make_birth(person, date(1972 + order * 2, 1, 2), sex=sex, order=order)
    assert (person.pk in keys_of("CN-RURAL", village)) is holds


def test_dead_child_counts_as_had_and_not_as_living(village):
    person = make_resident(make_household(village), "宋桂兰", sex="女", birth_date=date(1950, 3, 4))
    make_birth(person, date(1974, 1, 2), sex="男", survival="死亡", death_date=DAY)
    make_birth(person, date(1976, 1, 2), sex="男", order=2)
    assert person.pk in keys_of("CN-RURAL", village)
    assert person.pk not in keys_of("CN-RURAL", village, DAY - timedelta(days=1))


@pytest.mark.parametrize(
    ("born", "within", "holds"),
    [
        (date(1973, 1, 1), False, False),
        (date(2001, 12, 31), False, False),
        (date(1972, 12, 31), False, True),
        (date(2002, 1, 1), False, True),
        (date(1973, 1, 1), True, True),
    ],
)
def test_birth_outside_policy_keeps_out_within_the_window(village, born, within, holds):
    father = make_resident(make_household(village), "陶有田", birth_date=date(1950, 3, 4))
    make_birth(None, born, father, within_policy=within)
    assert (father.pk in keys_of("CN-RURAL", village)) is holds


def test_adopted_only_child_counts(village):
    person = make_resident(make_household(village), "陶有田", birth_date=date(1950, 3, 4))
    make_birth(None, date(1980, 1, 2), person, origin="收养")
    assert keys_of("CN-RURAL", village) == {person.pk}


def test_bereaved_parents_are_found_by_the_wifes_age(village):
    head, wife = make_bereaved(village)
    Resident.objects.filter(pk=wife.pk).update(birth_date=date(1969, 12, 31))
    Resident.objects.filter(pk=head.pk).update(birth_date=date(1975, 1, 1))
    assert keys_of("CN-SPECIAL-DEATH", village) == {head.pk, wife.pk}
    assert keys_of("CN-SPECIAL-DEATH", village, DAY - timedelta(days=1)) == set()


@pytest.mark.parametrize(
    ("grade", "certified", "holds"),
    [
        ("三级", date(2018, 12, 31), True),
        ("三级", date(2019, 1, 1), False),
        ("四级", date(2010, 1, 1), False),
        ("一级", None, True),
        ("", None, False),
    ],
)
def test_disability_counts_from_its_certification_to_the_third_grade(
    village, grade, certified, holds
):
    parents = make_bereaved(village, died=None, disability_grade=grade, disability_date=certified)
    expected = {one.pk for one in parents} if holds else set()
    assert keys_of("CN-SPECIAL-DISABLED", village) == expected


def test_couple_is_one_line_named_after_the_wife_and_a_single_parent_after_himself(village):
    child = {"birth_date": date(2010, 1, 1)}
    head, wife = make_old_couple(village, born=date(1985, 1, 1), **child)
    Resident.objects.filter(pk=head.pk).update(only_child_cert_no="光1")
    single = make_resident(
        make_household(village), "单身父", birth_date=date(1985, 1, 1), only_child_cert_no="光2"
    )
    make_birth(None, date(2010, 1, 1), single)
    assert keys_of("SD-ONLY-CHILD", village) == {wife.pk, single.pk}


@pytest.mark.parametrize(("born", "holds"), [(date(2001, 1, 1), True), (date(2000, 12, 31), False)])
def test_child_is_under_eighteen_until_the_birthday(village, born, holds):
    single = make_resident(
        make_household(village), "单身父", birth_date=date(1975, 1, 1), only_child_cert_no="光2"
    )
    make_birth(None, born, single)
    assert (single.pk in keys_of("SD-ONLY-CHILD", village)) is holds


def test_certificate_of_a_dead_spouse_counts_and_a_later_one_does_not(village):
    head, wife = make_old_couple(village, hukou="非农业")
    Resident.objects.filter(pk=wife.pk).update(employment="无业", marital="丧偶")
    Resident.objects.filter(pk=head.pk).update(
        only_child_cert_no="光1", death_date=date(2015, 1, 1), only_child_cert_date=DAY
    )
    assert keys_of("SD-URBAN", village) == {wife.pk}
    Resident.objects.filter(pk=head.pk).update(only_child_cert_date=DAY + timedelta(days=1))
    assert keys_of("SD-URBAN", village) == set()


def test_drawing_an_excluding_benefit_on_the_day_keeps_out(village):
    head, _ = make_old_couple(village, hukou="非农业")
    Resident.objects.filter(pk=head.pk).update(employment="无业", only_child_cert_no="光1")
    line = make_enrolment(head, "SD-PENSION", date(2018, 12, 1))
    assert head.pk not in keys_of("SD-URBAN", village)
    line.end_month, line.end_reason = date(2018, 11, 1), "其他"
    line.start_month = date(2018, 1, 1)
    line.save()
    assert head.pk in keys_of("SD-URBAN", village)


def test_family_is_named_after_its_living_head_whoever_meets_the_criteria(village):
    household = make_household(village)
    head = make_resident(household, "老户主", birth_date=date(1940, 1, 1))
    daughter = make_resident(
        household, "女儿", sex="女", relation="女", birth_date=date(1985, 1, 1),
        only_child_cert_no="光1",
    )  # fmt: skip
    make_birth(daughter, date(2010, 1, 1))
    units = found("YN-LUMP", DAY, village.path)
    assert [(u.resident_id, u.through_id) for u in units] == [(head.pk, daughter.pk)]
    assert explain(head, "YN-LUMP", DAY).through == daughter


def test_household_on_low_income_on_the_day(village):
    head, wife = make_old_couple(village)
    spell = LowIncomeSpell.objects.create(household=head.household, started_on=DAY)
    assert keys_of("LOCAL-DIBAO", village) == {head.pk}
    assert keys_of("LOCAL-DIBAO", village, DAY - timedelta(days=1)) == set()
    spell.ended_on = DAY + timedelta(days=1)
    spell.save()
    assert keys_of("LOCAL-DIBAO", village, DAY + timedelta(days=1)) == set()


def test_child_policy_names_the_living_only_child(village, other_village):
    mother = make_resident(
        make_household(village), "母亲", sex="女", birth_date=date(1980, 1, 1),
        only_child_cert_no="光1",
    )  # fmt: skip
    pupil = make_resident(
        make_household(other_village), "小学生", birth_date=date(2008, 1, 1), relation="子"
    )
    make_birth(mother, date(2008, 1, 1), child=pupil)
    assert keys_of("YN-SCHOLARSHIP", other_village) == {pupil.pk}
    assert keys_of("YN-SCHOLARSHIP", village) == set()
    case = explain(pupil, "YN-SCHOLARSHIP", DAY)
    assert case.candidate
    assert not case.qualifies
    assert case.through == mother
    attested = explain(pupil, "YN-SCHOLARSHIP", DAY, attested={"在校学段": "小学"})
    assert attested.qualifies


def test_villages_sum_to_the_township_and_places_with_their_own_rule_keep_it(
    village, other_village, township
):
    make_old_couple(village)
    make_old_couple(other_village, girls=2)
    young = widow(other_village, birth_date=date(1963, 1, 1))
    entries = catalogue.as_entries(catalogue.policy("CN-RURAL").criteria)
    switch_on(
        "CN-RURAL", other_village,
        criteria=[{"age": {"min": 55}} if "age" in e else e for e in entries],
    )  # fmt: skip
    counts = count_by_village("CN-RURAL", DAY, township.path)
    assert counts == {village.pk: 2, other_village.pk: 3}
    assert len(found("CN-RURAL", DAY, township.path)) == sum(counts.values())
    assert young.pk in keys_of("CN-RURAL", township)
    ids = found_ids("CN-RURAL", DAY, township.path)
    assert Resident.objects.filter(pk__in=ids).count() == 5


def test_explaining_agrees_with_finding_for_every_policy_and_person(village, township):
    make_old_couple(village)
    make_bereaved(village)
    make_bereaved(village, died=None, disability_grade="二级")
    widow(village, hukou="非农业", only_child_cert_no="光3", employment="无业")
    book = policy_book(DAY)
    for code, policy in catalogue.policies().items():
        units = {u.resident_id for u in found(code, DAY, township.path)}
        if policy.who != "person":
            assert all(explain(pk, code, DAY, book=book).candidate for pk in units)
            continue
        told = {p.pk for p in Resident.objects.all() if explain(p, code, DAY, book=book).candidate}
        assert told == units


def test_explanation_tells_the_values_and_the_document(village):
    person = widow(village, birth_date=date(1959, 5, 8))
    case = explain(person, "CN-RURAL", DAY)
    assert [one.key for one in case.failing] == ["age"]
    assert case.failing[0].text == "年满60周岁"
    assert case.failing[0].value == "1959-05-08出生，2018-12-31满59周岁"
    assert case.failing[0].basis == "国办发〔2004〕21号; 国人口发〔2004〕36号"


def test_person_who_died_or_left_is_explained_by_the_last_spell(village):
    person = widow(village, death_date=date(2017, 2, 3))
    case = explain(person, "CN-RURAL", DAY)
    assert [one.key for one in case.failing] == ["registered_here"]
    assert case.failing[0].value == "2017-02-03去世"


def test_explaining_asks_a_fixed_number_of_queries(village, django_assert_max_num_queries):
    head, _ = make_old_couple(village)
    person = Resident.objects.select_related("village").get(pk=head.pk)
    with django_assert_max_num_queries(6):
        explain(person, "CN-RURAL", DAY)


def test_what_if_looks_with_a_changed_copy_of_the_rule(village):
    from dataclasses import replace

    from subsidies.policies.catalogue import Criterion

    person = widow(village, birth_date=date(1963, 1, 1))
    rule = policy_book(DAY).rule("CN-RURAL", village.path)
    younger = tuple(Criterion("age", {"min": 55}) if c.key == "age" else c for c in rule.criteria)
    assert found("CN-RURAL", DAY, village.path) == []
    units = found("CN-RURAL", DAY, village.path, rule=replace(rule, criteria=younger))
    assert [u.resident_id for u in units] == [person.pk]


@pytest.mark.parametrize(
    ("starts", "held", "applied", "month"),
    [
        ("year", date(2018, 12, 31), date(2018, 9, 3), date(2018, 1, 1)),
        ("year", date(2019, 12, 31), date(2018, 11, 3), date(2019, 1, 1)),
        ("month", date(2018, 12, 31), date(2018, 9, 3), date(2019, 1, 1)),
        ("month", date(2018, 8, 31), date(2018, 9, 3), date(2018, 10, 1)),
        ("application", date(2018, 10, 31), date(2018, 9, 30), date(2018, 9, 1)),
    ],
)
def test_start_month_by_the_rule(village, starts, held, applied, month):
    from dataclasses import replace

    rule = replace(policy_book(DAY).rule("CN-RURAL", village.path), starts=starts)
    assert start_month(rule, held_on=held, applied_on=applied) == month


def test_usual_day_is_the_end_of_the_year_where_the_year_counts():
    assert usual_day("CN-RURAL", date(2018, 10, 9)) == date(2018, 12, 31)
    assert usual_day("SD-ONLY-CHILD", date(2018, 10, 9)) == date(2018, 10, 9)
