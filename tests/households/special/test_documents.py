"""Papers of an archive: added, opened, removed and swept; by whom, and what the trail says."""

import os
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households.forms.special_documents import DocumentField
from households.models import FamilyDocument
from households.services import special_documents as services
from households.special import document_section, documents, invariants
from households.special.uploads import paper_of
from tests.conftest import TODAY
from tests.factories.special import (
    make_archive,
    make_contact,
    make_document,
    make_person,
    make_record,
    pdf,
    picture,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def family(village):
    return make_archive(village, number="00001")


@pytest.fixture
def contact(family, propagandist):
    """庄科村's propagandist as a contact of the family."""
    return make_contact(family, make_person(family.household.village, user=propagandist))


def url(name, one):
    return reverse(f"households:special-document-{name}", args=[one.pk])


def upload(name="户口簿.jpg", content=None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture() if content is None else content)


def stored() -> list[str]:
    return default_storage.listdir("special")[1] if default_storage.exists("special") else []


def add(by, family, **values):
    paper = values.pop("paper", None) or paper_of("a.jpg", picture())
    values = {"kind": "photo", "title": "合影"} | values
    return services.add_document(by=by, family=family, paper=paper, **values)


# Services -----------------------------------------------------------------------------------------


def test_paper_is_kept_sealed_and_on_record(family, clerk):
    document = add(clerk, family, kind="identity", title="户口簿")
    with default_storage.open(document.file) as file:
        raw = file.read()
    assert b"\xff\xd8\xff" not in raw
    assert documents.content_of(document)[:3] == b"\xff\xd8\xff"
    assert (document.content_type, document.uploaded_by) == ("image/jpeg", clerk)
    event = AuditEvent.objects.get(type="special.document_added")
    assert (event.target_id, event.region_path) == (
        str(document.pk),
        family.household.village.path,
    )
    assert event.changes == {}


def test_same_content_twice_in_one_archive_is_refused_kindly(family, village, clerk):
    first = add(clerk, family)
    with pytest.raises(RuleViolation, match="已经在档案里，是“合影”") as refusal:
        add(clerk, family, title="又一张")
    assert refusal.value.field == "file"
    assert len(stored()) == 1
    assert add(clerk, make_archive(village)).pk
    services.remove_document(by=clerk, document=first, reason="传错", now=timezone.now())
    assert add(clerk, family, title="又一张").pk


def test_double_of_a_health_paper_is_refused_without_its_name(family, clerk, contact, propagandist):
    add(clerk, family, kind="death", title="肝癌死亡证明")
    with pytest.raises(RuleViolation) as refusal:
        add(propagandist, family)
    assert "肝癌" not in refusal.value.message


@pytest.mark.parametrize("kind", ["photo", "receipt"])
def test_contact_adds_what_comes_of_a_visit(family, contact, propagandist, kind):
    record = make_record(contact, TODAY)
    assert add(propagandist, family, kind=kind, record=record).record == record


@pytest.mark.parametrize("kind", ["death", "disability", "identity", "certificate", "other"])
def test_contact_and_reviewer_add_no_other_kind(family, contact, propagandist, reviewer, kind):
    for user in (propagandist, reviewer):
        with pytest.raises(RuleViolation, match="不能上传这一类材料"):
            add(user, family, kind=kind)
    assert stored() == []


def test_record_of_another_archive_is_refused(family, village, clerk):
    other = make_record(make_contact(make_archive(village)), TODAY)
    with pytest.raises(RuleViolation, match="不是这一户的"):
        add(clerk, family, record=other)


def test_archive_out_of_sight_takes_nothing(family, other_clerk, propagandist):
    for user in (other_clerk, propagandist):
        with pytest.raises(RuleViolation):
            add(user, family)
    assert stored() == []
    assert not FamilyDocument.objects.exists()


def test_adding_leaves_no_file_where_the_event_fails(family, clerk, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(services.log, "record", broken)
    with pytest.raises(RuntimeError):
        add(clerk, family)
    assert not FamilyDocument.objects.exists()
    assert stored() == []


@pytest.mark.django_db(transaction=True)
def test_removed_paper_loses_its_file_and_keeps_its_row(family, clerk):
    document = make_document(family, clerk)
    services.remove_document(by=clerk, document=document, reason="传错户", now=timezone.now())
    document.refresh_from_db()
    assert stored() == []
    assert (document.file, document.remove_reason, document.removed_by) == ("", "传错户", clerk)
    assert AuditEvent.objects.get(type="special.document_removed").changes == {}
    with pytest.raises(RuleViolation, match="已经删除"):
        services.remove_document(by=clerk, document=document, reason="再删", now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_file_stays_where_the_removal_is_undone(family, clerk):
    document = make_document(family, clerk)

    @transaction.atomic
    def remove_and_fail():
        services.remove_document(by=clerk, document=document, reason="传错", now=timezone.now())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        remove_and_fail()
    document.refresh_from_db()
    assert document.removed_at is None
    assert documents.content_of(document)


def test_removal_wants_a_reason_and_sight_of_the_archive(family, clerk, other_clerk):
    document = make_document(family, clerk)
    for by, reason in ((clerk, ""), (other_clerk, "传错")):
        with pytest.raises(RuleViolation):
            services.remove_document(by=by, document=document, reason=reason, now=timezone.now())
    document.refresh_from_db()
    assert document.removed_at is None


def test_file_that_was_swapped_or_changed_is_not_served(family, clerk):
    first = make_document(family, clerk)
    second = make_document(family, clerk, colour="red")
    FamilyDocument.objects.filter(pk=first.pk).update(file=second.file)
    first.refresh_from_db()
    assert services.open_document(by=clerk, document=first) is None
    with default_storage.open(second.file) as file:
        raw = bytearray(file.read())
    raw[-1] ^= 1
    default_storage.delete(second.file)
    default_storage.save(second.file, ContentFile(bytes(raw)))
    assert services.open_document(by=clerk, document=second) is None
    assert not AuditEvent.objects.filter(type="special.document_opened").exists()


def test_sweep_removes_old_files_that_nobody_knows(family, clerk):
    document = make_document(family, clerk)
    default_storage.save("special/stray.bin", ContentFile(b"x"))
    before = timezone.now() - timedelta(days=1)
    sweep = {"before": before, "by": log.SystemJob("清理")}
    assert services.sweep_documents(**sweep) == 0
    for name in stored():
        os.utime(default_storage.path(f"special/{name}"), (0, 0))
    assert services.sweep_documents(**sweep) == 1
    assert stored() == [document.file.rpartition("/")[2]]
    assert AuditEvent.objects.filter(type="special.documents_swept", count=1).exists()


def test_paper_without_its_file_is_found_by_the_nightly_check(family, clerk):
    assert not list(invariants.lost_papers(timezone.now()))
    document = make_document(family, clerk)
    assert not list(invariants.lost_papers(timezone.now()))
    default_storage.delete(document.file)
    (finding,) = invariants.lost_papers(timezone.now())
    assert (finding.pk, finding.region_path) == (family.pk, family.household.village.path)


# Pages --------------------------------------------------------------------------------------------


def test_clerk_uploads_and_downloads_under_a_name_that_says_what_it_is(family, clerk, sign_in):
    client = sign_in(clerk)
    answer = client.post(url("create", family), {"kind": "identity", "title": "", "file": upload()})
    document = FamilyDocument.objects.get()
    assert answer["Location"] == f"{family.get_absolute_url()}#documents"
    assert document.title == "身份证或户口簿"
    file = client.get(url("file", document))
    assert file.content[:3] == b"\xff\xd8\xff"
    assert file["Content-Type"] == "image/jpeg"
    assert file["X-Content-Type-Options"] == "nosniff"
    assert file["Cache-Control"] == "no-store"
    disposition = unquote(file["Content-Disposition"])
    assert disposition == "attachment; filename*=utf-8''庄科村00001_身份证或户口簿.jpg"
    assert AuditEvent.objects.filter(type="special.document_opened").count() == 1


def test_pdf_is_never_shown_in_the_page(family, clerk, sign_in):
    document = add(clerk, family, kind="application", paper=paper_of("a.pdf", pdf()))
    file = sign_in(clerk).get(url("file", document))
    assert file["Content-Disposition"].startswith("attachment;")
    assert file["Content-Type"] == "application/pdf"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "庄科村00001_.._.._etc_passwd.jpg"),
        ("𬱖𫍯㛃的户口簿", "庄科村00001_𬱖𫍯㛃的户口簿.jpg"),
        ("\U0003134f𱍐", "庄科村00001_\U0003134f𱍐.jpg"),
        ('a"b<c>|?*:', "庄科村00001_a_b_c_____.jpg"),
        ("户口\u202egpj.exe\r\nX: 1", "庄科村00001_户口gpj.exeX_ 1.jpg"),
        ("长" * 80, f"庄科村00001_{'长' * 51}.jpg"),
    ],
    ids=["path", "rare", "newest", "signs", "turning", "long"],
)
def test_any_title_makes_a_harmless_name(family, clerk, sign_in, title, name):
    document = add(clerk, family, title=title)
    assert documents.file_name(document) == name
    disposition = sign_in(clerk).get(url("file", document))["Content-Disposition"]
    assert "\n" not in disposition
    assert unquote(disposition.rpartition("''")[2] or disposition) == name


def test_stored_name_says_nothing_of_the_uploaded_one(family, clerk, sign_in):
    posted = {"kind": "other", "title": "名", "file": upload("../../戴飞飞.jpg")}
    sign_in(clerk).post(url("create", family), posted)
    (name,) = stored()
    assert len(name) == 36
    assert FamilyDocument.objects.get().file == f"special/{name}"


def test_wrong_files_come_back_with_their_sentence(family, clerk, sign_in, settings):
    settings.DOCUMENT_MAX_BYTES = 1024 * 1024
    client = sign_in(clerk)
    for file, words in (
        (upload(content=b""), "文件是空的"),
        (upload(content=b"x" * 1_100_000), "超过1MB的上限"),
        (upload("a.svg", b"<svg/>"), "只能上传JPG、PNG图片或PDF"),
        (upload("a.jpg", b"<html>"), "内容却是网页"),
        (upload("a.pdf", pdf(trailer=b"/Encrypt 5 0 R")), "PDF有密码"),
        (None, "还没有选择文件"),
    ):
        data = {"kind": "identity", "title": "户口簿"} | ({"file": file} if file else {})
        page = client.post(url("create", family), data).content.decode()
        assert words in page
        assert "<title>错误：" in page
        assert "户口簿" in page
    assert stored() == []


def test_contact_is_offered_photos_and_receipts_only(family, contact, propagandist, sign_in):
    client = sign_in(propagandist)
    page = client.get(url("create", family)).content.decode()
    assert "照片" in page
    assert "死亡证明" not in page
    refused = client.post(url("create", family), {"kind": "death", "title": "x", "file": upload()})
    assert "您的岗位不能上传这一类材料" in refused.content.decode()
    assert not FamilyDocument.objects.exists()


@pytest.mark.parametrize("kind", ["death", "disability"])
def test_health_papers_open_to_the_smallest_circle(
    family, contact, clerk, reviewer, propagandist, sign_in, kind
):
    document = add(clerk, family, kind=kind, title="证明")
    assert sign_in(propagandist).get(url("file", document)).status_code == 403
    assert sign_in(clerk).get(url("file", document)).status_code == 200
    assert sign_in(reviewer).get(url("file", document)).status_code == 200
    seen = AuditEvent.objects.filter(type="special.health_viewed")
    assert set(seen.values_list("actor_id", flat=True)) == {clerk.pk, reviewer.pk}
    for user, shown in ((propagandist, []), (clerk, [document])):
        assert document_section.context(user, family, TODAY)["documents"] == shown


def test_contact_opens_a_plain_paper_and_removes_none(
    family, contact, clerk, propagandist, sign_in
):
    document = make_document(family, clerk)
    client = sign_in(propagandist)
    assert client.get(url("file", document)).status_code == 200
    assert client.post(url("remove", document), {"reason": "x"}).status_code == 403


def test_other_places_and_removed_papers_are_404(
    family, clerk, other_clerk, propagandist, other_propagandist, county_user, sign_in
):
    document = make_document(family, clerk)
    for user in (other_clerk, propagandist, other_propagandist):
        assert sign_in(user).get(url("file", document)).status_code == 404
    assert sign_in(county_user).get(url("file", document)).status_code == 403
    client = sign_in(clerk)
    page = client.post(url("remove", document), {"reason": ""}).content.decode()
    assert "请写明删除的原因" in page
    assert client.post(url("remove", document), {"reason": "传错"}).status_code == 302
    assert client.get(url("file", document)).status_code == 404
    assert client.get(url("remove", document)).status_code == 404


def test_section_says_what_is_missing_to_who_sees_every_paper(
    village, clerk, contact, propagandist, family
):
    make_document(family, clerk, kind="marriage")
    shown = document_section.context(clerk, family, TODAY)
    assert shown["missing"] == [
        "独生子女父母光荣证", "死亡证明", "身份证或户口簿", "申请表、审批表",
    ]  # fmt: skip
    assert document_section.context(propagandist, family, TODAY)["missing"] == []
    disabled = make_archive(village, kind="伤残")
    assert "残疾证或鉴定书" in document_section.context(clerk, disabled, TODAY)["missing"]
    hurt = make_archive(village, kind="手术并发症")
    assert len(document_section.context(clerk, hurt, TODAY)["missing"]) == 4


def test_section_on_the_page_and_on_paper(family, clerk, sign_in):
    make_document(family, clerk, title="光荣证第一页")
    make_document(family, clerk, kind="death", title="死亡证明书", colour="red")
    page = sign_in(clerk).get(family.get_absolute_url()).content.decode()
    assert "光荣证第一页" in page
    assert "还缺：身份证或户口簿" in page
    (table,) = document_section.paper(clerk, family, TODAY)
    assert [row[:2] for row in table.rows] == [("独生子女父母光荣证", "光荣证第一页")]


def test_section_costs_the_same_for_many_papers(family, clerk, assert_query_count_does_not_grow):
    make_document(family, clerk)
    colours = iter(["red", "green", "blue", "black"])

    def shown():
        rows = document_section.context(clerk, family, TODAY)["documents"]
        return [(one.uploaded_by.name, one.get_kind_display()) for one in rows]

    def grow():
        for colour in colours:
            make_document(family, clerk, colour=colour)

    assert_query_count_does_not_grow(shown, grow)


def test_photo_field_takes_a_picture_or_nothing():
    field = DocumentField(pictures_only=True, required=False)
    assert field.clean(None) is None
    assert field.clean(upload()).content_type == "image/jpeg"
    assert field.widget.attrs["accept"] == "image/jpeg,image/png"
    with pytest.raises(Exception, match="这里只能上传照片"):
        field.clean(upload("a.pdf", pdf()))
