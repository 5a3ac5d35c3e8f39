"""Nothing that is calculated or imported lifts a suspension or ends a line: only somebody does."""

from datetime import date

import pytest

from households.services import record_event
from subsidies.models import Enrolment, Suspension
from subsidies.rolls import states
from subsidies.services.enrolments import decide_change
from subsidies.services.reviews import confirm_stays, decide_line, make_review
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.subsidies.imports.books import line as record
from tests.subsidies.imports.books import take
from tests.subsidies.rolls.test_changes import NOW, carried_out

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)


@pytest.fixture
def suspended(clerk, reviewer, village):
    """A line that qualifies, not paid since March."""
    switch_on("CN-RURAL", village.parent)
    enrolment = make_enrolment(make_old_couple(village)[0])
    carried_out(clerk, reviewer, enrolment, "suspend", date(2018, 3, 1))
    return enrolment


def state_of(enrolment, day=TODAY) -> str:
    return states.with_state(Enrolment.objects.filter(pk=enrolment.pk), day).get().state


def test_review_that_finds_all_well_leaves_a_suspension(clerk, township, suspended):
    for _ in range(2):
        review = make_review(
            by=clerk, region=township, policy_code="CN-RURAL", year=2018, today=TODAY, now=NOW
        )
    (found,) = review.lines.filter(enrolment=suspended)
    assert found.finding == "stays"
    confirm_stays(by=clerk, review=review, pks=None, now=NOW)
    assert state_of(suspended) == state_of(suspended, date(2019, 6, 1)) == states.SUSPENDED


@pytest.mark.parametrize("cells", [{}, {"start_month": "2015-01"}], ids=["as it is", "again"])
def test_import_of_the_roll_leaves_a_suspension(township, suspended, cells):
    outcome = take(township, record(suspended.resident, **cells))
    assert outcome.written
    assert Enrolment.objects.count() == 1
    assert state_of(suspended) == states.SUSPENDED


def test_life_event_leaves_a_suspension_and_its_line(clerk, suspended):
    record_event(
        by=clerk, kind="outflow", values={"members": [suspended.resident]}, happened_on=TODAY,
        today=TODAY,
    )  # fmt: skip
    assert state_of(suspended) == states.SUSPENDED
    assert Suspension.objects.get().until_month is None


def test_line_that_the_review_ends_stays_as_it_was_until_somebody_else_agrees(
    clerk, reviewer, township, suspended
):
    suspended.resident.residencies.update(hukou="非农业")
    review = make_review(
        by=clerk, region=township, policy_code="CN-RURAL", year=2018, today=TODAY, now=NOW
    )
    found = review.lines.get(enrolment=suspended)
    line = decide_line(
        by=clerk, line=found, decision="end_proposed", note="核实", today=TODAY, now=NOW
    )
    assert state_of(suspended) == states.WAITING
    assert Suspension.objects.get().until_month is None
    decide_change(by=reviewer, change=line.change, accept=True, now=NOW)
    suspended.refresh_from_db()
    assert suspended.end_month == date(2018, 12, 1)
