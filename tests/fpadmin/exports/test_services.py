"""Asking for a file, the limits of a day, the second person, the password, the clean-up."""

import io
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from fpadmin.accounts.permissions import ROLE_PERMISSIONS, Permission, Role
from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.exports import files, rules, selectors, services
from fpadmin.exports.models import Export
from fpadmin.exports.rules import Taken
from fpadmin.jobs.models import Job
from tests.factories.accounts import make_user
from tests.factories.exports import make_export
from tests.factories.households import make_household, make_resident

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.mark.parametrize(
    ("taken", "over"),
    [
        (Taken(rows=2500), False),
        (Taken(rows=2501), True),
        (Taken(rows=25, bank=25), False),
        (Taken(rows=26, bank=26), True),
        (Taken(rows=250, health=250), False),
        (Taken(rows=251, health=251), True),
    ],
)
def test_limits_hold_to_the_row(taken, over):
    assert bool(rules.over_limit(taken)) is over


def test_request_is_recorded_and_queued_without_personal_data(ask, clerk):
    session = {"searches": {"t": {"name": "张", "digest": "", "masked": ""}}}
    export = ask(clerk, query="search=t", session=session)
    event = AuditEvent.objects.get(type="export.requested")
    assert (export.state, export.rows, event.count) == ("granted", 1, 1)
    assert event.changes["trace"] == export.trace
    assert event.changes["columns"] == "姓名、公民身份号码"
    assert Job.objects.get().params == {"export": export.pk}
    assert "张" not in str(event.changes)


def test_whole_numbers_have_an_event_of_their_own(ask, clerk):
    ask(clerk, clear=True, note="办卡")
    assert AuditEvent.objects.filter(type="export.clear-requested").count() == 1
    assert not AuditEvent.objects.filter(type="export.requested").exists()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"clear": True}, "要写明原因"),
        ({"columns": ()}, "至少选一列"),
        ({"query": "sex=男&age_min=190"}, "没有可以导出的记录"),
        ({"picked": range(1, 5002)}, "一次最多勾选"),
    ],
    ids=["clear without a reason", "no column", "nothing found", "too many ticks"],
)
def test_wrong_requests_are_refused_and_leave_nothing(ask, clerk, extra, message):
    with pytest.raises(RuleViolation, match=message):
        ask(clerk, **extra)
    assert not Export.objects.exists()
    assert not Job.objects.exists()


def test_who_may_not_is_refused(ask, propagandist, county_user):
    with pytest.raises(RuleViolation, match="不能导出"):
        ask(propagandist)
    with pytest.raises(RuleViolation, match="只能导出遮住的号码"):
        ask(county_user, clear=True, note="看看")


def test_request_rolls_back_when_its_event_fails(ask, clerk, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("no trail")

    monkeypatch.setattr(log, "record", broken)
    with pytest.raises(RuntimeError):
        ask(clerk)
    assert not Export.objects.exists()


def test_over_the_limit_needs_a_note_and_waits(ask, clerk, settings):
    settings.EXPORT_LIMIT_ROWS = 2
    with pytest.raises(RuleViolation, match="写明原因") as refusal:
        ask(clerk)
    assert refusal.value.field == "note"
    export = ask(clerk, note="报送")
    assert (export.state, export.needs_approval, export.job) == ("waiting", True, None)


def test_small_exports_of_one_day_add_up(ask, clerk, people, settings):
    settings.EXPORT_LIMIT_ROWS = 2
    one = [people[0].pk]
    assert [ask(clerk, picked=one).state for _ in range(2)] == ["granted", "granted"]
    assert ask(clerk, picked=one, note="第三次").state == "waiting"
    tomorrow = timezone.now() + timedelta(days=1)
    assert ask(clerk, picked=one, now=tomorrow).state == "granted"


def test_another_persons_exports_do_not_count(ask, clerk, reviewer, people, settings):
    settings.EXPORT_LIMIT_ROWS = 2
    ask(clerk, picked=[people[0].pk, people[1].pk])
    assert ask(reviewer, picked=[people[0].pk]).state == "granted"


def test_bank_accounts_and_health_have_lower_limits(ask, clerk, settings):
    settings.EXPORT_LIMIT_BANK = settings.EXPORT_LIMIT_HEALTH = 1
    assert ask(clerk, columns=("name",)).state == "granted"
    assert ask(clerk, columns=("name", "bank_account"), note="发放").state == "waiting"
    assert ask(clerk, columns=("name", "disability_grade"), note="走访").state == "waiting"


def test_list_of_people_with_a_disability_is_health_data_without_the_column(ask, clerk, settings):
    settings.EXPORT_LIMIT_HEALTH = 0
    export = ask(clerk, query="disability=yes", columns=("name",), note="走访")
    assert (export.has_health, export.state) == (True, "waiting")


def test_run_that_failed_gave_nothing_and_does_not_count(ask, clerk):
    export = ask(clerk)
    assert selectors.taken_on(clerk, timezone.now()).rows == 3
    Job.objects.filter(pk=export.job_id).update(state="failed")
    assert selectors.taken_on(clerk, timezone.now()).rows == 0


def test_second_person_approves_and_the_file_is_made(
    ask, clerk, reviewer, settings, opened, run_jobs_now
):
    settings.EXPORT_LIMIT_ROWS = 2
    export = ask(clerk, note="报送")
    services.approve(export=export, by=reviewer, now=NOW)
    run_jobs_now()
    sheet, _ = opened(export)
    assert sheet["A6"].value == "张三"
    assert AuditEvent.objects.get(type="export.approved").actor_id == reviewer.pk


def test_what_was_approved_must_not_have_grown(
    ask, clerk, reviewer, village, settings, run_jobs_now
):
    settings.EXPORT_LIMIT_ROWS = 2
    export = ask(clerk, note="报送")
    services.approve(export=export, by=reviewer, now=NOW)
    make_resident(make_household(village), "赵六")
    run_jobs_now()
    assert "超过批准的3条" in Job.objects.get().error


def test_nobody_approves_their_own_and_nothing_is_decided_twice(
    ask, reviewer, county_user, clerk, settings
):
    settings.EXPORT_LIMIT_ROWS = 2
    own = ask(reviewer, note="报送")
    with pytest.raises(RuleViolation, match="不能审批自己"):
        services.approve(export=own, by=reviewer, now=NOW)
    with pytest.raises(RuleViolation, match="不能审批导出"):
        services.approve(export=own, by=clerk, now=NOW)
    services.refuse(export=own, by=county_user, reason="太多", now=NOW)
    with pytest.raises(RuleViolation, match="已经处理过"):
        services.approve(export=own, by=county_user, now=NOW)
    own.refresh_from_db()
    assert (own.state, own.refusal, own.job) == ("refused", "太多", None)
    assert AuditEvent.objects.filter(type="export.refused").count() == 1


def test_password_is_shown_once_to_who_asked(ask, clerk, reviewer, run_jobs_now):
    export = ask(clerk)
    run_jobs_now()
    export.refresh_from_db()
    with pytest.raises(RuleViolation):
        services.show_password(export=export, by=reviewer, now=timezone.now())
    assert services.show_password(export=export, by=clerk, now=timezone.now()) == export.password
    with pytest.raises(RuleViolation, match="已经显示过一次"):
        services.show_password(export=export, by=clerk, now=timezone.now())
    assert AuditEvent.objects.filter(type="export.password-shown").count() == 1
    export.refresh_from_db()
    assert export.password == ""


def test_file_is_handed_to_nobody_else(ask, clerk, reviewer, run_jobs_now):
    export = ask(clerk)
    run_jobs_now()
    export.refresh_from_db()
    assert services.open_file(export=export, by=reviewer) is None
    assert services.open_file(export=export, by=clerk)
    export.refresh_from_db()
    assert export.downloads == 1


def test_clean_up_deletes_old_files_and_orphans_and_keeps_the_rest(ask, clerk, run_jobs_now):
    old, fresh = ask(clerk), ask(clerk)
    run_jobs_now()
    week = timezone.now() - timedelta(days=8)
    Export.objects.filter(pk=old.pk).update(made_at=week)
    files.keep(io.BytesIO(b"orphan"))
    before = rules.purged_before(timezone.now())
    assert services.purge(before=before, by=log.SystemJob("清理")) == 1
    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.state, old.file, old.password) == ("gone", "", "")
    assert (fresh.state, bool(files.read(fresh))) == ("made", True)
    assert AuditEvent.objects.get(type="export.purged").count == 1
    # The orphan is too young to be told from a file that is being written.
    later = timezone.now() + timedelta(minutes=1)
    services.purge(before=later, by=log.SystemJob("清理"))
    assert default_storage.listdir("exports")[1] == []


def test_rights_of_exports_are_apart():
    holders = {
        permission: {role for role in Role if permission in ROLE_PERMISSIONS[role]}
        for permission in (Permission.EXPORT, Permission.EXPORT_CLEAR, Permission.EXPORT_APPROVE)
    }
    assert holders == {
        Permission.EXPORT: {"clerk", "reviewer", "county"},
        Permission.EXPORT_CLEAR: {"clerk", "reviewer"},
        Permission.EXPORT_APPROVE: {"reviewer", "county"},
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "granted"},
        {"state": "elsewhere"},
        {"scope": "whole"},
        {"purpose": "fun"},
        {"rows": 0},
        {"state": "made", "needs_approval": False},
        {"decided_at": NOW},
        {"file": "x"},
    ],
    ids="+".join,
)
def test_database_refuses_an_export_that_cannot_be(wrong, clerk):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_export(clerk, **wrong)


def test_database_refuses_ones_own_approval_and_a_trace_used_twice(clerk):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_export(clerk, decided_by=clerk, decided_at=NOW)
    make_export(clerk, trace="A")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_export(clerk, trace="A")


def test_exports_are_seen_by_their_owner_and_by_who_approves_there(
    clerk, reviewer, township, county_user, other_township
):
    export = make_export(clerk)
    colleague = make_user("clerk", township, "colleague")
    elsewhere = make_user("reviewer", other_township)
    seen = {u.username: Export.objects.visible_to(u).filter(pk=export.pk).exists()
            for u in (clerk, reviewer, county_user, colleague, elsewhere)}  # fmt: skip
    assert list(seen.values()) == [True, True, True, False, False]
    assert Export.objects.to_decide(reviewer).get() == export
    assert not Export.objects.to_decide(clerk).exists()
