"""An old couple that qualifies for CN-RURAL, with the policy switched on in its county."""

import pytest

from tests.factories.benefits import make_old_couple, switch_on


@pytest.fixture
def rural(county):
    """农村奖扶 is on in the county."""
    return switch_on("CN-RURAL", county)


@pytest.fixture
def couple(village, rural):
    """陶有田 and 宋桂兰, both 68: (husband, wife)."""
    return make_old_couple(village, "00901")
