"""Requests from villages: proposed once, decided once, by somebody else."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households import services
from households.models import ChangeRequest, LifeEvent, Resident
from tests.factories.households import make_household, make_resident

NOW = datetime(2018, 10, 9, 8, tzinfo=UTC)
TODAY = date(2018, 10, 9)
pytestmark = pytest.mark.django_db


@pytest.fixture
def person(village):
    return make_resident(make_household(village), "张三")


def propose(by, person, kind="outflow", **more):
    values = {
        "village": person.village, "resident": person, "household": person.household,
        "content": {"happened_on": ["2018-9-1"], "note": ["去昆明"]}, "happened_on": date(2018, 9, 1),
    }  # fmt: skip
    return services.propose_change(by=by, kind=kind, **values | more)


def outflow(by, person):
    return lambda: services.record_event(
        by=by,
        kind="outflow",
        values={"members": [person]},
        happened_on=date(2018, 9, 1),
        today=TODAY,
    )


def test_request_changes_nothing_until_it_is_accepted(person, propagandist, clerk):
    request = propose(propagandist, person)
    assert not LifeEvent.objects.exists()
    event = services.accept_request(
        by=clerk, request=request, record=outflow(clerk, person), now=NOW
    )
    request.refresh_from_db()
    person.refresh_from_db()
    assert (request.state, request.event, request.decided_by) == ("accepted", event, clerk)
    assert person.residence == "流出"
    types = AuditEvent.objects.filter(type__startswith="request.").values_list("type", flat=True)
    assert sorted(types) == ["request.accepted", "request.made"]


def test_content_is_kept_encrypted(person, propagandist):
    request = propose(propagandist, person)
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM households_changerequest")
        assert "2018-9-1" not in cursor.fetchone()[0]
    assert "2018-9-1" in ChangeRequest.objects.get(pk=request.pk).content


def test_same_request_is_not_made_twice(person, propagandist):
    request = propose(propagandist, person)
    with pytest.raises(RuleViolation, match="已经提出"):
        propose(propagandist, person)
    services.withdraw_request(by=propagandist, request=request)
    propose(propagandist, person)
    assert ChangeRequest.objects.waiting().count() == 1


def test_request_for_another_village_is_refused(person, other_propagandist):
    with pytest.raises(RuleViolation, match="不在您的区划"):
        propose(other_propagandist, person)
    assert not ChangeRequest.objects.exists()


def test_refused_change_leaves_the_request_waiting(person, propagandist, clerk):
    request = propose(propagandist, person)
    Resident.objects.filter(pk=person.pk).update(residence="流入")
    with pytest.raises(RuleViolation, match="只有常住"):
        services.accept_request(by=clerk, request=request, record=outflow(clerk, person), now=NOW)
    request.refresh_from_db()
    assert (request.state, request.decided_by) == ("submitted", None)


def test_decided_request_is_not_decided_again(person, propagandist, clerk):
    request = propose(propagandist, person)
    services.reject_request(by=clerk, request=request, reason="日期不对", now=NOW)
    with pytest.raises(RuleViolation, match="已经处理"):
        services.accept_request(by=clerk, request=request, record=outflow(clerk, person), now=NOW)
    with pytest.raises(RuleViolation, match="已经处理"):
        services.withdraw_request(by=propagandist, request=request)
    assert not LifeEvent.objects.exists()


def test_nobody_decides_on_their_own_request(person, clerk):
    request = propose(clerk, person)
    with pytest.raises(RuleViolation, match="由别人处理"):
        services.accept_request(by=clerk, request=request, record=lambda: None, now=NOW)
    with pytest.raises(RuleViolation, match="由别人处理"):
        services.reject_request(by=clerk, request=request, reason="不对", now=NOW)


def test_only_who_asked_withdraws(person, propagandist, clerk):
    request = propose(propagandist, person)
    with pytest.raises(RuleViolation, match="本人提出"):
        services.withdraw_request(by=clerk, request=request)


def test_rejection_needs_a_reason(person, propagandist, clerk):
    request = propose(propagandist, person)
    with pytest.raises(RuleViolation, match="退回要写原因"):
        services.reject_request(by=clerk, request=request, reason=" ", now=NOW)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "lost"},
        {"state": "accepted"},
        {"state": "rejected", "reason": ""},
    ],
)
def test_database_refuses_a_decision_by_nobody(values, person, propagandist):
    request = propose(propagandist, person)
    with pytest.raises(IntegrityError), transaction.atomic():
        ChangeRequest.objects.filter(pk=request.pk).update(**values)


def test_database_refuses_a_decision_by_who_asked(person, propagandist):
    request = propose(propagandist, person)
    with pytest.raises(IntegrityError), transaction.atomic():
        ChangeRequest.objects.filter(pk=request.pk).update(
            state="accepted", decided_by=propagandist, decided_at=NOW
        )
