"""The trail: complete, chained, append-only, the same hash whichever database keeps it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import DatabaseError, connection, connections, transaction

from fpadmin.audit import log
from fpadmin.audit.models import AppendOnly, AuditEvent, ChainHead
from tests.factories.accounts import make_user

JOB = log.SystemJob("测试")


@pytest.fixture(autouse=True)
def _type(monkeypatch):
    monkeypatch.setitem(log.EVENT_TYPES, "test.done", "测试")


def record(**extra):
    return log.record("test.done", by=extra.pop("by", JOB), **extra)


def tamper(sql, *parameters):
    """What somebody with the database's own rights could do: the triggers lifted first."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER ALL")
        else:
            cursor.execute("DROP TRIGGER audit_no_update")
            cursor.execute("DROP TRIGGER audit_no_delete")
        cursor.execute(sql, parameters)


@pytest.fixture
def five(db):
    return [record(changes={"n": n}) for n in range(5)]


def test_event_says_who_what_where(clerk, village):
    event = record(by=clerk, target=village, region_path=village.path, count=3)
    event.refresh_from_db()
    assert (event.actor_id, event.role, event.region_path) == (clerk.pk, "clerk", village.path)
    assert (event.target_type, event.target_id, event.count) == (
        "accounts.region",
        str(village.pk),
        3,
    )
    assert event.actor == f"{clerk.name}（{clerk.username}）"


def test_nobody_and_unregistered_types_are_refused(db):
    with pytest.raises(ValueError, match="a user or a named system job"):
        record(by=None)
    with pytest.raises(ValueError, match="not registered"):
        log.record("test.unknown", by=JOB)
    with pytest.raises(ValueError, match="unknown result"):
        record(by=JOB, result="perhaps")
    assert not AuditEvent.objects.exists()


def test_type_cannot_be_registered_twice_with_other_words():
    with pytest.raises(ValueError, match="registered twice"):
        log.register_types({"test.done": "别的"})


def test_chain_of_untouched_events_holds(five):
    assert log.verify() == log.Verification(
        end_id=five[-1].pk,
        end_hash=five[-1].hash,
        rows=5,
        last_id=five[-1].pk,
        last_hash=five[-1].hash,
        done=True,
    )


def test_verification_goes_on_where_it_stopped(five):
    state = log.begin_verification()
    steps = 0
    while not state.done:
        state = log.verify_on(state, 2)
        steps += 1
    assert (state.rows, state.broken_id, steps) == (5, None, 3)


def test_events_written_during_a_verification_are_no_break(five):
    state = log.verify_on(log.begin_verification(), 2)
    record()
    while not state.done:
        state = log.verify_on(state, 2)
    assert (state.rows, state.broken_id) == (5, None)


def test_empty_trail_holds(db):
    assert log.first_broken() is None


def test_changed_event_is_named(five):
    tamper("UPDATE audit_auditevent SET actor = 'x' WHERE id = %s", five[2].pk)
    assert log.first_broken() == five[2].pk


def test_event_cut_from_the_middle_is_named_by_the_next(five):
    tamper("DELETE FROM audit_auditevent WHERE id = %s", five[2].pk)
    assert log.first_broken() == five[3].pk


def test_events_cut_from_the_end_are_noticed(five):
    tamper("DELETE FROM audit_auditevent WHERE id >= %s", five[3].pk)
    assert log.first_broken() == five[2].pk + 1


def test_all_events_cut_away_are_noticed(five):
    tamper("DELETE FROM audit_auditevent")
    assert log.first_broken() == 1


def test_two_events_swapped_are_noticed(five):
    first, second = five[1], five[2]
    tamper("DELETE FROM audit_auditevent WHERE id IN (%s, %s)", first.pk, second.pk)
    first.pk, second.pk = second.pk, first.pk
    AuditEvent.objects.bulk_create([first, second])
    assert log.first_broken() == second.pk


def test_chain_made_with_another_key_does_not_hold(five, settings):
    settings.AUDIT_KEY = "another"
    assert log.first_broken() == five[0].pk


@pytest.mark.parametrize(
    "changes",
    [
        {"a": [None, True], "b": ["x", 1], "乡": "镇"},
        {"rate": [97.37, 0.1], "tiny": 1.5e-07, "zero": -0.0, "whole": 2.0},
        {"huge": 1e300, "big": 10**18, "nan": float("nan"), "inf": float("inf")},
        {1: "number key", "b": {2: "x", 10: "y"}},
        {"tuple": (1, 2), "day": date(2018, 10, 9)},
        {"nul": "a\x00b", "newline": "x\n2026-01-01 admin login ok", "emoji": "𠮷䶮"},
        {},
    ],
    ids=["plain", "floats", "huge", "keys", "types", "text", "empty"],
)
def test_hash_is_the_same_after_a_round_trip(changes, db):
    event = record(changes=changes)
    again = AuditEvent.objects.get(pk=event.pk)
    assert again.changes == event.changes
    assert log.chained_hash(again) == event.hash
    assert log.first_broken() is None


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "::1", "FE80:0:0:0::1", "2001:db8:0:1:0:0:0:1", "::ffff:10.0.0.1", None]
)
def test_address_is_hashed_in_one_spelling(address, db):
    token = log.trace.set(log.RequestTrace(address=address, user_agent="x" * 300))
    try:
        record()
    finally:
        log.trace.reset(token)
    assert log.first_broken() is None
    assert len(AuditEvent.objects.get().user_agent) == 200


def test_microseconds_survive(db):
    event = record()
    assert AuditEvent.objects.get().at == event.at


def test_code_cannot_change_or_delete_an_event(five):
    event = five[0]
    with pytest.raises(AppendOnly):
        event.save()
    with pytest.raises(AppendOnly):
        event.delete()


@pytest.mark.parametrize(
    "sql", ["UPDATE audit_auditevent SET actor = 'x'", "DELETE FROM audit_auditevent"]
)
def test_database_refuses_to_change_or_delete_events(sql, five):
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert AuditEvent.objects.count() == 5


def test_rolled_back_work_leaves_no_event_and_no_gap_in_the_chain(five):
    undo = transaction.savepoint()
    record()
    transaction.savepoint_rollback(undo)
    record()
    assert AuditEvent.objects.count() == 6
    assert log.first_broken() is None


def test_bulk_events_are_chained_in_order(db, clerk):
    entries = [log.Entry("test.done", "accounts.user", str(n)) for n in range(1500)]
    events = log.record_many(entries, by=clerk)
    assert ChainHead.objects.get().last_hash == events[-1].hash
    assert log.verify().rows == 1500
    assert log.first_broken() is None


def test_personal_fields_say_only_that_they_changed(clerk):
    before = make_user("clerk", clerk.region, "before", name="旧名")
    after = make_user("clerk", clerk.region, "after", name="新名", is_active=False)
    changes = log.changes_between(before, after, ["name", "is_active", "role", "region"])
    assert changes == {"name": ["已变更"], "is_active": [True, False]}


def test_auditor_sees_own_county_and_the_system(auditor, clerk, village):
    mine = record(by=clerk)
    system = record()
    foreign = record(region_path="53.5399.539982.")
    seen = set(AuditEvent.objects.visible_to(auditor))
    assert seen == {mine, system}
    assert foreign not in seen
    auditor.is_active = False
    assert not AuditEvent.objects.visible_to(auditor).exists()


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_once_keep_one_chain():
    def write(name):
        try:
            for _ in range(15):
                record(by=log.SystemJob(name))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["甲", "乙"]))
    assert log.verify().rows == 30
    assert log.first_broken() is None
