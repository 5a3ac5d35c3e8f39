"""The job that makes the file: what it holds, for whom, and that it stands whole or not at all."""

import io

import pytest
import pyzipper
from django.core.files.storage import default_storage

from fpadmin.audit.models import AuditEvent
from fpadmin.exports import files, runs
from fpadmin.exports.models import Export
from fpadmin.jobs import runner
from fpadmin.jobs.kinds import JobFailed
from fpadmin.jobs.models import Job
from fpadmin.ui.listing import LISTS
from tests.fpadmin.exports.conftest import ACCOUNT, PHONE, rows_of

pytestmark = pytest.mark.django_db
ALL = [column.key for column in LISTS["residents"].columns if column.in_file]


def failed(job_id) -> str:
    job = Job.objects.get(pk=job_id)
    assert job.state == "failed"
    return job.error


def stored() -> list[str]:
    return default_storage.listdir("exports")[1] if default_storage.exists("exports") else []


def test_file_holds_the_rows_of_the_list_with_typed_and_masked_cells(
    ask, clerk, people, opened, run_jobs_now
):
    export = ask(clerk, columns=ALL, note="核对")
    run_jobs_now()

    sheet, book = opened(export)
    heads = [cell.value for cell in sheet[5]]
    first = dict(zip(heads, rows_of(sheet)[0], strict=True))
    zhang = people[0]
    assert [row[0] for row in rows_of(sheet)] == ["张三", "=李四", "王五"]
    assert sheet["A7"].data_type == "s"
    assert first["公民身份号码"] == f"{zhang.id_number[:6]}********{zhang.id_number[-4:]}"
    assert (first["手机"], first["账号"]) == ("130****8404", "6299****8225")
    assert (first["年龄"], first["民族"], first["村组"]) == (38, "彝族", "庄科村")
    assert first["出生日期"].date() == zhang.birth_date
    assert first["户编号"] == "00001"
    text = str([c.value for row in sheet.iter_rows() for c in row])
    assert not any(secret in text for secret in (zhang.id_number, PHONE, ACCOUNT))
    assert book.properties.keywords == export.trace


def test_trace_of_the_file_leads_to_its_audit_events(ask, clerk, opened, run_jobs_now):
    export = ask(clerk)
    run_jobs_now()
    sheet, book = opened(export)
    assert export.trace in sheet["A4"].value
    events = AuditEvent.objects.filter(target_type="exports.export", target_id=str(export.pk))
    traced = {e.type for e in events if e.changes.get("trace") == book.properties.keywords}
    assert traced == {"export.requested", "export.made", "export.downloaded"}


def test_whole_numbers_only_for_who_may_and_then_they_are_whole(
    ask, clerk, people, opened, run_jobs_now
):
    export = ask(clerk, columns=("name", "id_number", "phone"), clear=True, note="办卡")
    run_jobs_now()
    sheet, _ = opened(export)
    assert rows_of(sheet)[0] == ["张三", people[0].id_number, PHONE]
    assert sheet["B6"].number_format == "@"


def test_only_the_columns_that_were_chosen_are_in_the_file(ask, clerk, opened, run_jobs_now):
    export = ask(clerk, columns=("name", "sex"))
    run_jobs_now()
    sheet, _ = opened(export)
    assert [cell.value for cell in sheet[5]] == ["姓名", "性别"]


def test_conditions_and_order_of_the_list_hold_in_the_file(ask, clerk, opened, run_jobs_now):
    export = ask(clerk, query="sex=男&sort=-name", columns=("name",))
    run_jobs_now()
    sheet, _ = opened(export)
    assert rows_of(sheet) == [["王五"], ["张三"]]
    assert "性别：男" in sheet["A2"].value


def test_search_of_the_session_goes_with_the_job_but_never_into_its_params(
    ask, clerk, opened, run_jobs_now
):
    session = {"searches": {"token": {"name": "王", "digest": "", "masked": ""}}}
    export = ask(clerk, query="search=token", session=session, columns=("name",))
    job = export.job
    assert "王" not in f"{job.params}{job.title}{job.key}"
    run_jobs_now()
    sheet, _ = opened(export)
    assert rows_of(sheet) == [["王五"]]


def test_ticked_rows_of_elsewhere_are_left_out(ask, village_exporter, people, opened, run_jobs_now):
    user = village_exporter
    export = ask(user, picked=[person.pk for person in people], columns=("name",))
    run_jobs_now()
    sheet, _ = opened(export)
    assert export.rows == 2
    assert [row[0] for row in rows_of(sheet)] == ["张三", "=李四"]


def test_scope_is_worked_out_when_the_job_runs(ask, clerk, other_township, run_jobs_now):
    export = ask(clerk)
    clerk.region = other_township
    clerk.save(update_fields=["region"])
    (job,) = run_jobs_now()
    assert "没有可以导出的记录" in failed(job)
    assert Export.objects.get(pk=export.pk).state == "granted"


def test_files_name_carries_the_day_that_the_list_speaks_of(ask, clerk, run_jobs_now):
    export = ask(clerk, query="as_of=2018-06-30")
    run_jobs_now()
    export.refresh_from_db()
    assert export.file_name.startswith("禄脿街道_居民_2018-06-30_")


def test_households_have_their_heads_and_sizes_in_the_file(ask, clerk, opened, run_jobs_now):
    export = ask(
        clerk, list_key="households", columns=("number", "head", "member_count", "low_income")
    )
    run_jobs_now()
    sheet, _ = opened(export)
    assert rows_of(sheet) == [["00001", "张三", 2, None], ["00001", "王五", 1, None]]


def test_file_opens_with_its_password_only_and_is_not_plain_in_the_storage(
    ask, clerk, run_jobs_now
):
    export = ask(clerk)
    run_jobs_now()
    export.refresh_from_db()
    (name,) = stored()
    with default_storage.open(f"exports/{name}") as file:
        raw = file.read()
    assert b"PK" not in raw[:64]
    with pyzipper.AESZipFile(io.BytesIO(b"".join(files.read(export)))) as archive:
        archive.setpassword(b"wrong")
        with pytest.raises(RuntimeError):
            archive.read(archive.namelist()[0])
    assert export.file_name.startswith("禄脿街道_居民_2018-10-09_")
    assert export.file_name.endswith(".zip")


def test_job_of_an_export_that_nobody_approved_is_refused(ask, clerk, settings, run_jobs_now):
    """A task sent by hand finds the same rule as the page."""
    settings.EXPORT_LIMIT_ROWS = 2
    export = ask(clerk, note="全部")
    assert (export.state, export.job) == ("waiting", None)
    job = Job.objects.create(
        kind="export", key="by hand", title="导出", params={"export": export.pk},
        requested_by=clerk, region_path=clerk.region.path,
    )  # fmt: skip
    run_jobs_now()
    assert "还没有批准" in failed(job.pk)
    assert stored() == []


def test_job_of_somebody_else_is_refused(ask, clerk, reviewer, run_jobs_now):
    export = ask(clerk)
    job = Job.objects.create(
        kind="export", key="by hand", title="导出", params={"export": export.pk},
        requested_by=reviewer, region_path=reviewer.region.path,
    )  # fmt: skip
    Job.objects.exclude(pk=job.pk).update(state="cancelled")
    run_jobs_now()
    assert "没有这个导出申请" in failed(job.pk)


def test_more_rows_than_a_limit_at_the_run_are_refused_then(ask, clerk, settings, run_jobs_now):
    export = ask(clerk)
    settings.EXPORT_LIMIT_ROWS = 2
    (job,) = run_jobs_now()
    assert "要由另一人审批" in failed(job)
    assert Export.objects.get(pk=export.pk).state == "granted"
    assert stored() == []


def test_run_twice_makes_one_file(ask, clerk, run_jobs_now):
    export = ask(clerk)
    (job,) = run_jobs_now()
    export.refresh_from_db()
    Job.objects.filter(pk=job).update(state="queued")
    runner.run(job)
    again = Export.objects.get(pk=export.pk)
    assert (again.sha256, again.file) == (export.sha256, export.file)
    assert len(stored()) == 1


def test_failure_while_writing_leaves_no_file(ask, clerk, monkeypatch, run_jobs_now):
    def broken(*args, **kwargs):
        raise JobFailed("坏了")

    ask(clerk)
    monkeypatch.setattr(runs.workbook, "write", broken)
    (job,) = run_jobs_now()
    assert failed(job) == "坏了"
    assert stored() == []


def test_run_that_was_overtaken_leaves_no_file(ask, clerk, monkeypatch, run_jobs_now):
    export = ask(clerk)
    keep = files.keep

    def overtaken(content):
        Job.objects.filter(pk=export.job_id).update(fence=99)
        return keep(content)

    monkeypatch.setattr(files, "keep", overtaken)
    run_jobs_now()
    export.refresh_from_db()
    assert (export.state, export.file) == ("granted", "")
    assert stored() == []


def test_cancelled_run_leaves_no_file(ask, clerk, run_jobs_now):
    export = ask(clerk)
    Job.objects.filter(pk=export.job_id).update(cancel_requested=True)
    run_jobs_now()
    assert Job.objects.get(pk=export.job_id).state == "cancelled"
    assert stored() == []
