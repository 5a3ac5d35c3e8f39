"""The life of an uploaded workbook, and what is left when it ends early."""

import threading
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.imports import files, limits, runs, selectors, services
from fpadmin.imports.kinds import Unreadable
from fpadmin.imports.models import ImportBatch, ImportChange, ImportIssue
from fpadmin.jobs.kinds import JobFailed, LeaseLost
from fpadmin.jobs.models import Job
from households.models import Resident
from tests.factories.accounts import make_region, make_user

from .conftest import Context, person, residents
from .files import sheet_xml, xlsx

pytestmark = pytest.mark.django_db
State = ImportBatch.State


def stored_files() -> list[str]:
    return default_storage.listdir("imports")[1] if default_storage.exists("imports") else []


def test_upload_keeps_the_file_encrypted_and_has_it_checked(upload, clerk):
    content = residents(person("段光超", "00001"))
    batch = upload(content)
    (name,) = stored_files()
    with default_storage.open(f"imports/{name}") as file:
        raw = file.read()
    assert content not in raw
    assert "段光超".encode() not in raw
    assert files.read(batch) == content
    assert (batch.state, batch.size, batch.office) == (State.CHECKING, len(content), clerk.region)
    job = Job.objects.get(kind="import-check")
    assert job.params == {"batch": batch.pk}
    assert job.region_path == clerk.region.path
    event = AuditEvent.objects.get(type="import.uploaded")
    assert (event.target_id, event.actor_id) == (str(batch.pk), clerk.pk)


def test_upload_through_a_failing_event_leaves_nothing(upload, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(services.log, "record", fail)
    with pytest.raises(RuntimeError):
        upload(residents(person("段光超", "00001")))
    assert (ImportBatch.objects.count(), stored_files()) == (0, [])


def test_what_the_gate_refuses_is_not_kept(upload):
    with pytest.raises(RuleViolation) as caught:
        upload(b"MZ", "a.exe")
    assert caught.value.field == "file"
    assert (ImportBatch.objects.count(), stored_files()) == (0, [])


def test_the_same_file_sent_twice_is_one_batch(upload):
    content = residents(person("段光超", "00001"))
    assert upload(content).pk == upload(content, "改名.xlsx").pk
    assert ImportBatch.objects.count() == Job.objects.count() == len(stored_files()) == 1


def test_check_counts_and_keeps_every_problem_and_change(committed, checked):
    old = person("段光超", "00001")
    committed(residents(old))
    changed = [*old[:-1], "初中"]
    batch = checked(
        residents(
            changed, person("马明武", "00002", 公民身份号码="539981198005010010"), above=[["标题"]]
        )
    )
    assert batch.state == State.CHECKED
    assert (batch.rows, batch.created, batch.updated, batch.unchanged, batch.refused) == (
        2,
        0,
        1,
        0,
        1,
    )
    issue = batch.issues.get(severity=ImportIssue.Severity.ERROR)
    assert (issue.row, issue.cell, issue.column) == (4, "D4", "公民身份号码")
    assert "539981198005010010" not in issue.value
    change = batch.changes.get()
    assert (change.field, change.old, change.new) == ("文化程度", "小学", "初中")
    assert Resident.objects.get().education == "小学"


def test_a_check_that_runs_twice_keeps_its_findings_once(upload, clerk):
    batch = upload(residents(person("马明武", "1", 公民身份号码="539981198005010010")))
    for _ in range(2):
        runs.check(Context(clerk, batch=batch))
    ImportBatch.objects.update(state=State.CHECKING)
    runs.check(Context(clerk, batch=batch))
    assert ImportIssue.objects.count() == 1


def test_a_check_that_lost_its_lease_writes_nothing(upload, clerk):
    batch = upload(residents(person("马明武", "1", 公民身份号码="539981198005010010")))

    def lost():
        raise LeaseLost

    with pytest.raises(LeaseLost):
        runs.check(Context(clerk, fence=lost, batch=batch))
    batch.refresh_from_db()
    assert (batch.state, ImportIssue.objects.count()) == (State.CHECKING, 0)


def test_a_workbook_of_another_kind_is_unreadable_and_says_why(checked):
    batch = checked(xlsx(sheet_xml()))
    assert batch.state == State.UNREADABLE
    assert "居民登记表" in batch.failure


def test_confirm_and_commit_write_everything_once(checked, clerk):
    batch = checked(residents(person("段光超", "00001"), person("马明武", "00002")))
    services.confirm(batch=batch, good_rows=False, by=clerk)
    services.confirm(batch=batch, good_rows=False, by=clerk)
    assert Job.objects.filter(kind="import-commit").count() == 1
    assert Resident.objects.count() == 0
    for _ in range(2):
        runs.commit(Context(clerk, batch=batch))
    batch.refresh_from_db()
    assert (batch.state, batch.committed_by, batch.created) == (State.COMMITTED, clerk, 2)
    assert set(Resident.objects.values_list("name", flat=True)) == {"段光超", "马明武"}
    assert AuditEvent.objects.filter(type="import.committed").count() == 1
    assert AuditEvent.objects.get(type="import.finished").target_id == str(batch.pk)


def test_a_commit_cut_off_before_its_end_leaves_nothing_and_can_run_again(checked, clerk):
    batch = checked(residents(person("段光超", "00001")))
    services.confirm(batch=batch, good_rows=False, by=clerk)

    def lost():
        raise LeaseLost

    with pytest.raises(LeaseLost):
        runs.commit(Context(clerk, fence=lost, batch=batch))
    batch.refresh_from_db()
    assert (batch.state, batch.committed_at, Resident.objects.count()) == (
        State.COMMITTING,
        None,
        0,
    )
    runs.commit(Context(clerk, batch=batch))
    assert Resident.objects.count() == 1


def test_with_errors_nothing_is_written_unless_the_good_rows_are_chosen(checked, clerk):
    content = residents(
        person("段光超", "00001"), person("马明武", "00002", 公民身份号码="539981198005010010")
    )
    batch = checked(content)
    with pytest.raises(RuleViolation):
        services.confirm(batch=batch, good_rows=False, by=clerk)
    batch.refresh_from_db()
    assert batch.state == State.CHECKED
    services.confirm(batch=batch, good_rows=True, by=clerk)
    runs.commit(Context(clerk, batch=batch))
    batch.refresh_from_db()
    assert (batch.state, batch.good_rows_only, batch.refused) == (State.COMMITTED, True, 1)
    assert list(Resident.objects.values_list("name", flat=True)) == ["段光超"]


def test_errors_that_arose_after_the_confirmation_send_the_batch_back(checked, clerk):
    batch = checked(residents(person("段光超", "00001")))
    services.confirm(batch=batch, good_rows=False, by=clerk)
    other = make_region("539981001202")
    batch.office = other
    batch.save(update_fields=["office"])  # now the rows lie outside the office
    runs.commit(Context(clerk, batch=batch))
    batch.refresh_from_db()
    assert (batch.state, batch.refused, batch.committed_by) == (State.CHECKED, 1, None)
    assert "没有写入" in batch.failure
    assert Resident.objects.count() == 0


def test_the_same_file_again_changes_nothing_and_says_so(committed, checked, clerk):
    content = residents(person("段光超", "00001"))
    first = committed(content)
    second = checked(content, "又一次.xlsx")
    assert second.pk != first.pk
    assert (second.created, second.updated, second.unchanged) == (0, 0, 1)
    assert selectors.earlier_import(second, clerk) == first
    with pytest.raises(RuleViolation):
        services.confirm(batch=second, good_rows=False, by=clerk)


def test_discard_removes_file_and_findings(checked, clerk, django_capture_on_commit_callbacks):
    batch = checked(residents(person("马明武", "1", 公民身份号码="539981198005010010")))
    with django_capture_on_commit_callbacks(execute=True):
        services.discard(batch=batch, by=clerk)
    batch.refresh_from_db()
    assert (batch.state, batch.file, stored_files()) == (State.DISCARDED, "", [])
    assert ImportIssue.objects.count() == 0
    with pytest.raises(RuleViolation):
        services.confirm(batch=batch, good_rows=True, by=clerk)


def test_a_batch_discarded_during_its_check_stays_discarded(upload, clerk):
    batch = upload(residents(person("段光超", "00001")))
    context = Context(
        clerk,
        batch=batch,
        on_progress=lambda step: ImportBatch.objects.update(state=State.DISCARDED),
    )
    assert runs.check(context) == {}
    batch.refresh_from_db()
    assert batch.state == State.DISCARDED


def test_a_written_batch_cannot_be_discarded_or_checked_again(committed, clerk):
    batch = committed(residents(person("段光超", "00001")))
    for act in (services.discard, services.check_again):
        with pytest.raises(RuleViolation):
            act(batch=batch, by=clerk)


def test_check_again_looks_at_the_registry_as_it_is_now(checked, clerk):
    batch = checked(residents(person("段光超", "00001", 村居代码="539981001299")))
    assert batch.refused == 1
    make_region("539981001299")
    services.check_again(batch=batch, by=clerk)
    runs.check(Context(clerk, batch=batch))
    batch.refresh_from_db()
    assert (batch.state, batch.refused, batch.issues.count()) == (State.CHECKED, 0, 0)


def test_rights_are_looked_at_again_when_the_job_runs(upload, clerk):
    batch = upload(residents(person("段光超", "00001")))
    elsewhere = make_user("clerk", make_region("539981100"))
    with pytest.raises(JobFailed):
        runs.check(Context(elsewhere, batch=batch))
    reviewer = make_user("reviewer", clerk.region)
    with pytest.raises(JobFailed):
        runs.check(Context(reviewer, batch=batch))


def test_purge_removes_old_files_and_gives_up_what_was_never_confirmed(
    checked, committed, upload, clerk
):
    old = checked(residents(person("段光超", "00001")))
    done = committed(residents(person("马明武", "00002")))
    ImportBatch.objects.update(uploaded_at=timezone.now() - timedelta(days=100))
    fresh = upload(residents(person("乔翠", "00003")))
    orphan = files.keep(b"nobody's")
    before = timezone.now() - timedelta(days=90)
    assert services.purge(before=before, by=SystemJob("清理")) == 2
    for batch in (old, done, fresh):
        batch.refresh_from_db()
    assert (old.state, old.file, done.state, done.file) == (
        State.DISCARDED,
        "",
        State.COMMITTED,
        "",
    )
    assert files.read(fresh)
    assert default_storage.exists(orphan)  # it may belong to an upload under way
    assert ImportChange.objects.count() == 0
    files.drop_orphans(timezone.now() + timedelta(seconds=5))
    assert not default_storage.exists(orphan)
    assert files.read(fresh)


def test_a_stored_file_that_was_changed_is_refused_in_words(upload):
    batch = upload(residents(person("段光超", "00001")))
    with default_storage.open(batch.file, "r+b") as file:
        file.seek(60)
        file.write(b"x" * 20)
    with pytest.raises(Unreadable) as caught:
        files.read(batch)
    assert caught.value.code == "file_gone"


# Limits -----------------------------------------------------------------------------------------


def test_memory_over_the_limit_is_refused_in_words_and_the_limit_is_lifted_after(settings):
    settings.IMPORT_MEMORY_MB = 50
    with pytest.raises(Unreadable) as caught, limits.reading():
        bytearray(200 << 20)
    assert (caught.value.code, "50MB" in caught.value.message) == ("memory", True)
    assert len(bytearray(200 << 20)) == 200 << 20


def test_time_over_the_limit_is_refused_in_words(settings):
    settings.IMPORT_SECONDS = 1
    with pytest.raises(Unreadable) as caught, limits.reading():
        threading.Event().wait(20)
    assert caught.value.code == "too_slow"
