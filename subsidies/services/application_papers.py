"""Papers of applications: sealed, opened on the record, removed."""

import hashlib
from datetime import datetime

from django.db import transaction

from fpadmin import sealed
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.services.scope import require_visible
from households.special.uploads import Paper
from subsidies.applications.papers import FOLDER, addable_for, content_of, kinds_for
from subsidies.models import Application, ApplicationPaper

EVENT_TYPES = {
    "application.paper_added": "上传申请材料",
    "application.paper_opened": "打开申请材料",
    "application.paper_removed": "删除申请材料",
    "application.papers_swept": "清理无主申请材料",
}
NOT_NOW = "申请已经提交，材料不能再改。需要补充的，请先退回。"
PANEL_ONLY = "村级评议时只能上传村级评议表。"


@transaction.atomic
def add_paper(
    *, by, application: Application, kind: str, title: str, paper: Paper
) -> ApplicationPaper:
    """Keep a checked file with the application.

    Refuses it once the application was sent on, but for the village's own paper while it reviews and
    what it adds while the notice hangs; and the same content twice.
    """
    application = _locked(by, application)
    kinds = addable_for(by, application)
    if kind not in kinds:
        raise RuleViolation(PANEL_ONLY if kinds else NOT_NOW, field="kind")
    digest = hashlib.sha256(paper.content).hexdigest()
    same = application.papers.filter(sha256=digest, removed_at__isnull=True).first()
    if same:
        raise RuleViolation(f"这个文件已经传过，是“{same.title}”，不用再传。", field="file")
    stored = sealed.keep(FOLDER, paper.content)
    try:
        kept = ApplicationPaper.objects.create(
            application=application,
            kind=kind,
            title=title,
            file=stored,
            content_type=paper.content_type,
            size=len(paper.content),
            sha256=digest,
            uploaded_by=by,
        )
        _record("application.paper_added", kept, by)
    except BaseException:
        sealed.drop(stored)
        raise
    return kept


@transaction.atomic
def remove_paper(*, by, paper: ApplicationPaper, now: datetime) -> None:
    """The file goes for good; that it was there stays. Refuses it once the application was sent on."""
    application = _locked(by, paper.application)
    paper = ApplicationPaper.objects.select_related("application__resident__village").get(
        pk=paper.pk
    )
    if paper.removed_at:
        raise RuleViolation("这份材料已经删除。")
    if paper.kind not in kinds_for(by, application):
        raise RuleViolation(NOT_NOW)
    stored, paper.file, paper.removed_at = paper.file, "", now
    paper.save(update_fields=["file", "removed_at"])
    _record("application.paper_removed", paper, by)
    transaction.on_commit(lambda: sealed.drop(stored))


@transaction.atomic
def open_paper(*, by, paper: ApplicationPaper) -> bytes | None:
    """The content, and the record that somebody read it; None where it is gone or was changed."""
    content = content_of(paper)
    if content is not None:
        _record("application.paper_opened", paper, by)
    return content


@transaction.atomic
def sweep_papers(*, before: datetime, by: log.SystemJob) -> int:
    """Remove stored files older than `before` that no paper knows; return how many."""
    known = set(ApplicationPaper.objects.exclude(file="").values_list("file", flat=True))
    orphans = sealed.drop_orphans(FOLDER, known=known, before=before)
    log.record("application.papers_swept", by=by, count=orphans)
    return orphans


def _locked(by, application: Application) -> Application:
    Application.objects.select_for_update().values_list("pk").get(pk=application.pk)
    application = Application.objects.select_related("resident__village").get(pk=application.pk)
    require_visible(Application.objects.visible_to(by), application)
    return application


def _record(type_: str, paper: ApplicationPaper, by) -> None:
    log.record(
        type_,
        by=by,
        target=paper.application,
        region_path=paper.application.resident.village.path,
        changes={"kind": ["", paper.get_kind_display()]},
    )
