"""The small population of the registry's tests, since the platform has no figures of its own."""

import pytest

from tests.households.small_population import make_small_population


@pytest.fixture
def small(village, other_village):
    return make_small_population(village, other_village)
