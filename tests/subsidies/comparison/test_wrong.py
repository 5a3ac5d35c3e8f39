"""错: each planted mistake is found once, and the same thing without the mistake is not."""

from datetime import date

import pytest

from households.models import ChildRecord, LowIncomeSpell, Residency, Resident
from subsidies.comparison import readings
from subsidies.comparison.wrong import marriage_is_new
from tests.factories.benefits import make_enrolment, make_old_couple
from tests.factories.households import make_birth, make_household, make_resident
from tests.factories.rosters import make_entry


def test_clean_rolls_yield_nothing(run, couple, township):
    head, wife = couple
    make_entry(township, "公安户籍", head, date(2018, 3, 1), "户籍在本地，农业户口")
    make_entry(township, "民政婚姻登记", wife, date(2018, 3, 1), "补领结婚证")
    make_entry(township, "公安死亡注销", None, date(2018, 3, 1))
    make_entry(township, "医院住院分娩", wife, wife.births.get().birth_date)

    assert run() == {}


def test_death_by_the_police_is_found_where_we_know_of_none(run, couple, township):
    head, wife = couple
    entry = make_entry(township, "公安死亡注销", head, date(2018, 5, 3))
    Resident.objects.filter(pk=wife.pk).update(death_date=date(2018, 5, 3))
    make_entry(township, "公安死亡注销", wife, date(2018, 5, 3))

    found = run()

    assert [(d.resident, d.entry) for d in found.pop("police_death")] == [(head, entry)]
    assert found == {}


def test_ended_line_is_no_difference(run, couple, township):
    head, _ = couple
    make_entry(township, "公安死亡注销", head, date(2018, 5, 3))
    head.enrolments.update(end_month=date(2018, 9, 1), end_reason="死亡")

    assert list(run()) == ["missing"]  # and alive by our registry, so that he qualifies


@pytest.mark.parametrize(
    ("code", "died", "found"),
    [
        ("CN-RURAL", date(2018, 1, 1), False),
        ("CN-RURAL", date(2017, 12, 31), True),
        ("CN-SPECIAL-DEATH", date(2018, 10, 1), False),
        ("CN-SPECIAL-DEATH", date(2018, 9, 30), True),
    ],
    ids=["this year", "last year", "this month", "last month"],
)
def test_dead_of_ours_are_found_beyond_what_the_rule_pays(run, village, code, died, found):
    person = make_resident(
        make_household(village), birth_date=date(1950, 3, 4), death_date=died, marital="丧偶"
    )
    make_enrolment(person, code)

    assert [d.resident for d in run().get("dead", [])] == ([person] if found else [])


def test_moved_out_by_the_police_until_we_know_it_too(run, couple, township):
    head, wife = couple
    make_entry(township, "公安户籍", head, date(2018, 6, 1), "迁出至昆明市西山区")
    make_entry(township, "公安户籍", wife, date(2017, 6, 1), "迁出至昆明市西山区")
    Residency.objects.filter(resident=wife).update(started_on=date(2018, 1, 1))

    assert {rule: [d.resident for d in rows] for rule, rows in run().items()} == {
        "police_moved": [head]
    }

    Resident.objects.filter(pk=head.pk).update(departed_on=date(2018, 6, 1))
    assert run() == {}
    Resident.objects.filter(pk=head.pk).update(departed_on=date(2017, 6, 1))
    assert [d.resident for d in run()["departed"]] == [head]


def test_last_word_of_a_list_counts(run, couple, township):
    head, _ = couple
    make_entry(township, "公安户籍", head, date(2016, 6, 1), "迁出至昆明市西山区")
    make_entry(township, "公安户籍", head, date(2017, 6, 1), "迁入本地")
    make_entry(township, "公安户籍", head, None, "迁出")

    assert run() == {}


def test_hukou_otherwise_than_the_policy_asks(run, couple, township, village):
    head, wife = couple
    make_entry(township, "公安户籍", head, date(2018, 2, 1), "农转非")
    make_entry(township, "公安户籍", wife, date(2018, 2, 1), "非农业转农业")
    outside = make_resident(make_household(village), birth_date=date(1960, 1, 1))
    make_enrolment(outside, "YN-HEALTH-FEE")  # asks no kind of hukou
    make_entry(township, "公安户籍", outside, date(2018, 2, 1), "非农业")

    found = run(rules=["hukou"])

    assert [(d.resident, d.detail) for d in found["hukou"]] == [
        (head, "公安户籍2018-02-01为非农业，政策要求农业，我方登记农业")
    ]


def test_marriage_that_we_have_not(run, couple, township, village):
    head, wife = couple
    Resident.objects.filter(pk=wife.pk).update(first_marriage_date=date(1975, 10, 1))
    make_entry(township, "民政婚姻登记", head, date(2018, 2, 1), "离婚登记")
    make_entry(township, "民政婚姻登记", wife, date(1975, 10, 1), "结婚登记")
    single = make_resident(make_household(village), "未婚的", birth_date=date(1960, 1, 1))
    make_enrolment(single, "YN-HEALTH-FEE")
    make_entry(township, "民政婚姻登记", single, date(2018, 4, 1), "结婚登记")

    found = run(rules=["marriage"])

    assert {d.resident for d in found["marriage"]} == {head, single}


@pytest.mark.parametrize(
    ("theirs", "day", "ours", "known", "new"),
    [
        ("结婚", date(2018, 1, 2), "初婚", [date(2018, 1, 1)], True),
        ("结婚", date(2018, 1, 1), "初婚", [date(2018, 1, 1)], False),
        ("结婚", date(2018, 1, 1), "初婚", [], False),
        ("结婚", date(1980, 1, 1), "丧偶", [date(2001, 1, 1)], False),
        ("结婚", date(2018, 1, 1), "丧偶", [date(2001, 1, 1)], True),
        ("结婚", date(2018, 1, 1), "离婚", [], True),
        ("结婚", None, "初婚", [date(1980, 1, 1)], False),
        ("结婚", None, "未婚", [], True),
        ("离婚", date(2018, 1, 1), "离婚", [], False),
        ("离婚", date(2018, 1, 1), "再婚", [date(2018, 5, 1)], False),
        ("离婚", date(2018, 1, 1), "再婚", [date(2010, 5, 1)], True),
        ("离婚", None, "初婚", [], True),
        ("", date(2018, 1, 1), "未婚", [], False),
    ],
)
def test_marriage_is_new_only_where_it_is_later_than_what_we_know(theirs, day, ours, known, new):
    assert marriage_is_new(theirs, day, ours, known) is new


def test_birth_that_our_history_lacks_concerns_both_parents(run, couple, township):
    head, wife = couple
    make_entry(township, "医院住院分娩", wife, date(1990, 7, 1))

    found = run()
    assert {d.resident for d in found.pop("birth")} == {head, wife}
    assert found == {}

    make_birth(wife, date(1990, 7, 1), order=2, father=head)
    assert ChildRecord.objects.count() == 2
    assert run(rules=["birth"]) == {}


def test_employment_otherwise_than_the_policy_asks(run, village, township):
    people = [
        make_resident(make_household(village), name, birth_date=date(1955, 1, 1), hukou="非农业")
        for name in ("甲", "乙", "丙")
    ]
    for person in people:
        make_enrolment(person, "SD-URBAN")
    for person, words in zip(people, ("企业职工养老待遇", "城乡居民养老待遇", ""), strict=True):
        make_entry(township, "社保待遇", person, date(2015, 1, 1), words)
    paid = make_resident(make_household(village), "丁", birth_date=date(1955, 1, 1))
    make_enrolment(paid, "SD-PENSION", date(2018, 1, 1))
    make_entry(township, "社保待遇", paid, date(2016, 1, 1), "企业退休，一次性养老补助已发")

    found = run(rules=["employment"])

    assert {d.resident for d in found["employment"]} == {people[0], people[2], paid}


def test_low_income_line_needs_somebody_of_the_household_on_the_list(run, village, township):
    homes = [make_old_couple(village, f"0000{n}", born=date(1950 + n, 3, 4)) for n in (1, 2, 3)]
    for head, _ in homes:
        make_enrolment(head, "LOCAL-DIBAO")
        LowIncomeSpell.objects.create(household=head.household)

    assert run() == {}  # nobody brought in a list

    make_entry(township, "民政低保", homes[0][1], date(2016, 1, 1))
    make_entry(township, "民政低保", homes[1][0], date(2016, 1, 1))
    ended = make_entry(township, "民政低保", homes[1][0], date(2018, 1, 1), "2018年1月停发")

    found = run()

    assert {(d.resident, d.entry) for d in found.pop("low_income_ended")} == {
        (homes[1][0], ended),
        (homes[2][0], None),
    }
    assert found == {}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("非农业", "非农业"), ("农业家庭户口", "农业"), ("农转非", "非农业"), ("由非农业转为农业", "农业"),
        ("由农业转为非农业", "非农业"), ("居民户口", ""), ("", ""), ("非转农", "农业"),
    ],
)  # fmt: skip
def test_hukou_is_what_the_words_end_with(words, kind):
    assert readings.hukou_in(words) == kind


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("企业退休", "企业退休"), ("企业职工基本养老保险待遇", "企业退休"), ("退休金2300元", "企业退休"),
        ("事业单位退休", "机关事业退休"), ("城乡居民养老", "无业"), ("灵活就业人员参保", "灵活就业"),
        ("企业职工参保缴费", "在职"), ("某某公司职工", "在职"), ("城乡居民养老参保", "无业"), ("", ""),
    ],
)  # fmt: skip
def test_employment_is_read_in_the_registrys_words(words, kind):
    assert readings.employment_in(words) == kind


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("", "结婚"), ("结婚登记", "结婚"), ("离婚", "离婚"), ("离婚后复婚", "结婚"), ("补办结婚登记", ""),
        ("撤销婚姻", ""), ("其他", ""),
    ],
)  # fmt: skip
def test_marriage_is_read_by_its_last_word(words, kind):
    assert readings.marriage_in(words) == kind
