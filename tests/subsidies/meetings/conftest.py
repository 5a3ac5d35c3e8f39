"""Somebody who was paid, and a village worker who is the contact of a family that lost its child."""

import pytest

from tests.factories.benefits import make_enrolment
from tests.factories.meetings import make_paid, make_payee_to_see
from tests.factories.special import make_archive, make_contact, make_person


@pytest.fixture
def payee(village):
    """On the roll of CN-RURAL; paid on 12 September, to be seen by 10 October 2018."""
    person = make_payee_to_see(village)
    make_enrolment(person)
    return person


@pytest.fixture
def family(village):
    """An archive of the village."""
    return make_archive(village)


@pytest.fixture
def bereaved(family):
    """A parent of the archive who was paid for the child's death, and as a farmer too."""
    person = family.parents.order_by("pk").first().resident
    make_enrolment(person, "CN-SPECIAL-DEATH")
    make_paid(person, "CN-SPECIAL-DEATH")
    return person


@pytest.fixture
def contact(family, propagandist):
    """The village's worker, now a contact of the family."""
    make_contact(family, make_person(family.household.village, user=propagandist))
    return propagandist
