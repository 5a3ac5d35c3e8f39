"""Public notices (公示): posted, photographed, objected to, waited out. None goes on before its term."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import transaction

from fpadmin import sealed
from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.special.uploads import Paper
from subsidies.applications.looking import book_for
from subsidies.models import Application, ApplicationState, Notice, NoticeLine, Objection
from subsidies.notices import terms
from subsidies.notices.photos import FOLDER
from subsidies.services.applications import pass_step, return_step

# A notice that was put up on Friday is entered on Monday. Much later is too late to have been seen.
DAYS_BACK = 7

EVENT_TYPES = {
    "notice.posted": "张贴公示",
    "notice.photo_added": "上传公示照片",
    "notice.printed": "打印公示表",
    "notice.photos_swept": "清理公示无主照片",
    "notice.closed": "结束公示",
    "objection.recorded": "登记公示异议",
    "objection.decided": "处理公示异议",
}
CHANGE_LABELS = {"people": "公示人数", "passed_on": "转乡镇初审人数"}


@transaction.atomic
def post_notice(
    *,
    by,
    village: Region,
    policy_code: str,
    applications: Collection[Application],
    posted_on: date,
    phone: str,
    place: str = "",
    today: date,
) -> Notice:
    """One notice of a village and policy. Its working days are those of the rule on the posting day.

    Refuses a day to come, one too long ago, a policy that isn't to be posted, and applications that
    are elsewhere, of another policy, not past the village's review, or on a notice already.
    """
    if not applications:
        raise RuleViolation("请至少勾选一位申请人。", field="applications")
    if not phone:
        raise RuleViolation("请填写受理异议的办公电话。", field="phone")
    chosen = _held(by, applications)
    for one in chosen:
        _check_fit(one, village, policy_code, posted_on)
    if posted_on > today:
        raise RuleViolation(
            "张贴日期不能晚于今天。请在张贴当天登记，打印公示表后贴出。", field="posted_on"
        )
    if posted_on < today - timedelta(days=DAYS_BACK):
        raise RuleViolation(
            f"张贴日期在{DAYS_BACK}天以前。补登太晚，群众没有时间提异议，请重新张贴。",
            field="posted_on",
        )
    days = book_for(policy_code, posted_on).rule(policy_code, village.path).notice_days
    if not days:
        raise RuleViolation("这项政策设定为不公示，不能张贴。请退回申请后重新提交，不再经过公示。")
    ends_on = terms.term_from(posted_on, days).ends_on
    if ends_on < today:
        raise RuleViolation(
            f"从这一天起公示{days}个工作日，到今天已经期满，群众没有时间提异议，请重新张贴。",
            field="posted_on",
        )
    notice = Notice.objects.create(
        village=village, policy_code=policy_code, posted_on=posted_on, days=days, ends_on=ends_on,
        place=place, phone=phone, posted_by=by,
    )  # fmt: skip
    NoticeLine.objects.bulk_create(
        [NoticeLine(notice=notice, application=one) for one in chosen], batch_size=500
    )
    changes = {"people": ["", len(chosen)], "days": ["", days], "ends_on": ["", str(ends_on)]}
    _record("notice.posted", notice, by, changes)
    return notice


@transaction.atomic
def add_photo(*, by, notice: Notice, photo: Paper) -> Notice:
    """Keep the photo of the board; one that was there goes. Once the notice has ended it stays."""
    notice = _held_notice(by, notice)
    if not photo.is_picture:
        raise RuleViolation("这里只能上传照片（JPG、PNG）。", field="photo")
    if notice.closed_on and notice.photo:
        raise RuleViolation("公示已经结束，照片不能再换。", field="photo")
    old, stored = notice.photo, sealed.keep(FOLDER, photo.content)
    try:
        notice.photo, notice.photo_type = stored, photo.content_type
        notice.save(update_fields=["photo", "photo_type"])
        _record("notice.photo_added", notice, by)
    except BaseException:
        sealed.drop(stored)
        raise
    transaction.on_commit(lambda: sealed.drop(old))
    return notice


@transaction.atomic
def sweep_photos(*, before: datetime, by: log.SystemJob) -> int:
    """Remove stored photos older than `before` that no notice knows; return how many."""
    known = set(Notice.objects.exclude(photo="").values_list("photo", flat=True))
    orphans = sealed.drop_orphans(FOLDER, known=known, before=before)
    log.record("notice.photos_swept", by=by, count=orphans)
    return orphans


@transaction.atomic
def record_print(*, by, notice: Notice, people: int) -> None:
    """That the sheet for the board was opened, with so many names on it."""
    _record("notice.printed", notice, by, {"people": people})


@transaction.atomic
def record_objection(
    *,
    by,
    notice: Notice,
    application: Application,
    raised_on: date,
    content: str,
    raised_by: str = "",
    today: date,
) -> Objection:
    """What somebody, named or not, holds against one who stands on the notice.

    It counts if it was raised within the term, also when it is entered after it. From then on the
    application waits. Refuses once the notice has ended or the line was taken off.
    """
    notice = _held_notice(by, notice)
    if notice.closed_on:
        raise RuleViolation("公示已经结束。新的反映请在“在册对象”或“比对核查”里处理。")
    (application,) = _held(by, [application])
    if not notice.lines.filter(application=application, removed_on__isnull=True).exists():
        raise RuleViolation("这位申请人不在公示上，或者已经撤下。", field="application")
    if application.state != ApplicationState.NOTICE:
        raise RuleViolation("这份申请已经转下一步，不在公示中。", field="application")
    if not content:
        raise RuleViolation("请写明异议内容。", field="content")
    if raised_on > today:
        raise RuleViolation("提出日期还没有到。", field="raised_on")
    if not notice.posted_on <= raised_on <= notice.ends_on:
        raise RuleViolation(
            f"提出日期要在公示期内（{notice.posted_on}至{notice.ends_on}）。", field="raised_on"
        )
    objection = Objection.objects.create(
        notice=notice, application=application, raised_on=raised_on, raised_by=raised_by,
        content=content, recorded_by=by,
    )  # fmt: skip
    _record("objection.recorded", objection, by, region_path=notice.village.path)
    return objection


@transaction.atomic
def decide_objection(
    *, by, objection: Objection, outcome: str, finding: str, now: datetime, today: date
) -> Objection:
    """What looking into it showed. One that is upheld sends the application back and takes it off.

    Not by who submitted the application. Refuses a second decision.
    """
    notice = _held_notice(by, objection.notice)
    (application,) = _held(by, [objection.application])
    objection = Objection.objects.select_for_update(of=("self",)).get(pk=objection.pk)
    if objection.outcome:
        raise RuleViolation("这条异议已经处理过。")
    if outcome not in Objection.Outcome.values:
        raise RuleViolation("请选择异议是否成立。", field="outcome")
    if not finding:
        raise RuleViolation("请写明核实情况。", field="finding")
    if application.submitted_by_id == by.pk:
        raise RuleViolation("这份申请是您经办的，异议要由别人处理。")
    objection.outcome, objection.finding = outcome, finding
    objection.decided_by, objection.decided_at = by, now
    objection.save(update_fields=["outcome", "finding", "decided_by", "decided_at"])
    if outcome == Objection.Outcome.UPHELD and application.state == ApplicationState.NOTICE:
        return_step(
            by=by, application=application, reason=f"公示异议成立：{finding}"[:300], now=now,
            today=today,
        )  # fmt: skip
    _record(
        "objection.decided", objection, by, {"outcome": ["", outcome]},
        region_path=notice.village.path,
    )  # fmt: skip
    return objection


@transaction.atomic
def close_notice(*, by, notice: Notice, now: datetime, today: date) -> int:
    """End a notice whose term is over; what still hangs on it goes on to the township. Returns how many.

    Refuses before the day after the term, and while an objection is open. All go on, or none.
    """
    notice = _held_notice(by, notice)
    if notice.closed_on:
        raise RuleViolation("公示已经结束。")
    if today <= notice.ends_on:
        raise RuleViolation(f"{terms.still_hangs(notice, today, terms.changes())}，不能结束公示。")
    open_ones = notice.objections.filter(outcome="").count()
    if open_ones:
        raise RuleViolation(f"还有{open_ones}件异议没有处理，不能结束公示。")
    lines = notice.lines.filter(removed_on__isnull=True, application__state=ApplicationState.NOTICE)
    passed = list(lines.select_related("application__resident").order_by("pk"))
    for line in passed:
        try:
            pass_step(by=by, application=line.application, now=now, today=today)
        except RuleViolation as violation:
            name = line.application.resident.name
            raise RuleViolation(
                f"{name}的申请不能转下一步：{violation.message}请先退回这份申请，再结束公示。"
            ) from None
    notice.closed_on = today
    notice.save(update_fields=["closed_on"])
    changes = {"closed_on": ["", str(today)], "passed_on": ["", len(passed)]}
    _record("notice.closed", notice, by, changes)
    return len(passed)


def _check_fit(one: Application, village: Region, policy_code: str, posted_on: date) -> None:
    """Refuse an application that this notice cannot carry."""
    name = one.resident.name
    if one.resident.village_id != village.pk:
        raise RuleViolation(f"{name}不在{village.name}，不能列入这份公示。", field="applications")
    if one.policy_code != policy_code:
        raise RuleViolation(f"{name}申请的是另一项政策。", field="applications")
    if one.state != ApplicationState.NOTICE:
        raise RuleViolation(f"{name}的申请不在公示这一步。", field="applications")
    if one.is_carried:
        raise RuleViolation(f"{name}已经列在另一份公示上。", field="applications")
    if posted_on < one.applied_on:
        raise RuleViolation(f"{name}{one.applied_on}才申请，张贴日期不能更早。", field="posted_on")


def _held(by, applications: Collection[Application]) -> list[Application]:
    """The applications locked, with `is_carried`. One that `by` cannot see refuses."""
    keys = {one.pk for one in applications}
    visible = Application.objects.visible_to(by).filter(pk__in=keys).order_by("pk")
    # Locked before anything is read of them, so that none is put on two notices at once.
    locked = list(Application.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    if visible.count() != len(keys) or len(locked) != len(keys):
        raise RuleViolation("所选的申请不在您的区划内，没有保存。", field="applications")
    found = visible.select_related("resident").annotate(is_carried=terms.carried())
    return list(found.order_by("resident__household__number", "resident", "pk"))


def _held_notice(by, notice: Notice) -> Notice:
    """The notice locked and as it stands now. One that `by` cannot see refuses."""
    if not Notice.objects.visible_to(by).filter(pk=notice.pk).exists():
        raise RuleViolation("这份公示不在您的区划内，没有保存。")
    Notice.objects.select_for_update().values_list("pk").get(pk=notice.pk)
    return Notice.objects.select_related("village").get(pk=notice.pk)


def _record(type_: str, target, by, changes=None, *, region_path: str = "") -> None:
    path = region_path or target.village.path
    log.record(type_, by=by, target=target, region_path=path, changes=changes)
