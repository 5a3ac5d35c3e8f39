"""The job that writes the file: once, whole, sealed; or nothing."""

import hashlib
import io
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from fpadmin import sealed
from fpadmin.audit.log import SystemJob
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.jobs import runner
from fpadmin.jobs.models import Job
from subsidies.bank_files import kept, runs
from subsidies.bank_files.kept import FOLDER
from subsidies.bank_files.layouts import SHIPPED
from subsidies.models import BankFile
from subsidies.services import bank_files, payments
from tests.factories.payments import NOW, TODAY, make_batch, make_payee, second_clerk

pytestmark = pytest.mark.django_db


def ask(clerk, batch, layout="xlsx"):
    return bank_files.request_file(by=clerk, batch=batch, layout=SHIPPED[layout], today=TODAY)


def stored() -> set[str]:
    return sealed.names(FOLDER)


def test_file_is_kept_with_the_seal_and_what_proves_it(sealed_batch, clerk):
    batch = sealed_batch()
    file = batch.bank_file
    content = b"".join(kept.content_of(file))
    assert (batch.state, batch.sealed_by) == ("sealed", clerk)
    assert (file.count, file.total, file.size) == (3, 2880, len(content))
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert file.name == f"{batch.number}.xlsx"
    assert stored() == {file.file}
    event = AuditEvent.objects.get(type="bank-file.made")
    assert event.count == 3
    assert event.changes["sha256"] == file.sha256
    assert Job.objects.get().state == "done"


def test_account_that_is_not_the_one_approved_makes_no_file(approved, clerk, content):
    batch = approved()
    batch.lines.filter(line_no=2).update(account="6229000000009999999")
    with pytest.raises(RuleViolation, match="第2行的账号不是批准时的账号"):
        content(batch, SHIPPED["xlsx"])


@pytest.mark.parametrize("layout", SHIPPED)
def test_file_made_anew_is_the_same_bytes_whatever_happened_since(
    sealed_batch, village, clerk, layout
):
    batch = sealed_batch(layout=layout)
    before = b"".join(kept.content_of(batch.bank_file))
    village.name = "新名村"
    village.save()
    payments.send_batch(by=clerk, batch=batch, today=TODAY, now=NOW)
    assert kept.regenerate(BankFile.objects.get()) == before


def test_file_of_a_batch_given_up_afterwards_is_still_made_anew(approved, clerk, run_jobs_now):
    batch = approved()
    line = batch.lines.get(line_no=2)
    payments.hold_line(by=clerk, line=line, reason="登记死亡", now=NOW)
    ask(clerk, batch, "text")
    run_jobs_now()
    payments.void_batch(by=clerk, batch=batch, note="换银行", today=TODAY, now=NOW)
    file = BankFile.objects.get()
    content = kept.regenerate(file)
    assert content == b"".join(kept.content_of(file))
    assert content.decode("gbk").count("\r\n") == 2
    assert "宋桂兰" not in content.decode("gbk")


def test_stored_bytes_hold_no_account_and_no_name(sealed_batch):
    batch = sealed_batch(layout="text")
    with default_storage.open(batch.bank_file.file) as file:
        raw = file.read()
    for line in batch.lines.all():
        assert line.account.encode() not in raw
        assert line.name.encode("gbk") not in raw
    job = Job.objects.get()
    assert batch.lines.first().account not in f"{job.params}{job.result}{job.title}"


def test_asked_for_twice_is_one_job(approved, clerk):
    batch = approved()
    assert ask(clerk, batch) == ask(clerk, batch, "text")


def test_delivered_again_changes_nothing(sealed_batch, clerk):
    batch = sealed_batch()
    before = BankFile.objects.values().get()
    Job.objects.update(state="queued")
    assert runner.run(Job.objects.get().pk) == "done"
    assert BankFile.objects.values().get() == before
    assert stored() == {before["file"]}
    assert batch.steps.filter(action="seal").count() == 1


def test_overtaken_copy_keeps_nothing(approved, clerk, monkeypatch):
    """The sweeper took the job back while the first copy wrote; its fence is stale (F09)."""
    batch = approved()
    job = ask(clerk, batch)
    keep_parts = sealed.keep_parts

    def overtaken(folder, source):
        name = keep_parts(folder, source)
        Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        runner._take_back(Job.objects.get(), timezone.now())
        runner.take(job.pk)
        return name

    monkeypatch.setattr(runs.sealed, "keep_parts", overtaken)
    assert runner.run(job.pk) is None
    batch.refresh_from_db()
    assert (batch.state, BankFile.objects.count(), stored()) == ("approved", 0, set())


def test_list_that_changed_while_it_was_written_is_not_sealed(approved, clerk, monkeypatch):
    batch = approved()
    job = ask(clerk, batch)
    keep_parts = sealed.keep_parts

    def held_meanwhile(folder, source):
        line = batch.lines.first()
        payments.hold_line(by=clerk, line=line, reason="登记死亡", now=NOW)
        return keep_parts(folder, source)

    monkeypatch.setattr(runs.sealed, "keep_parts", held_meanwhile)
    assert runner.run(job.pk) == "failed"
    job.refresh_from_db()
    assert "名单有变动" in job.error
    batch.refresh_from_db()
    assert (batch.state, BankFile.objects.count(), stored()) == ("approved", 0, set())


def test_seal_and_row_come_together_or_not_at_all(approved, clerk, monkeypatch):
    batch = approved()
    job = ask(clerk, batch)

    def refuse(*args, **kwargs):
        raise RuleViolation("no")

    monkeypatch.setattr(bank_files.log, "record", refuse)
    assert runs_to(job) == "failed"
    batch.refresh_from_db()
    assert (batch.state, BankFile.objects.count(), stored()) == ("approved", 0, set())
    assert not batch.steps.filter(action="seal").exists()


def runs_to(job):
    """Run the job's function alone: the runner records its own end."""

    class Context:
        job_id, params, by = job.pk, job.params, job.requested_by

        def progress(self, *args):
            pass

        check_fence = progress

    try:
        runs.run(Context())
    except RuleViolation:
        return "failed"
    return "done"


def test_only_who_makes_payments_of_the_office_has_a_file_made(
    approved, clerk, reviewer, county_user, other_clerk
):
    batch = approved()
    for by in (reviewer, county_user):
        with pytest.raises(RuleViolation, match="不由您的岗位"):
            ask(by, batch)
    with pytest.raises(RuleViolation):
        ask(other_clerk, batch)
    ask(second_clerk(batch.office), batch)


def test_batch_that_is_not_approved_has_no_file(clerk, township, village):
    make_payee(village)
    with pytest.raises(RuleViolation, match="草稿"):
        ask(clerk, make_batch(clerk, township))


def test_batch_of_held_lines_alone_has_no_file(approved, clerk):
    batch = approved("陶有田")
    payments.hold_line(by=clerk, line=batch.lines.get(), reason="登记死亡", now=NOW)
    job = ask(clerk, batch)
    assert runner.run(job.pk) == "failed"
    job.refresh_from_db()
    assert "没有可以发的明细" in job.error


def test_name_that_the_encoding_lacks_is_refused_before_anything_happens(approved, clerk):
    batch = approved("陶有田", "𠮷兰")
    with pytest.raises(RuleViolation, match=r"第2行.*GBK.*GB18030") as refused:
        ask(clerk, batch, "text")
    assert refused.value.field == "layout"
    assert not Job.objects.exists()
    ask(clerk, batch, "text-18030")


def test_sweep_leaves_files_that_a_batch_knows(sealed_batch):
    batch = sealed_batch()
    orphan = sealed.keep_parts(FOLDER, io.BytesIO(b"of a worker that was killed"))
    assert orphan in stored()
    later = timezone.now() + timedelta(minutes=1)
    assert bank_files.sweep_files(before=later, by=SystemJob("定时任务")) == 1
    assert stored() == {batch.bank_file.file}
    assert AuditEvent.objects.get(type="bank-file.swept").count == 1
