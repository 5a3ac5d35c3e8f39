"""What people do with exports: ask, agree, read the password once, fetch the file; and the clean-up."""

import secrets
from collections.abc import Collection, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import F

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.exports import files, rules, selectors
from fpadmin.exports.models import Export
from fpadmin.exports.packs import Pack
from fpadmin.exports.rules import Taken
from fpadmin.exports.workbook import MOST_ROWS
from fpadmin.jobs import services as jobs
from fpadmin.ui.listing import BANK, HEALTH, LISTS, MOST_PICKED, ListColumn, ListSpec, Selection
from fpadmin.ui.listing import pack as pack_selection

EVENT_TYPES = {
    "export.requested": "申请导出",
    "export.clear-requested": "申请导出完整号码",
    "export.approved": "批准导出",
    "export.refused": "退回导出申请",
    "export.made": "生成导出文件",
    "export.password-shown": "查看导出文件的密码",
    "export.downloaded": "下载导出文件",
    "export.purged": "清除导出文件",
}
CHANGE_LABELS = {
    "list": "列表", "scope": "范围", "columns": "列", "clear": "完整号码", "trace": "追溯编号",
    "purpose": "用途", "over": "超过限量", "sha256": "文件摘要", "reason": "原因", "orphans": "无主文件",
}  # fmt: skip
JOB = "export"

State = Export.State


def request_export(
    *,
    by: User,
    spec: ListSpec,
    selection: Selection,
    scope: str,
    columns: list[ListColumn],
    clear: bool,
    purpose: str,
    note: str,
    now: datetime,
) -> Export:
    """Ask for a file of the selected rows; it is made at once, or waits for a second person.

    It waits when it brings the day's sum of `by` over a limit, and then needs a note that says why.
    So does one with whole numbers, which needs a permission too. Refuses an empty selection, and
    one of more rows than a sheet can hold.
    """
    if not by.may(Permission.EXPORT) or not by.may(spec.permission):
        raise RuleViolation("您的岗位不能导出这个列表。")
    if clear and not by.may(Permission.EXPORT_CLEAR):
        raise RuleViolation("您的岗位只能导出遮住的号码。", field="clear")
    if clear and not note:
        raise RuleViolation("导出完整号码要写明原因。", field="note")
    if not columns:
        raise RuleViolation("请至少选一列。", field="columns")
    return _ask(
        by,
        spec,
        selection,
        selectors.sensitive_kinds(spec, selection, columns),
        "、".join(column.label for column in columns),
        now,
        title=spec.title,
        scope=scope,
        columns=[column.key for column in columns],
        clear=clear,
        purpose=purpose,
        note=note,
    )


def request_pack(
    *,
    by: User,
    pack: Pack,
    selection: Selection,
    scope: str,
    parts: list[str],
    purpose: str,
    note: str,
    now: datetime,
) -> Export:
    """Ask for a pack of the selected rows, with those of its parts; limits as for any export.

    What it is for has to be said. Refuses parts that `by` may not have.
    """
    spec = LISTS[pack.list_key]
    if not all(map(by.may, (Permission.EXPORT, spec.permission, pack.permission))):
        raise RuleViolation("您的岗位不能导出这个资料包。")
    allowed = {part.key: part.label for part in pack.parts_for(by)}
    if not allowed.keys() >= set(parts):
        raise RuleViolation("您的岗位不能导出所选的内容。", field="parts")
    if not note:
        raise RuleViolation("请写明用途。", field="note")
    return _ask(
        by,
        spec,
        selection,
        pack.sensitive,
        "、".join(allowed[key] for key in parts) or "不含健康材料",
        now,
        title=pack.title,
        pack=pack.key,
        scope=scope,
        columns=parts,
        purpose=purpose,
        note=note,
    )


def _ask(
    by: User,
    spec: ListSpec,
    selection: Selection,
    kinds: Collection[str],
    contents: str,
    now: datetime,
    **values,
) -> Export:
    if len(selection.picked) > MOST_PICKED:
        raise RuleViolation(f"一次最多勾选{MOST_PICKED:,}条。请改用查询结果。", field="scope")
    rows = selection.rows(spec).order_by().count()
    if not rows:
        raise RuleViolation("没有可以导出的记录。")
    if rows > MOST_ROWS:
        raise RuleViolation(f"一个文件最多{MOST_ROWS:,}行，现在有{rows:,}行。请缩小条件。")
    with transaction.atomic():
        # Two requests of one person are summed up in turn.
        User.objects.select_for_update(of=("self",)).get(pk=by.pk)
        this = Taken(rows, rows if BANK in kinds else 0, rows if HEALTH in kinds else 0)
        over = rules.over_limit(selectors.taken_on(by, now) + this)
        if over and not values["note"]:
            raise RuleViolation(f"{over}，要由另一人审批。请写明原因。", field="note")
        export = Export.objects.create(
            list_key=spec.key,
            trace=f"{now:%y%m%d}{secrets.token_hex(6).upper()}",
            region=by.region,
            selection=pack_selection(spec, selection),
            rows=rows,
            has_bank=BANK in kinds,
            has_health=HEALTH in kinds,
            needs_approval=bool(over),
            state=State.WAITING if over else State.GRANTED,
            requested_by=by,
            requested_at=now,
            **values,
        )
        log.record(
            "export.clear-requested" if export.clear else "export.requested",
            by=by,
            target=export,
            region_path=by.region.path,
            count=rows,
            changes={
                "list": export.title,
                "scope": export.get_scope_display(),
                "columns": contents,
                "clear": export.clear,
                "purpose": export.get_purpose_display(),
                "over": over,
                "trace": export.trace,
            },
        )
        if not over:
            _enqueue(export)
    return export


def approve(*, export: Export, by: User, now: datetime) -> None:
    """A second person agrees; the file is made. Refuses one's own, and what waits no more."""
    _decide(export, by, now, State.GRANTED, "export.approved")


def refuse(*, export: Export, by: User, reason: str, now: datetime) -> None:
    """A second person declines, with a reason for who asked."""
    if not reason:
        raise RuleViolation("请写明退回的原因。", field="reason")
    _decide(export, by, now, State.REFUSED, "export.refused", refusal=reason)


@transaction.atomic
def _decide(export: Export, by: User, now: datetime, state: str, event: str, **values) -> None:
    if not by.may(Permission.EXPORT_APPROVE):
        raise RuleViolation("您的岗位不能审批导出。")
    if export.requested_by_id == by.pk:
        raise RuleViolation("不能审批自己的导出，请让另一位有权限的人审批。")
    if not export.move(State.WAITING, state, decided_by=by, decided_at=now, **values):
        raise RuleViolation("这个申请已经处理过了。")
    export.refresh_from_db()
    log.record(
        event, by=by, target=export, region_path=export.region.path, count=export.rows,
        changes={"trace": export.trace},
    )  # fmt: skip
    if state == State.GRANTED:
        _enqueue(export)


def _enqueue(export: Export) -> None:
    export.job = jobs.enqueue(
        kind=JOB,
        params={"export": export.pk},
        key=f"{JOB}:{export.pk}",
        title=f"导出{export.title}",
        by=export.requested_by,
        region=export.region,
    )
    export.save(update_fields=["job"])


@transaction.atomic
def show_password(*, export: Export, by: User, now: datetime) -> str:
    """The file's password, to who asked for the file, once; afterwards nobody can have it."""
    locked = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    if locked.requested_by_id != by.pk or locked.state != State.MADE:
        raise RuleViolation("这个文件没有密码可以显示。")
    if not locked.password:
        raise RuleViolation("密码已经显示过一次，不能再看。忘记了请重新导出。")
    if rules.link_ends(locked.made_at) <= now:
        raise RuleViolation("文件已过期，请重新导出。")
    password, locked.password = locked.password, ""
    locked.save(update_fields=["password"])
    log.record(
        "export.password-shown", by=by, target=locked, region_path=locked.region.path,
        changes={"trace": locked.trace},
    )  # fmt: skip
    return password


@transaction.atomic
def open_file(*, export: Export, by: User) -> Iterator[bytes] | None:
    """The file for who asked for it, piece by piece, counted and recorded; None where it is gone."""
    content = files.read(export) if export.requested_by_id == by.pk else None
    if content is None:
        return None
    Export.objects.filter(pk=export.pk).update(downloads=F("downloads") + 1)
    log.record(
        "export.downloaded", by=by, target=export, region_path=export.region.path,
        count=export.rows, changes={"trace": export.trace},
    )  # fmt: skip
    return content


@transaction.atomic
def purge(*, before: datetime, by: log.SystemJob) -> int:
    """Delete files made before that, and files that no export knows; return how many."""
    old = list(Export.objects.filter(state=State.MADE, made_at__lt=before).order_by("pk"))
    Export.objects.filter(pk__in=[export.pk for export in old], state=State.MADE).update(
        state=State.GONE, file="", password=""
    )
    orphans = files.drop_orphans(before)
    log.record("export.purged", by=by, count=len(old), changes={"orphans": orphans})
    # A file that outlives its row is an orphan of the next night; a row without its file misleads.
    transaction.on_commit(lambda: [files.drop(export.file) for export in old])
    return len(old) + orphans
