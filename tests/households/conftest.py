"""A household of 庄科村 and its head."""

from datetime import date

import pytest

from tests.factories.households import make_household, make_resident


@pytest.fixture
def household(village):
    return make_household(village, "00016")


@pytest.fixture
def head(household):
    return make_resident(household, "段光超", birth_date=date(1983, 6, 1), marital="初婚")


@pytest.fixture
def family(village):
    """A couple with a son and a daughter in one household."""
    household = make_household(village, "00016")
    head = make_resident(household, "段光超", marital="初婚", birth_date=date(1975, 1, 1))
    wife = make_resident(
        household, "李芳", sex="女", relation="配偶", marital="初婚", birth_date=date(1977, 2, 2)
    )
    for one, other in ((head, wife), (wife, head)):
        one.spouse, one.spouse_id_number = other, other.id_number
        one.spouse_id_number_digest = other.id_number_digest
        one.save()
    son = make_resident(household, "段小强", relation="子", birth_date=date(1996, 3, 3))
    girl = make_resident(
        household, "段小丽", sex="女", relation="女", birth_date=date(2010, 3, 3), id_number=""
    )
    return head, wife, son, girl
