"""Scope: the region's own path and below, never its neighbour; nobody's scope is nothing."""

import pytest
from django.contrib.auth.models import AnonymousUser

from fpadmin.accounts.models import Region, User
from fpadmin.scoping import below
from households.models import Household, Resident
from tests.factories.accounts import make_region, make_user
from tests.factories.households import make_household, make_resident


@pytest.fixture
def residents(village, other_village, far_village):
    return {
        place.code: make_resident(make_household(place))
        for place in (village, other_village, far_village)
    }


def seen(user):
    return {resident.village.code for resident in Resident.objects.visible_to(user)}


def test_everybody_sees_the_own_subtree_only(residents, propagandist, clerk, county_user):
    assert seen(propagandist) == {"539981001201"}
    assert seen(clerk) == {"539981001201", "539981001202"}
    assert seen(county_user) == {"539981001201", "539981001202", "539981100201"}


def test_disabled_account_and_visitor_see_nothing(residents, clerk):
    clerk.is_active = False
    assert seen(clerk) == set()
    assert seen(AnonymousUser()) == set()
    assert not Household.objects.visible_to(None).exists()


def test_region_whose_code_begins_alike_is_not_below(village):
    """539981001 is a prefix of 5399810012…'s text, yet paths end in a dot."""
    township = village.parent
    Region.objects.create(
        code="5399810011", name="相近", level=4, parent=township.parent,
        path=f"{township.parent.path}5399810011.",
    )  # fmt: skip
    user = make_user("clerk", township)
    assert {r.code for r in Region.objects.visible_to(user)} == {"539981001", "539981001201"}


def test_within_a_region_counts_the_region_itself(village, township):
    assert set(Region.objects.within(township)) == {township, village}


def test_below_serves_deep_levels(village):
    group = make_region(f"{village.code}01")
    assert set(Region.objects.filter(below(village.path))) == {village, group}


def test_accounts_are_scoped_too(clerk, propagandist, other_clerk, administrator):
    assert set(User.objects.visible_to(clerk)) == {clerk, propagandist}
    assert other_clerk in User.objects.visible_to(administrator)
