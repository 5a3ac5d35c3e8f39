"""A place where the policy is on with seven working days at the board, and applications that wait there."""

import pytest

from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.benefits import make_old_couple, switch_on
from tests.factories.notices import make_notice, make_waiting


@pytest.fixture
def rural(county):
    return switch_on("CN-RURAL", county)


@pytest.fixture
def colleague(township):
    """Another clerk of the township."""
    return make_user("clerk", township, "colleague", name="罗晓梅")


@pytest.fixture
def waiting(village, rural, clerk):
    """Applications of husband and wife, submitted by the clerk; both qualify."""
    return [make_waiting(one, clerk) for one in make_old_couple(village)]


@pytest.fixture
def notice(waiting, propagandist):
    """It hangs from 9 to 18 October 2018."""
    return make_notice(waiting, propagandist)


@pytest.fixture
def later(settings):
    """later(day): the office's clock stands on that day."""

    def turn(day):
        settings.TODAY = day.isoformat()
        return day

    assert TODAY.isoformat() == settings.TODAY
    return turn
