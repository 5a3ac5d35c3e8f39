"""What a county may change of a criterion."""

from datetime import date

import pytest

from subsidies.eligibility.predicates import EXCLUDES, PREDICATES, words
from subsidies.policies import catalogue, parameters
from subsidies.policies.catalogue import Criterion
from subsidies.policies.terms import rate_words, shares_words
from subsidies.templatetags.benefits import documents


def shipped():
    return [c for one in catalogue.policies().values() for c in one.criteria]


def test_every_predicate_can_be_set():
    assert set(parameters.PARAMETERS) == set(PREDICATES) - {EXCLUDES}


def test_every_shipped_criterion_is_sound_and_survives_json():
    for criterion in shipped():
        assert parameters.fault_of(criterion) is None, criterion
        (back,) = catalogue.criteria_from(catalogue.as_entries([criterion]))
        assert parameters.fault_of(back) is None, back
        assert words(back) == words(criterion)
        assert parameters.values_of(back) == parameters.values_of(criterion)


def test_no_policy_asks_the_same_twice():
    for one in catalogue.policies().values():
        keys = [parameters.identity_of(c) for c in one.criteria]
        assert len(keys) == len(set(keys)), one.code


def test_values_make_the_criterion_again():
    for criterion in shipped():
        made = parameters.with_values(criterion.key, parameters.values_of(criterion))
        assert words(made) == words(criterion)


def test_ticks_in_another_order_are_no_change():
    before = Criterion("employment", ["无业", "灵活就业"])
    for ticks, kept in (
        (["灵活就业", "无业"], ["无业", "灵活就业"]),
        (["务农", "灵活就业", "无业"], ["无业", "灵活就业", "务农"]),
        (["灵活就业"], ["灵活就业"]),
    ):
        made = parameters.in_order_of(before, Criterion("employment", ticks))
        assert made == Criterion("employment", kept)
    age = Criterion("age", {"min": 55})
    assert parameters.in_order_of(Criterion("age", {"min": 60}), age) == age


@pytest.mark.parametrize(
    ("criterion", "is_sound"),
    [
        (Criterion("age", {"min": 0}), True),
        (Criterion("age", {"min": 120}), True),
        (Criterion("age", {"min": 121}), False),
        (Criterion("age", {"min": -1}), False),
        (Criterion("age", {"min": 60, "max": 60}), True),
        (Criterion("age", {"min": True}), False),
        (Criterion("age", 60), False),
        (Criterion("children_ever", 0), True),
        (Criterion("children_ever", 10), False),
        (Criterion("children_ever"), False),
        (Criterion("living_children", []), False),
        (Criterion("living_children", "one"), False),
        (Criterion("born_from", date(1933, 1, 1)), True),
        (Criterion("born_from", 1933), False),
        (Criterion("attested", ""), False),
        (Criterion("attested", "字" * 51), False),
        (Criterion("certificate"), True),
        (Criterion("certificate", "是"), False),
        (Criterion("only_child_disabled", {"max_grade": "四级"}), True),
        (Criterion("only_child_disabled", {"max_grade": "五级"}), False),
        (Criterion("no_birth_outside_policy", {"from": date(2001, 1, 1)}), False),
        (Criterion(EXCLUDES, ["CN-RURAL"]), False),
    ],
    ids=lambda value: "" if isinstance(value, bool) else f"{value.key} {value.params}"[:40],
)
def test_boundaries(criterion, is_sound):
    assert (parameters.fault_of(criterion) is None) is is_sound


def test_documents_are_parted_as_chinese_does():
    assert documents("国办发〔2004〕21号; 国人口发〔2004〕36号") == (
        "国办发〔2004〕21号、国人口发〔2004〕36号"
    )
    assert documents("云卫〔2018〕9号") == "云卫〔2018〕9号"
    assert documents("") == ""


def test_rates_and_shares_in_words():
    policies = catalogue.policies()
    assert rate_words(policies["YN-HEALTH-FEE"], 10) == "10.00元/对夫妻·月"
    assert rate_words(policies["YN-SCHOLARSHIP"], 1000, "高中") == "1,000.00元/人，一次发给"
    assert rate_words(policies["YN-SCHOLARSHIP"], 160, "小学") == "160.00元/人·年"
    assert rate_words(policies["LOCAL-LIVING"], None) == "没有标准，不能发放"
    assert shares_words(policies["CN-SPECIAL-DEATH"].shares) == "中央80%、省14%、市1.2%、县4.8%"
    assert shares_words({}) == "没有设定，由县承担"
