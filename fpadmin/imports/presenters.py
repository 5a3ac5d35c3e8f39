"""How a batch is shown: its state in a word, its steps, its figures."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from fpadmin.imports.kinds import KINDS
from fpadmin.imports.models import ImportBatch
from fpadmin.ui.menu import Figure

State = ImportBatch.State
KIND_OF_STATE = {
    State.CHECKING: "run",
    State.CHECKED: "warn",
    State.UNREADABLE: "bad",
    State.COMMITTING: "run",
    State.COMMITTED: "ok",
    State.DISCARDED: "off",
    State.UNDOING: "run",
    State.UNDONE: "off",
}
_STEPS = ("上传", "检查", "预览确认", "写入", "完成")
# How many of the steps are behind in each state.
_DONE = {
    State.CHECKING: 1,
    State.UNREADABLE: 1,
    State.CHECKED: 2,
    State.DISCARDED: 2,
    State.COMMITTING: 3,
    State.COMMITTED: 5,
    State.UNDOING: 5,
    State.UNDONE: 5,
}
_TITLES = {
    State.CHECKING: "正在检查",
    State.CHECKED: "导入预览",
    State.UNREADABLE: "不能导入",
    State.COMMITTING: "正在写入",
    State.COMMITTED: "导入完成",
    State.DISCARDED: "已放弃",
    State.UNDOING: "正在撤销",
    State.UNDONE: "已撤销",
}


_WRITTEN = (State.COMMITTED, State.UNDOING, State.UNDONE)


@dataclass(frozen=True)
class Step:
    """One step of the life-cycle: state is done, now or ""."""

    label: str
    note: str
    state: str


@dataclass(frozen=True)
class BatchView:
    """What a page about one batch needs to know besides its columns."""

    title: str
    sheet: str
    edits_registry: bool
    next_pages: list[tuple[str, str]]  # (label, address), of a batch that was written
    steps: list[Step]
    figures: list[Figure]
    good_rows: int
    changes_something: bool
    is_working: bool  # a job has it: the page shows progress
    is_unreadable: bool
    is_written: bool
    is_discarded: bool
    is_undone: bool
    can_confirm: bool
    can_discard: bool
    can_undo: bool
    can_check_again: bool
    can_map: bool
    has_returned_file: bool


def batch_state(batch: ImportBatch) -> tuple[str, str]:
    """Kind and word of the status tag."""
    return KIND_OF_STATE[batch.state], batch.get_state_display()


def batch_view(batch: ImportBatch) -> BatchView:
    """The batch for its page."""
    kind, sheet = KINDS.get(batch.kind), sheet_of(batch)
    is_written = batch.state == State.COMMITTED
    then = kind.next_pages if kind and is_written else ()
    previewed = batch.state in (State.CHECKED, State.COMMITTING, *_WRITTEN)
    return BatchView(
        title=f"{_TITLES[batch.state]}：{sheet}",
        sheet=sheet,
        edits_registry=kind.edits_registry if kind else True,
        next_pages=[(label, reverse(name)) for label, name in then],
        steps=_steps(batch),
        figures=_figures(batch) if previewed else [],
        good_rows=batch.rows - batch.refused - batch.skipped,
        changes_something=bool(batch.created + batch.updated),
        is_working=batch.state in (State.CHECKING, State.COMMITTING, State.UNDOING),
        is_unreadable=batch.state == State.UNREADABLE,
        is_written=is_written,
        is_discarded=batch.state == State.DISCARDED,
        is_undone=batch.state == State.UNDONE,
        can_confirm=batch.state == State.CHECKED,
        can_discard=batch.can_be_discarded,
        can_undo=batch.state == State.COMMITTED and batch.effects.exists(),
        can_check_again=batch.can_be_checked_again,
        can_map=batch.can_be_checked_again and bool(batch.outline),
        has_returned_file=previewed and bool(batch.refused and batch.file),
    )


def sheet_of(batch: ImportBatch) -> str:
    """The kind's title; a kind that the product no longer has keeps its key."""
    kind = KINDS.get(batch.kind)
    return kind.sheet if kind else batch.kind


def _steps(batch: ImportBatch) -> list[Step]:
    done = _DONE[batch.state]
    notes = [
        _clock(batch.uploaded_at),
        _duration(batch) if done >= 2 else "",
        "还没有写入任何数据" if batch.state == State.CHECKED else "",
        "一次完成" if done < 4 else "",
        _clock(batch.committed_at) if batch.committed_at else "",
    ]
    stopped = batch.state == State.DISCARDED
    return [
        Step(label, note, "done" if i < done else "now" if i == done and not stopped else "")
        for i, (label, note) in enumerate(zip(_STEPS, notes, strict=True))
    ]


def _clock(moment) -> str:
    return timezone.localtime(moment).strftime("%H:%M")


def _duration(batch: ImportBatch) -> str:
    if batch.checked_at is None:
        return ""
    return f"用时{max(1, round((batch.checked_at - batch.uploaded_at).total_seconds()))}秒"


def _figures(batch: ImportBatch) -> list[Figure]:
    issues = reverse("imports:batch-issues", args=[batch.pk])
    changes = reverse("imports:batch-changes", args=[batch.pk])
    return [
        Figure("新增", batch.created, icon="plus-circle"),
        Figure("更新", batch.updated, changes if batch.updated else "", icon="pencil"),
        Figure("无变化", batch.unchanged, icon="check2"),
        *([Figure("跳过", batch.skipped, icon="dash-circle")] if batch.skipped else []),
        Figure(
            "错误",
            batch.refused,
            f"{issues}?severity=error" if batch.refused else "",
            icon="exclamation-octagon-fill",
            bad=bool(batch.refused),
            unit="行" if batch.refused else "",
        ),
        Figure(
            "提示",
            batch.warnings,
            f"{issues}?severity=warning" if batch.warnings else "",
            icon="exclamation-triangle",
        ),
    ]
