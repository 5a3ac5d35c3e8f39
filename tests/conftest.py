"""People and places: one account per role, and each once more in another village or township."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.database import (  # noqa: F401
    _fresh_connection,
    django_db_modify_db_settings,
    django_db_setup,
)
from tests.factories.accounts import make_region, make_user

TODAY = date(2018, 10, 9)


@pytest.fixture(autouse=True)
def _quick_passwords_and_fixed_day(settings):
    """Argon2 takes a tenth of a second by design; tests sign in a thousand times."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TODAY = TODAY.isoformat()


@pytest.fixture
def village(db):
    """庄科村 of 禄脿街道."""
    make_region("53", "云南省")
    make_region("5399", "昆明市")
    make_region("539981", "安宁市")
    make_region("539981001", "禄脿街道")
    return make_region("539981001201", "庄科村", urban_rural="乡村")


@pytest.fixture
def township(village):
    return village.parent


@pytest.fixture
def county(township):
    return township.parent


@pytest.fixture
def other_village(village):
    """Another village of the same township."""
    return make_region("539981001202", "安丰营村")


@pytest.fixture
def other_township(county):
    return make_region("539981100", "温泉镇")


@pytest.fixture
def far_village(other_township):
    """A village of another township."""
    return make_region("539981100201", "远处村")


@pytest.fixture
def propagandist(village):
    return make_user("propagandist", village)


@pytest.fixture
def other_propagandist(other_village):
    return make_user("propagandist", other_village)


@pytest.fixture
def clerk(township):
    return make_user("clerk", township)


@pytest.fixture
def other_clerk(other_township):
    return make_user("clerk", other_township)


@pytest.fixture
def reviewer(township):
    return make_user("reviewer", township)


@pytest.fixture
def county_user(county):
    return make_user("county", county)


@pytest.fixture
def auditor(county):
    return make_user("auditor", county)


@pytest.fixture
def security_administrator(county):
    return make_user("security_administrator", county)


@pytest.fixture
def administrator(county):
    return make_user("administrator", county)


@pytest.fixture
def sign_in(db):
    """sign_in(user) → a Django client signed in as that user."""

    def signed_in(user) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def assert_query_count_does_not_grow(db):
    """Run `action` before and after `grow`; more rows must not mean more queries."""

    def check(action, grow):
        with CaptureQueriesContext(connection) as before:
            action()
        grow()
        with CaptureQueriesContext(connection) as after:
            action()
        assert len(after) <= len(before), "\n".join(q["sql"][:300] for q in after)

    return check


@pytest.fixture
def run_jobs_now(db):
    """run_jobs_now() runs every queued job here, through the real runner, and returns their ids."""
    from fpadmin.jobs import runner
    from fpadmin.jobs.models import Job

    def run() -> list[int]:
        queued = list(Job.objects.filter(state=Job.State.QUEUED).order_by("pk"))
        for job in queued:
            runner.run(job.pk)
        return [job.pk for job in queued]

    return run
