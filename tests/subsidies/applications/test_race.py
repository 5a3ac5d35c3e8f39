"""Many at once: of twenty passes one is taken, and nobody gets onto a roll twice."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from fpadmin.errors import RuleViolation
from subsidies.models import Application, ApplicationStep, Enrolment
from tests.factories.accounts import make_user
from tests.subsidies.applications.conftest import brought_to, make_draft, passed, submitted

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 20


def all_at_once(acts) -> list[str]:
    """Each on a thread of its own, begun together: what refused it, "" where nothing did."""
    start = threading.Barrier(len(acts))

    def run(act) -> str:
        try:
            start.wait(30)
            act()
        except RuleViolation as violation:
            return violation.message
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_twenty_passes_at_once_make_one(draft, clerk, passers, county):
    waiting = brought_to("county", draft, clerk, passers)
    people = [make_user("county", county, f"c{n}") for n in range(AT_ONCE)]

    said = all_at_once([lambda by=by: passed(waiting, by) for by in people])

    assert sorted(map(bool, said)) == [False] + [True] * (AT_ONCE - 1)
    assert Enrolment.objects.count() == 1
    assert ApplicationStep.objects.filter(application=waiting, to_state="confirmed").count() == 1


def test_pass_and_return_at_once_make_one(draft, clerk, passers):
    from subsidies.services import applications as services
    from tests.conftest import TODAY
    from tests.subsidies.applications.conftest import NOW

    waiting = submitted(draft, clerk)
    by = passers["village"]
    said = all_at_once(
        [
            lambda: passed(waiting, by),
            lambda: services.return_step(
                by=by, application=waiting, reason="请补。", today=TODAY, now=NOW
            ),
        ]
    )

    assert sorted(map(bool, said)) == [False, True]
    assert waiting.steps.filter(from_state="village").count() == 1


def test_same_application_made_at_once_is_one(couple, clerk, colleague):
    said = all_at_once([lambda by=by: make_draft(couple[0], by) for by in (clerk, colleague)])

    assert sorted(map(bool, said)) == [False, True]
    assert "还在办理" in "".join(said)
    assert Application.objects.count() == 1
