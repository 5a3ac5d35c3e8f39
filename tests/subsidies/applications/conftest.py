"""Places where the policies are on, colleagues for every step, and an application at any state."""

from datetime import UTC, date, datetime

import pytest

from subsidies.models import Application
from subsidies.services import applications as services
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.benefits import make_old_couple, switch_on

NOW = datetime(2018, 10, 9, 3, tzinfo=UTC)


@pytest.fixture
def colleague(township):
    """Another clerk of the township."""
    return make_user("clerk", township, "colleague", name="罗晓梅")


@pytest.fixture
def rural(county):
    """农村奖扶 switched on without a public notice; tests of notices switch another on."""
    return switch_on("CN-RURAL", county, notice_days=0)


@pytest.fixture
def couple(village, rural):
    """Husband and wife who both qualify for it."""
    return make_old_couple(village)


@pytest.fixture
def draft(couple, clerk) -> Application:
    return make_draft(couple[0], clerk)


@pytest.fixture
def passers(propagandist, reviewer, county_user):
    """Who takes which step after the clerk has submitted."""
    return {"village": propagandist, "township": reviewer, "county": county_user}


def make_draft(resident, by, code="CN-RURAL", **values) -> Application:
    """By the service, as of today."""
    return services.create_application(
        **{
            "by": by, "resident": resident, "policy_code": code, "applied_on": date(2018, 9, 3),
            "today": TODAY, "now": NOW,
        } | values
    )  # fmt: skip


def submitted(application, by) -> Application:
    return services.submit(by=by, application=application, today=TODAY, now=NOW)


def passed(application, by, **values) -> Application:
    return services.pass_step(
        **{"by": by, "application": application, "today": TODAY, "now": NOW} | values
    )


def brought_to(state: str, application, clerk, passers) -> Application:
    """Submitted by the clerk and passed until it waits in `state`."""
    application = submitted(application, clerk)
    while application.state != state:
        application = passed(application, passers[application.state])
    return application
