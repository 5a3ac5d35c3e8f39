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
