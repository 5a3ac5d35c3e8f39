"""Every state with every act: what the literal table allows happens, everything else is refused."""

import pytest
from django.db import IntegrityError, transaction

from fpadmin.errors import RuleViolation
from subsidies.models import TRANSITIONS, Application, ApplicationState
from subsidies.services import applications as services
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.benefits import make_application, switch_on
from tests.factories.notices import PHONE
from tests.subsidies.applications.conftest import NOW

pytestmark = pytest.mark.django_db
ACTS = {
    "submit": lambda by, one: services.submit(by=by, application=one, today=TODAY, now=NOW),
    "pass": lambda by, one: services.pass_step(by=by, application=one, today=TODAY, now=NOW),
    "return": lambda by, one: services.return_step(
        by=by, application=one, reason="请补材料。", today=TODAY, now=NOW
    ),
    "refuse": lambda by, one: services.refuse(by=by, application=one, reason="不实。", now=NOW),
    "withdraw": lambda by, one: services.withdraw(by=by, application=one, now=NOW),
}  # fmt: skip
CASES = [(state, act) for state in ApplicationState.values for act in ACTS]


@pytest.fixture
def actors(township, village, propagandist, reviewer, county_user):
    """Whoever would take the step of a state."""
    maker = make_user("clerk", township, "actor")
    return {
        "draft": maker, "returned": maker, "village": propagandist, "notice": propagandist,
        "township": reviewer, "county": county_user,
    }  # fmt: skip


def at_state(state: str, resident, clerk, others, start) -> Application:
    """An application as it stands after its steps, put there without the service."""
    values = {"state": state}
    order = ["village", "notice", "township", "county", "confirmed", "refused"]
    if state in order:
        values |= {"submitted_by": clerk, "waiting_since": NOW, "start_month": start}
    for step, column in (
        ("notice", "village_passed_by"), ("county", "township_passed_by"),
        ("confirmed", "county_passed_by"),
    ):  # fmt: skip
        if state in order and order.index(state) >= order.index(step) and state != "refused":
            values[column] = others[column]
    return make_application(resident, clerk, **values)


@pytest.fixture
def application_at(couple, clerk, township, village, county, propagandist):
    """application_at(state) → one that stands there; earlier steps by colleagues now gone."""
    others = {
        "village_passed_by": make_user("propagandist", village, "v"),
        "township_passed_by": make_user("reviewer", township, "t"),
        "county_passed_by": make_user("county", county, "c"),
    }
    start = TODAY.replace(month=1, day=1)
    return lambda state: at_state(state, couple[0], clerk, others, start)


def _hung_out(application, by) -> None:
    """On a notice whose term is over."""
    from datetime import date

    from subsidies.models import Notice, NoticeLine

    notice = Notice.objects.create(
        village=application.resident.village, policy_code=application.policy_code,
        posted_on=date(2018, 9, 10), days=7, ends_on=date(2018, 9, 19), posted_by=by, phone=PHONE,
    )  # fmt: skip
    NoticeLine.objects.create(notice=notice, application=application)


@pytest.mark.parametrize(("state", "act"), CASES, ids=[f"{s}-{a}" for s, a in CASES])
def test_act_in_state(state, act, application_at, actors, clerk):
    application = application_at(state)
    if state == "notice":
        _hung_out(application, clerk)
    ways = TRANSITIONS.get(state, {})
    actor = actors.get(state, clerk)

    if act in ways:
        target = ways["pass_without_notice"] if (state, act) == ("village", "pass") else ways[act]
        assert ACTS[act](actor, application).state == target
        application.refresh_from_db()
        assert application.state == target
    else:
        with pytest.raises(RuleViolation, match="不在这一步"):
            ACTS[act](actor, application)
        application.refresh_from_db()
        assert application.state == state
        assert not application.steps.exists()


def test_public_notice_comes_before_the_township(application_at, actors, county, clerk):
    switch_on("CN-RURAL", county, TODAY, notice_days=7)
    application = application_at("village")

    on_notice = ACTS["pass"](actors["village"], application)
    assert on_notice.state == "notice"
    with pytest.raises(RuleViolation, match="还没有张贴公示"):
        ACTS["pass"](actors["notice"], on_notice)

    _hung_out(on_notice, clerk)
    assert ACTS["pass"](actors["notice"], on_notice).state == "township"


def test_what_was_sent_back_from_a_notice_comes_off_it(application_at, actors, clerk):
    application = application_at("notice")
    _hung_out(application, clerk)

    ACTS["return"](actors["notice"], application)
    assert application.notice_lines.get().removed_on == TODAY


def test_stale_view_of_a_state_is_refused(application_at, actors):
    """Whoever looks at an earlier step doesn't take the next by mistake."""
    seen = application_at("village")
    Application.objects.filter(pk=seen.pk).update(state="township")

    with pytest.raises(RuleViolation, match="不在这一步"):
        ACTS["return"](actors["township"], seen)


@pytest.mark.parametrize("state", ["confirmed"])
def test_database_confirms_nothing_that_not_all_have_passed(state, couple, clerk):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_application(couple[0], clerk, state=state)


def test_database_knows_no_other_state(couple, clerk):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_application(couple[0], clerk, state="paid")


def test_database_keeps_one_open_application(couple, clerk):
    make_application(couple[0], clerk)
    make_application(couple[0], clerk, state="withdrawn")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_application(couple[0], clerk, state="county")
