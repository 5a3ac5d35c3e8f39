"""Batches that are with the bank."""

import pytest

from tests.factories.payments import bring_to, make_batch, make_payee


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


@pytest.fixture
def sent(clerk, township, village, other_village, people):
    """Three people's yearly money, 960 each, sent on 9 October 2018."""
    make_payee(village, "陶有田")
    make_payee(village, "马桂英")
    make_payee(other_village, "宋桂兰")
    return bring_to("sent", make_batch(clerk, township), **people)
