"""A family with its archive, and the village's user who may be its contact."""

import pytest

from tests.factories.accounts import make_user
from tests.factories.special import make_archive, make_bereaved


@pytest.fixture
def family(village):
    return make_archive(village, contacts=2)


@pytest.fixture
def contact(village):
    """The village's user, whom a test makes a contact."""
    return make_user("propagandist", village, "contact", name="周美丽")


@pytest.fixture
def bereaved(village):
    return make_bereaved(village, "00007")


@pytest.fixture
def ill(family):
    family.cause_of_death, family.health_note = "车祸", "高血压"
    family.save()
    return family
