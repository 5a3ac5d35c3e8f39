"""Papers and photos of archives: sealed, opened on the record, removed with a reason."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from fpadmin import sealed
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.models import (
    HEALTH_DOCUMENTS,
    ContactRecord,
    FamilyDocument,
    SpecialFamily,
)
from households.services.scope import require_visible
from households.services.special_families import record_opening
from households.special.documents import FOLDER, content_of, kinds_for, may_open
from households.special.holding import locked_family
from households.special.uploads import Paper

EVENT_TYPES = {
    "special.document_added": "上传特殊家庭材料",
    "special.document_opened": "打开特殊家庭材料",
    "special.document_removed": "删除特殊家庭材料",
    "special.documents_swept": "清理特殊家庭无主文件",
    "special.packed": "导出特殊家庭资料包",
}
HEALTH_PAPER = "死亡、残疾材料"


@transaction.atomic
def add_document(
    *,
    by,
    family: SpecialFamily,
    kind: str,
    title: str,
    paper: Paper,
    record: ContactRecord | None = None,
) -> FamilyDocument:
    """Keep a checked file in the archive. A contact adds photos and receipts, the clerk everything.

    Refuses the same content twice in one archive, and a record of another one.
    """
    if kind not in dict(kinds_for(by)):
        raise RuleViolation("您的岗位不能上传这一类材料。", field="kind")
    if not title:
        raise RuleViolation("请填写材料名称。", field="title")
    if record and record.contact.family_id != family.pk:
        raise RuleViolation("联系记录不是这一户的。", field="record")
    # Locked, so that the same file sent twice at once is found.
    family = locked_family(family)
    require_visible(SpecialFamily.objects.visible_to(by), family)
    digest = hashlib.sha256(paper.content).hexdigest()
    same = family.documents.filter(sha256=digest, removed_at__isnull=True).first()
    if same:
        # Who may not open the other paper isn't told what it is called.
        called = f"“{same.title}”" if may_open(by, same) else "另一份材料"
        raise RuleViolation(f"这个文件已经在档案里，是{called}，不用再传。", field="file")
    stored = sealed.keep(FOLDER, paper.content)
    try:
        document = FamilyDocument.objects.create(
            family=family,
            record=record,
            kind=kind,
            title=title,
            file=stored,
            content_type=paper.content_type,
            size=len(paper.content),
            sha256=digest,
            uploaded_by=by,
        )
        _record("special.document_added", document, by)
    except BaseException:
        sealed.drop(stored)
        raise
    return document


@transaction.atomic
def remove_document(*, by, document: FamilyDocument, reason: str, now: datetime) -> None:
    """The file goes for good; what it was, who removed it and why stays. Refuses a second time."""
    if not reason:
        raise RuleViolation("请写明删除的原因。", field="reason")
    document = _fresh(document)
    if document.removed_at:
        raise RuleViolation("这份材料已经删除。")
    require_visible(FamilyDocument.objects.visible_to(by), document)
    stored, document.file = document.file, ""
    document.removed_at, document.removed_by, document.remove_reason = now, by, reason
    document.save(update_fields=["file", "removed_at", "removed_by", "remove_reason"])
    _record("special.document_removed", document, by)
    transaction.on_commit(lambda: sealed.drop(stored))


@transaction.atomic
def open_document(*, by, document: FamilyDocument) -> bytes | None:
    """The content, and the record that somebody read it; None where it is gone or was changed.

    A paper of a death or disability counts as an opening of the health part too.
    """
    content = content_of(document)
    if content is None:
        return None
    _record("special.document_opened", document, by)
    if document.kind in HEALTH_DOCUMENTS:
        record_opening(by=by, family=document.family, what=HEALTH_PAPER)
    return content


@transaction.atomic
def sweep_documents(*, before: datetime, by: log.SystemJob) -> int:
    """Remove stored files older than `before` that no document knows; return how many."""
    known = set(FamilyDocument.objects.exclude(file="").values_list("file", flat=True))
    orphans = sealed.drop_orphans(FOLDER, known=known, before=before)
    log.record("special.documents_swept", by=by, count=orphans)
    return orphans


def record_packed(*, by, families: Iterable[SpecialFamily], health: bool) -> None:
    """That these archives left in a pack, and whether what only the smallest circle reads was in it."""
    log.record_many(
        [
            log.Entry(
                "special.packed",
                target_type=family._meta.label_lower,
                target_id=str(family.pk),
                region_path=family.household.village.path,
                changes={"what": HEALTH_PAPER} if health else {},
            )
            for family in families
        ],
        by=by,
    )


def _fresh(document: FamilyDocument) -> FamilyDocument:
    FamilyDocument.objects.select_for_update().values_list("pk").get(pk=document.pk)
    return FamilyDocument.objects.select_related("family__household__village").get(pk=document.pk)


def _record(type_: str, document: FamilyDocument, by) -> None:
    log.record(type_, by=by, target=document, region_path=document.family.household.village.path)
