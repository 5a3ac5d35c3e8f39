"""The inspection pack: what is in it, for whom, and that it is made whole or not at all."""

import io
import zipfile
from datetime import date

import docx
import openpyxl
import pytest
import pyzipper
from django.core.files.storage import default_storage
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from fpadmin.accounts import permissions
from fpadmin.accounts.permissions import ROLE_PERMISSIONS, Permission, Role
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.exports import services
from fpadmin.exports.models import Export
from fpadmin.exports.packs import PACKS
from fpadmin.jobs import runner
from fpadmin.jobs.models import Job
from fpadmin.ui.listing import Asked, Selection
from households.models import FamilyDocument, HealthCheck, Resident, SpecialFamily
from households.special import pack
from households.special.uploads import paper_of
from tests.conftest import TODAY
from tests.factories.special import make_archive, make_contact, make_document, make_record, pdf

pytestmark = pytest.mark.django_db
URL = "households:special-pack-create"
DEATH_CAUSE = "查无此病因"


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def families(village, other_village, far_village, clerk):
    """One of 庄科村 with papers and a record, one of 安丰营村 without, one of another township."""
    first = make_archive(village, number="00007")
    SpecialFamily.objects.filter(pk=first.pk).update(difficulties="老伴\x0b有病=1+1", needs="看病")
    family = SpecialFamily.objects.get(pk=first.pk)
    family.cause_of_death = DEATH_CAUSE
    family.save(update_fields=["cause_of_death"])
    make_record(make_contact(family), date(2018, 9, 4), outcome="送米面油")
    make_document(family, clerk, title="../光荣证𬱖")
    make_document(family, clerk, kind="death", title="肝癌死亡证明", colour="red")
    from households.services.special_documents import add_document

    add_document(
        by=clerk, family=family, kind="application", title="申请表、审批表",
        paper=paper_of("a.pdf", pdf()),
    )  # fmt: skip
    return family, make_archive(other_village, number="00003"), make_archive(far_village)


def ask(by, *, picked=(), parts=(), note="市卫健委年度检查", query="", **extra) -> Export:
    asked = Asked(by, QueryDict(query), {}, TODAY)
    return services.request_pack(
        by=by,
        pack=PACKS[pack.KEY],
        selection=Selection(asked, tuple(picked), is_all=not picked),
        scope="picked" if picked else "found",
        parts=list(parts),
        purpose="inspect",
        note=note,
        now=extra.pop("now", timezone.now()),
    )


def sealed(export: Export) -> pyzipper.AESZipFile:
    """What is downloaded, still closed."""
    export.refresh_from_db()
    assert export.state == "made", export.job.error if export.job else export.state
    content = b"".join(services.open_file(export=export, by=export.requested_by))
    return pyzipper.AESZipFile(io.BytesIO(content))


def opened(export: Export) -> zipfile.ZipFile:
    """The files of the pack: whoever has no password reads none of their names."""
    archive = sealed(export)
    password = export.password
    assert archive.namelist() == ["特殊家庭迎检资料包.zip"]
    archive.setpassword(password.encode())
    return zipfile.ZipFile(io.BytesIO(archive.read("特殊家庭迎检资料包.zip")))


def words_of(archive, name) -> str:
    """All text of a Word file: header, footer, paragraphs and cells."""
    paper = docx.Document(io.BytesIO(archive.read(name)))
    section = paper.sections[0]
    texts = [p.text for p in [*section.header.paragraphs, *section.footer.paragraphs]]
    texts += [p.text for p in paper.paragraphs]
    texts += [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join(texts)


def directory(archive) -> list[tuple]:
    sheet = openpyxl.load_workbook(io.BytesIO(archive.read("00-目录.xlsx"))).active
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=6)]


def failed(job_id) -> str:
    job = Job.objects.get(pk=job_id)
    assert job.state == "failed"
    return job.error


def stored() -> list[str]:
    return default_storage.listdir("exports")[1] if default_storage.exists("exports") else []


def test_pack_holds_a_folder_per_family_in_the_order_of_an_inspection(
    families, clerk, run_jobs_now
):
    export = ask(clerk)
    run_jobs_now()
    archive = opened(export)
    assert export.rows == 2
    assert archive.namelist() == [
        "00-目录.xlsx",
        "01-庄科村-00007/一户一档.docx",
        "01-庄科村-00007/01-独生子女父母光荣证-.._光荣证𬱖.jpg",
        "01-庄科村-00007/02-申请表、审批表.pdf",
        "02-安丰营村-00003/一户一档.docx",
    ]
    assert archive.read("01-庄科村-00007/02-申请表、审批表.pdf") == pdf()


def test_directory_lists_what_is_in_held_back_and_missing(families, clerk, run_jobs_now):
    export = ask(clerk)
    run_jobs_now()
    rows = directory(opened(export))
    assert {row[:5] for row in rows} == {
        (1, "庄科村", "00007", "戴飞飞、董丽怡", "独生子女死亡"),
        (2, "安丰营村", "00003", "戴飞飞、董丽怡", "独生子女死亡"),
    }
    first = [row[5:7] for row in rows if row[0] == 1]
    assert first[0][0].startswith("一户一档：家庭情况、")
    assert first[1:] == [
        ("独生子女父母光荣证：../光荣证𬱖", "有"),
        ("申请表、审批表：申请表、审批表", "有"),
        ("死亡证明", "有，未装入"),
        ("身份证或户口簿", "缺"),
        ("结婚证或离婚证", "缺"),
    ]
    missing = [row[5] for row in rows if row[0] == 2 and row[6] == "缺"]
    assert missing[:2] == ["独生子女父母光荣证", "死亡证明"]


def test_word_file_has_every_part_and_says_who_made_it(families, clerk, run_jobs_now):
    export = ask(clerk)
    run_jobs_now()
    archive = opened(export)
    words = words_of(archive, "01-庄科村-00007/一户一档.docx")
    for text in (
        "戴飞飞、董丽怡　一户一档", "禄脿街道　特殊家庭一户一档", "家庭情况", "联系人", "老伴有病=1+1",
        "送米面油", "档案材料目录", "单位（盖章）", clerk.name, export.trace, "仅供工作使用",
    ):  # fmt: skip
        assert text in words, text
    raw = docx.Document(io.BytesIO(archive.read("01-庄科村-00007/一户一档.docx")))
    assert raw.sections[0].page_width.mm == pytest.approx(210, abs=0.5)
    footer = raw.sections[0].footer._element.xml
    assert 'w:instr="PAGE"' in footer
    assert 'w:instr="NUMPAGES"' in footer
    numbers = Resident.objects.filter(household=families[0].household)
    assert not any(one.id_number in words for one in numbers)


def test_health_goes_in_only_when_asked_for_and_is_recorded(families, clerk, run_jobs_now):
    family = families[0]
    parent = family.parents.first().resident
    HealthCheck.objects.create(
        family=family, resident=parent, checked_on=date(2018, 5, 1), result="血压偏高",
        recorded_on=TODAY,
    )  # fmt: skip
    secrets = (DEATH_CAUSE, "血压偏高", "肝癌")
    plain, whole = ask(clerk), ask(clerk, parts=["health"])
    run_jobs_now()
    without, with_health = opened(plain), opened(whole)
    everything = str(directory(without)) + str(without.namelist())
    everything += words_of(without, "01-庄科村-00007/一户一档.docx")
    assert not [secret for secret in secrets if secret in everything]
    words = words_of(with_health, "01-庄科村-00007/一户一档.docx")
    assert DEATH_CAUSE in words
    assert "血压偏高" in words
    assert "01-庄科村-00007/02-死亡证明-肝癌死亡证明.jpg" in with_health.namelist()
    requested = AuditEvent.objects.filter(type="export.requested").order_by("pk")
    assert [e.changes["columns"] for e in requested] == ["不含健康材料", "健康材料和死亡原因"]
    packed = AuditEvent.objects.filter(type="special.packed", target_id=str(family.pk))
    assert [e.changes for e in packed.order_by("pk")] == [{}, {"what": "死亡、残疾材料"}]
    assert AuditEvent.objects.filter(type="special.packed").count() == 4


def test_pack_opens_with_its_password_only(families, clerk, run_jobs_now):
    export = ask(clerk)
    run_jobs_now()
    assert "00-目录.xlsx" in opened(export).namelist()
    archive = sealed(export)
    archive.setpassword(b"wrong")
    with pytest.raises(RuntimeError):
        archive.read(archive.namelist()[0])
    (name,) = stored()
    with default_storage.open(f"exports/{name}") as file:
        assert b"PK\x03\x04" not in file.read()


def test_ticked_families_only_and_none_of_elsewhere(families, clerk, run_jobs_now):
    export = ask(clerk, picked=[families[1].pk, families[2].pk])
    run_jobs_now()
    assert export.rows == 1
    assert [n for n in opened(export).namelist() if n.endswith("docx")] == [
        "01-安丰营村-00003/一户一档.docx"
    ]


def test_paper_that_cannot_be_read_leaves_a_note_in_its_place(families, clerk, run_jobs_now):
    broken = FamilyDocument.objects.get(kind="certificate")
    default_storage.delete(broken.file)
    export = ask(clerk)
    run_jobs_now()
    archive = opened(export)
    (note,) = [name for name in archive.namelist() if name.endswith(".txt")]
    assert "打不开" in note
    assert "请在系统里重新上传" in archive.read(note).decode("utf-8-sig")


def test_request_wants_a_purpose_in_words_and_rows(families, clerk):
    for extra, words in (({"note": ""}, "请写明用途"), ({"picked": [families[2].pk]}, "没有可以")):
        with pytest.raises(RuleViolation, match=words):
            ask(clerk, **extra)
    assert not Export.objects.exists()
    assert not Job.objects.exists()


def test_who_may_not_see_all_or_no_health_is_refused(
    families, clerk, propagandist, county_user, monkeypatch
):
    for user in (propagandist, county_user):
        with pytest.raises(RuleViolation, match="不能导出这个资料包"):
            ask(user)
    rights = ROLE_PERMISSIONS[Role.CLERK] - {Permission.SPECIAL_HEALTH}
    monkeypatch.setitem(permissions.ROLE_PERMISSIONS, Role.CLERK, rights)
    with pytest.raises(RuleViolation, match="不能导出所选的内容"):
        ask(clerk, parts=["health"])


def test_rights_are_looked_at_again_when_it_is_made(families, clerk, monkeypatch, run_jobs_now):
    export = ask(clerk, parts=["health"])
    rights = ROLE_PERMISSIONS[Role.CLERK] - {Permission.SPECIAL_HEALTH}
    monkeypatch.setitem(permissions.ROLE_PERMISSIONS, Role.CLERK, rights)
    (job,) = run_jobs_now()
    assert failed(job) == "您的岗位已不能导出所选的内容。"
    assert stored() == []
    assert Export.objects.get(pk=export.pk).state == "granted"
    assert not AuditEvent.objects.filter(type="special.packed").exists()


def test_over_the_limit_a_second_person_decides(families, clerk, reviewer, settings, run_jobs_now):
    settings.EXPORT_LIMIT_HEALTH = 1
    export = ask(clerk)
    assert (export.state, export.has_health) == ("waiting", True)
    assert run_jobs_now() == []
    services.approve(export=export, by=reviewer, now=timezone.now())
    run_jobs_now()
    assert opened(export).namelist()


def test_run_twice_makes_one_pack_and_one_record(families, clerk, run_jobs_now):
    export = ask(clerk)
    (job,) = run_jobs_now()
    export.refresh_from_db()
    Job.objects.filter(pk=job).update(state="queued")
    runner.run(job)
    assert Export.objects.get(pk=export.pk).sha256 == export.sha256
    assert len(stored()) == 1
    assert AuditEvent.objects.filter(type="special.packed").count() == 2


def test_failure_on_the_way_leaves_nothing_and_can_be_tried_again(
    families, clerk, monkeypatch, run_jobs_now
):
    export = ask(clerk)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(pack, "archive_docx", full)
        (job,) = run_jobs_now()
    assert "磁盘空间不足" in failed(job)
    assert stored() == []
    assert not AuditEvent.objects.filter(type="special.packed").exists()
    Job.objects.filter(pk=job).update(state="queued")
    run_jobs_now()
    assert opened(export).namelist()


def test_cancelled_on_the_way_leaves_nothing(families, clerk, monkeypatch, run_jobs_now):
    export = ask(clerk)
    made = pack.archive_docx

    def cancelled(**values):
        Job.objects.filter(pk=export.job_id).update(cancel_requested=True)
        return made(**values)

    monkeypatch.setattr(pack, "archive_docx", cancelled)
    monkeypatch.setattr(runner, "PROGRESS_SECONDS", 0)
    run_jobs_now()
    assert Job.objects.get(pk=export.job_id).state == "cancelled"
    assert stored() == []
    assert not AuditEvent.objects.filter(type="special.packed").exists()


def test_only_one_paper_is_in_memory_at_a_time(families, clerk, run_jobs_now, monkeypatch):
    """The next one is read only after the one before was written."""
    steps = []
    read, enter = pack.documents.content_of, zipfile.ZipFile.open

    def content_of(document):
        steps.append("read")
        return read(document)

    def entered(self, *args, **kwargs):
        steps.append("written")
        return enter(self, *args, **kwargs)

    monkeypatch.setattr(pack.documents, "content_of", content_of)
    monkeypatch.setattr(zipfile.ZipFile, "open", entered)
    ask(clerk)
    run_jobs_now()
    papers = [step for step in steps if step == "read"]
    assert len(papers) == 2
    assert "readread" not in "".join(steps)


# Pages --------------------------------------------------------------------------------------------


def test_clerk_asks_with_two_clicks_and_fetches(families, clerk, sign_in, run_jobs_now):
    client = sign_in(clerk)
    listed = client.get(reverse("households:special-family-list")).content.decode()
    assert reverse(URL) in listed
    page = client.get(reverse(URL)).content.decode()
    assert "列表里的全部家庭，共2户" in page
    assert "健康材料和死亡原因" in page
    answer = {"step": "ask", "all": "1", "scope": "found", "purpose": "inspect", "note": "年度检查"}
    reply = client.post(reverse(URL), answer)
    export = Export.objects.get()
    assert reply["Location"] == export.get_absolute_url()
    assert (export.rows, export.columns, export.pack) == (2, [], "special-archives")
    assert "年度检查" not in str(export.job.params)
    run_jobs_now()
    shown = client.get(export.get_absolute_url()).content.decode()
    assert "2户" in shown
    assert "迎接检查" in shown
    password = client.post(reverse("exports:export-password", args=[export.pk])).content.decode()
    assert "只显示这一次" in password
    file = client.post(reverse("exports:export-download", args=[export.pk]))
    assert file.streaming
    content = file.getvalue()
    assert content[:2] == b"PK"
    assert int(file["Content-Length"]) == len(content)
    assert file["Content-Disposition"].startswith("attachment;")


def test_ticks_are_offered_first_and_none_leads_back(families, clerk, sign_in):
    client = sign_in(clerk)
    page = client.post(reverse(URL), {"picked": [str(families[0].pk)]}).content.decode()
    assert "勾选的1户" in page
    answer = {"step": "ask", "picked": str(families[0].pk), "scope": "picked"}
    client.post(reverse(URL), answer | {"purpose": "inspect", "note": "检查", "parts": ["health"]})
    export = Export.objects.get()
    assert (export.rows, export.scope, export.columns) == (1, "picked", ["health"])
    assert client.post(reverse(URL)).status_code == 302


def test_page_says_what_is_missing_in_the_answer(families, clerk, sign_in):
    answer = {"step": "ask", "all": "1", "scope": "found", "purpose": "inspect", "note": " "}
    page = sign_in(clerk).post(reverse(URL), answer).content.decode()
    assert "请写明用途。" in page
    assert "<title>错误：" in page


def test_pack_is_for_who_keeps_all_archives(families, propagandist, county_user, sign_in):
    for user in (propagandist, county_user):
        assert sign_in(user).get(reverse(URL)).status_code == 403
    listed = sign_in(propagandist).get(reverse("households:special-family-list"))
    assert reverse(URL) not in listed.content.decode()
