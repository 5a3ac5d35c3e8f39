"""What must hold of the rolls: found when it is broken, and never broken by what the services do."""

import random
from datetime import UTC, date, datetime

import pytest

from fpadmin.errors import RuleViolation
from subsidies import invariants
from subsidies.models import Enrolment, EnrolmentChange, ExitReason, Suspension
from subsidies.services.enrolments import decide_change, enrol, propose_change
from tests.factories.benefits import (
    make_application,
    make_enrolment,
    make_old_couple,
    switch_on,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2018, 10, 9, 2, 0, tzinfo=UTC)
DISABLED, DEATH = "CN-SPECIAL-DISABLED", "CN-SPECIAL-DEATH"
CHECKS = {
    "SUB1": invariants.months_that_are_none,
    "SUB2": invariants.lines_that_overlap,
    "SUB3": invariants.lines_beyond_a_death,
    "SUB4": invariants.moves_out_of_step,
    "SUB5": invariants.confirmed_without_a_line,
}


def broken() -> dict[str, list]:
    """What each invariant finds, those that find nothing left out."""
    found = {key: [finding.pk for finding in find(NOW)] for key, find in CHECKS.items()}
    return {key: pks for key, pks in found.items() if pks}


@pytest.fixture
def person(village):
    return make_old_couple(village)[0]


def test_months_that_are_none_are_found(person):
    odd = make_enrolment(person, start=date(2015, 1, 2))
    stopped = make_enrolment(person.spouse)
    Suspension.objects.create(enrolment=stopped, from_month=date(2018, 3, 31), reason="核实")
    assert broken() == {"SUB1": [odd.pk, stopped.pk]}


@pytest.mark.parametrize(
    ("second", "overlaps"),
    [
        ({"start": date(2017, 1, 1)}, False),
        ({"start": date(2016, 12, 1)}, True),
        ({"start": date(2013, 1, 1), "end_month": date(2014, 12, 1), "end_reason": "其他"}, False),
        ({"start": date(2013, 1, 1), "end_month": date(2015, 1, 1), "end_reason": "其他"}, True),
        ({"start": date(2015, 6, 1), "end_month": date(2015, 5, 1), "end_reason": "其他"}, False),
    ],
    ids=["after", "last-month", "before", "first-month", "never-paid"],
)
def test_two_lines_in_one_month_are_found(person, second, overlaps):
    make_enrolment(person, end_month=date(2016, 12, 1), end_reason="其他")
    later = make_enrolment(person, **second)
    assert broken() == ({"SUB2": [later.pk]} if overlaps else {})


@pytest.mark.parametrize(
    ("code", "died", "end", "wrong"),
    [
        ("CN-RURAL", date(2018, 5, 3), None, False),  # its year isn't over
        ("CN-RURAL", date(2017, 12, 31), None, True),
        ("CN-RURAL", date(2017, 1, 1), date(2017, 12, 1), False),
        ("CN-RURAL", date(2017, 1, 1), date(2018, 1, 1), True),
        (DISABLED, date(2018, 10, 1), None, False),
        (DISABLED, date(2018, 9, 30), None, True),
        (DISABLED, date(2018, 5, 1), date(2018, 5, 1), False),
        (DISABLED, date(2018, 4, 30), date(2018, 5, 1), True),
    ],
)
def test_lines_paid_beyond_a_death_are_found(person, code, died, end, wrong):
    person.death_date = died
    person.save()
    values = {"end_month": end, "end_reason": "死亡"} if end else {}
    line = make_enrolment(person, code, **values)
    assert broken() == ({"SUB3": [line.pk]} if wrong else {})


@pytest.mark.parametrize(
    ("died", "end", "wrong"),
    [
        (date(2017, 9, 30), date(2017, 9, 1), False),
        (date(2017, 9, 30), date(2017, 10, 1), True),
        (date(2017, 10, 1), date(2018, 9, 1), False),
        (date(2017, 10, 1), date(2018, 10, 1), True),
        (date(2017, 3, 1), date(2018, 3, 1), True),
        (date(2017, 10, 1), None, True),
        (date(2018, 10, 1), None, False),
    ],
)
def test_benefit_year_that_begins_in_october_ends_in_september(village, person, died, end, wrong):
    switch_on("YN-HEALTH-FEE", village.parent, ends="through the year")
    person.death_date = died
    person.save()
    values = {"end_month": end, "end_reason": "死亡"} if end else {}
    line = make_enrolment(person, "YN-HEALTH-FEE", **values)
    assert broken() == ({"SUB3": [line.pk]} if wrong else {})


def test_gap_and_month_of_both_in_a_move_are_found(person):
    before = make_enrolment(person, DISABLED, end_month=date(2018, 12, 1), end_reason="子女数变更")
    after = make_enrolment(person, DEATH, date(2019, 1, 1), moved_from=before)
    assert broken() == {}
    after.start_month = date(2019, 2, 1)
    after.save()
    assert broken() == {"SUB4": [after.pk]}
    after.start_month = date(2018, 12, 1)
    after.save()
    assert broken() == {"SUB4": [after.pk, after.pk]}


def test_both_without_a_move_are_found(person):
    make_enrolment(person, DISABLED)
    both = make_enrolment(person, DEATH, date(2017, 1, 1))
    assert broken() == {"SUB4": [both.pk]}


def test_confirmed_application_without_a_line_is_found(
    person, clerk, propagandist, reviewer, county_user
):
    asked = make_application(
        person, clerk, state="confirmed", start_month=date(2018, 1, 1), submitted_by=propagandist,
        village_passed_by=clerk, township_passed_by=reviewer, county_passed_by=county_user,
    )  # fmt: skip
    assert broken() == {"SUB5": [asked.pk]}
    make_enrolment(person, start=date(2018, 1, 1), application=asked)
    assert broken() == {}


@pytest.mark.parametrize("seed", range(6))
def test_services_never_break_them(seed, village, clerk, reviewer, county_user):
    """Two hundred things done at random, most of them refused."""
    rng = random.Random(seed)
    codes = ["CN-RURAL", DISABLED, DEATH, "SD-ONLY-CHILD", "SD-URBAN", "YN-LUMP"]
    people = [one for _ in range(3) for one in make_old_couple(village)]
    done = 0
    for _ in range(200):
        month = date(rng.randint(2012, 2019), rng.randint(1, 12), 1)
        lines = list(Enrolment.objects.order_by("pk"))
        try:
            what = rng.random()
            if what < 0.3 or not lines:
                enrol(
                    by=county_user, resident=rng.choice(people), policy_code=rng.choice(codes),
                    start_month=month,
                )  # fmt: skip
            elif what < 0.35:
                one = rng.choice(people)
                if one.death_date is None and not _beyond(one, month):
                    one.death_date = month
                    one.save()
            elif what < 0.7:
                kind = rng.choice(EnrolmentChange.Kind.values)
                propose_change(
                    by=clerk, enrolment=rng.choice(lines), month=month, note="核实", now=NOW,
                    kind=kind, end_reason=rng.choice(ExitReason.values) if kind == "end" else "",
                    never_paid=kind in ("end", "move") and rng.random() < 0.1,
                )  # fmt: skip
            else:
                _decide(rng, reviewer)
            done += 1
        except RuleViolation:
            continue
        assert broken() == {}, broken()
    assert done > 20


def _beyond(one, month) -> bool:
    """Whether a death in that month would leave lines that somebody has still to end: SUB3 warns of them."""
    return Enrolment.objects.filter(resident=one).exists() or month > NOW.date()


def _decide(rng, reviewer) -> None:
    waiting = list(EnrolmentChange.objects.filter(decision="").order_by("pk"))
    if not waiting:
        raise RuleViolation("nothing waits")
    change = rng.choice(waiting)
    decide_change(by=reviewer, change=change, accept=rng.random() < 0.9, note="核实", now=NOW)
