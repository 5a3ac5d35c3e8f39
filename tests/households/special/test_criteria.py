"""Which families are special ones on a day, and why."""

from datetime import date

import pytest

from households.models import CareRule, Residency
from households.special import criteria
from households.special.rules import rule_book
from tests.factories.households import make_birth, make_resident
from tests.factories.special import make_bereaved

pytestmark = pytest.mark.django_db
DAY = date(2018, 10, 9)
DISABLED = {"died": None, "disability_grade": "二级", "disability_date": date(2015, 1, 1)}


def kinds(day=DAY) -> list[tuple[str, str]]:
    spells = criteria.found(day).order_by("household__number", "pk")
    return list(spells.values_list("resident__name", "found_kind"))


def test_both_parents_of_a_dead_only_child_are_found(village):
    make_bereaved(village)
    assert kinds() == [("戴飞飞", "死亡"), ("董丽怡", "死亡")]


def test_parents_of_a_disabled_only_child_are_found(village):
    make_bereaved(village, **DISABLED)
    assert kinds() == [("戴飞飞", "伤残"), ("董丽怡", "伤残")]


def test_fourth_grade_and_a_later_certification_do_not_count(village):
    make_bereaved(village, **DISABLED | {"disability_grade": "四级"})
    make_bereaved(village, **DISABLED | {"disability_date": date(2018, 10, 10)})
    assert kinds() == []


def test_death_counts_from_its_day(village):
    make_bereaved(village, died=DAY)
    assert kinds(date(2018, 10, 8)) == []
    assert len(kinds(DAY)) == 2


def test_second_child_living_or_dead_ends_it(village):
    head, wife = make_bereaved(village)
    make_birth(
        wife, date(1990, 1, 1), father=head, order=2, survival="死亡", death_date=date(1991, 1, 1)
    )
    assert kinds() == []


def test_adopted_child_counts_for_the_parent_it_names(village):
    head, wife = make_bereaved(village)
    make_birth(wife, date(2013, 1, 1), order=2, origin="收养")
    assert kinds() == [("戴飞飞", "死亡")]


def test_wife_decides_the_age_of_a_couple_and_the_office_the_age(village, reviewer, township):
    head, wife = make_bereaved(village)
    wife.birth_date = date(1983, 10, 10)  # 34 on the day
    wife.save()
    assert kinds() == []
    assert len(kinds(date(2018, 10, 10))) == 2
    CareRule.objects.create(
        region=township, from_on=date(2018, 1, 1), archive_age=34, document="文件", set_by=reviewer
    )
    assert len(kinds()) == 2
    assert kinds(date(2017, 12, 31)) == []


def test_widower_counts_by_his_own_age(village):
    head, wife = make_bereaved(village)
    wife.birth_date, wife.death_date = date(1990, 1, 1), date(2017, 1, 1)
    wife.save()
    assert kinds() == [("戴飞飞", "死亡")]


def test_migrants_and_the_very_old_are_not_found(village):
    head, wife = make_bereaved(village)
    Residency.objects.filter(resident=head).update(residence="流入")
    wife.birth_date = date(1932, 12, 31)
    wife.save()
    assert kinds() == []


def test_explanation_names_every_criterion_and_agrees_with_the_search(village):
    head, wife = make_bereaved(village)
    childless = make_resident(
        head.household, "戴小妹", relation="兄弟姐妹", birth_date=date(1970, 1, 1)
    )
    book = rule_book(DAY)
    spells = criteria.with_facts(
        Residency.objects.living_on(DAY).select_related("resident", "village"), DAY
    )
    reasons = {s.resident: criteria.explain(s, DAY, book) for s in spells}
    assert all(c.holds for c in reasons[head] + reasons[wife])
    failed = [c for c in reasons[childless] if not c.holds]
    assert [c.value for c in failed] == ["生育史中有0个子女"]
