"""GB 11643-1999 numbers: the published vectors, and every way in which one can be wrong."""

from datetime import date

import pytest

from fpadmin.identity import InvalidIdNumber, mask_id_number, parse_id_number

TODAY = date(2024, 1, 1)


@pytest.mark.parametrize(
    "number",
    ["11010519491231002X", "360426199101010071", "120103198806018241", "110101202311012176"],
)
def test_published_vectors_are_valid(number):
    assert parse_id_number(number, today=TODAY).number == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("360426199101010072", "idno_check"),
        ("36042619910101007", "idno_length"),
        ("36042619910101007Y", "idno_characters"),
        ("990426199101010071", "idno_province"),
        ("360426199102300071", "idno_birth_date"),
        ("110101202511012176", "idno_birth_date"),
        ("", "idno_length"),
    ],
)
def test_wrong_number_is_refused_with_its_code(text, code):
    with pytest.raises(InvalidIdNumber) as error:
        parse_id_number(text, today=TODAY)
    assert error.value.code == code


def test_number_is_read_as_it_is_typed():
    parsed = parse_id_number(" １１０１０５ 19491231 002x ", today=TODAY)
    assert parsed.number == "11010519491231002X"
    assert parsed.birth_date == date(1949, 12, 31)
    assert parsed.sex == "女"


def test_fifteen_digits_become_eighteen():
    assert parse_id_number("110105491231002", today=TODAY).number == "11010519491231002X"


def test_mask_keeps_six_and_four():
    assert mask_id_number("53998119610204001X") == "539981********001X"
