"""The registry's rules, both sides of each threshold."""

from datetime import date

import pytest

from fpadmin.identity import parse_id_number
from households import rules

TODAY = date(2018, 10, 9)


def codes(findings):
    return [(f.field, f.code, f.error) for f in findings]


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("段光超", "dgc"),
        ("单雄信", "sxx"),
        ("曾英佳", "zyj"),
        ("尉迟恭", "ycg"),
        ("欧阳·娜娜", "oynn"),
        ("Ａli 买买提", "alimmt"),
        ("𠮷明", "jm"),
        ("䶮", "y"),
        ("", ""),
        ("\U0002ffff明", "m"),
    ],
)
def test_name_initials(name, initials):
    assert rules.name_initials(name) == initials


@pytest.mark.parametrize(
    ("birth_date", "sex", "fields"),
    [
        (date(1983, 6, 1), "男", []),
        (None, "", []),
        (date(1983, 6, 2), "男", ["birth_date"]),
        (date(1983, 6, 1), "女", ["sex"]),
        (date(1983, 6, 2), "女", ["birth_date", "sex"]),
    ],
)
def test_number_conflicts(birth_date, sex, fields):
    number = parse_id_number("539981198306010013", today=TODAY)

    assert [f.field for f in rules.id_number_findings(number, birth_date, sex)] == fields


def test_number_is_needed_from_sixteen():
    assert not rules.id_number_missing(date(2002, 10, 10), TODAY)
    assert rules.id_number_missing(date(2002, 10, 9), TODAY)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"birth_date": TODAY}, []),
        ({"birth_date": date(2018, 10, 10)}, [("birth_date", "date_in_future", True)]),
        ({"disability_date": date(2019, 1, 1)}, [("disability_date", "date_in_future", True)]),
        ({"birth_date": TODAY, "death_date": TODAY}, []),
        (
            {"birth_date": TODAY, "death_date": date(2018, 10, 8)},
            [("death_date", "death_before_birth", True)],
        ),
    ],
)
def test_dates(values, expected):
    assert codes(rules.date_findings(values, TODAY)) == expected


@pytest.mark.parametrize(
    ("sex", "born", "marital", "married", "code"),
    [
        ("女", date(1990, 1, 2), "初婚", None, None),
        ("女", date(1990, 1, 2), "初婚", date(2010, 1, 2), None),
        ("女", date(1990, 1, 2), "初婚", date(2010, 1, 1), "marriage_under_age"),
        ("男", date(1990, 1, 2), "初婚", date(2012, 1, 2), None),
        ("男", date(1990, 1, 2), "丧偶", date(2012, 1, 1), "marriage_under_age"),
        ("男", date(1990, 1, 2), "初婚", date(1980, 1, 1), "marriage_under_age"),
        ("男", date(1990, 1, 2), "未婚", date(2015, 1, 1), "marriage_of_single"),
    ],
)
def test_marriages_are_only_odd(sex, born, marital, married, code):
    found = rules.marriage_warnings(sex, born, marital, married)

    assert [f.code for f in found] == ([code] if code else [])
    assert not any(f.error for f in found)


BORN = date(2000, 1, 1)


@pytest.mark.parametrize(
    ("mother", "father", "adopted", "expected"),
    [
        (date(1988, 1, 1), None, False, []),
        (date(1988, 1, 2), None, False, ["mother_age"]),
        (date(1939, 1, 2), None, False, []),
        (date(1939, 1, 1), None, False, ["mother_age"]),
        (date(2010, 1, 1), None, False, ["mother_age"]),
        (None, date(1988, 1, 1), False, []),
        (None, date(1988, 1, 2), False, ["father_age"]),
        (None, date(1900, 1, 1), False, []),
        (date(1995, 1, 1), date(1995, 1, 1), True, []),
        (None, None, False, []),
    ],
)
def test_ages_of_parents(mother, father, adopted, expected):
    found = rules.parent_findings(
        BORN, adopted=adopted, mother_birth_date=mother, father_birth_date=father
    )

    assert [f.code for f in found] == expected
    assert all(f.error for f in found)


@pytest.mark.parametrize(
    ("marital", "married", "code"),
    [
        ("未婚", None, "mother_unmarried"),
        ("初婚", None, None),
        ("初婚", BORN, None),
        ("初婚", date(2000, 1, 2), "birth_before_marriage"),
    ],
)
def test_births_outside_marriage_are_only_odd(marital, married, code):
    found = rules.birth_warnings(BORN, marital, married)

    assert [f.code for f in found] == ([code] if code else [])
    assert not any(f.error for f in found)


@pytest.mark.parametrize(
    ("order", "born", "others", "code"),
    [
        (1, BORN, [], None),
        (2, BORN, [(1, BORN)], None),  # twins
        (2, BORN, [(1, date(1999, 1, 1)), (3, date(2001, 1, 1))], None),
        (1, BORN, [(1, date(1999, 1, 1))], "order_taken"),
        (2, BORN, [(1, date(2000, 1, 2))], "order_out_of_step"),
        (1, BORN, [(2, date(1999, 12, 31))], "order_out_of_step"),
    ],
)
def test_order_follows_birth_dates(order, born, others, code):
    found = rules.order_finding(order, born, False, [(*other, False) for other in others])

    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("adopted", "other_adopted"), [(True, False), (False, True)], ids=["itself", "the other"]
)
def test_adopted_child_may_be_out_of_step_but_takes_a_place(adopted, other_adopted):
    younger = (1, date(2000, 1, 2), other_adopted)

    assert rules.order_finding(2, BORN, adopted, [younger]) is None
    assert rules.order_finding(1, BORN, adopted, [younger]).code == "order_taken"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("539981198306010013", []),
        ("539981 19830601 001 3", []),
        ("539981198306010014", ["校验位　不符"]),
        ("53998119830601001", ["校验位　不符"]),
        ("999981198306010013", ["行政区划"]),
        ("539981198302300013", ["出生日期　没有这一天"]),
        ("53998119830601A013", ["顺序码"]),
        ("53998119830601001Z", ["校验位　不符"]),
        ("539981830601001", []),
        ("539981831301001", ["出生日期　没有这一天"]),
    ],
)
def test_parts_of_a_number(typed, wrong):
    parts = rules.id_number_parts(typed, TODAY, "安宁市")

    assert len(parts) == 4
    assert parts[0].text.endswith("安宁市")
    assert [p.label for p in parts if p.bad] == wrong


@pytest.mark.parametrize("typed", ["", "5399", "1" * 19, "一二三"])
def test_no_parts_of_what_has_no_length_of_a_number(typed):
    assert rules.id_number_parts(typed, TODAY) == []
