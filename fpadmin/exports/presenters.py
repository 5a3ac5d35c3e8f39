"""How an export is shown: its state in a word, and what may be done with it now."""

from dataclasses import dataclass
from datetime import datetime

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission
from fpadmin.exports import rules
from fpadmin.exports.models import Export
from fpadmin.exports.packs import PACKS
from fpadmin.jobs.models import Job
from fpadmin.jobs.presenters import JobView, job_view
from fpadmin.ui.listing import LISTS

KIND_OF_STATE = {
    Export.State.WAITING: "warn",
    Export.State.GRANTED: "run",
    Export.State.REFUSED: "bad",
    Export.State.MADE: "ok",
    Export.State.GONE: "off",
}


@dataclass(frozen=True)
class ExportView:
    """What the page of an export needs to know."""

    state: tuple[str, str]
    columns: list[str]
    unit: str
    job: Job | None
    job_view: JobView | None
    ends_at: datetime | None
    is_mine: bool
    is_over: bool
    can_decide: bool
    can_download: bool
    can_see_password: bool


def export_view(export: Export, user: User, now: datetime) -> ExportView:
    """The export as `user` sees it at `now`."""
    mine = export.requested_by_id == user.pk
    made = export.state == Export.State.MADE
    ends_at = rules.link_ends(export.made_at) if export.made_at else None
    over = bool(ends_at) and ends_at <= now
    shows_job = mine and export.job and export.state == Export.State.GRANTED
    return ExportView(
        state=export_state(export),
        columns=_contents(export),
        unit=LISTS[export.list_key].unit if export.pack and export.list_key in LISTS else "行",
        job=export.job if shows_job else None,
        job_view=job_view(export.job, user) if shows_job else None,
        ends_at=ends_at,
        is_mine=mine,
        is_over=over,
        can_decide=(
            export.state == Export.State.WAITING
            and not mine
            and user.may(Permission.EXPORT_APPROVE)
        ),
        can_download=mine and made and not over,
        can_see_password=mine and made and not over and bool(export.password),
    )


def _contents(export: Export) -> list[str]:
    """The columns of a sheet, or the parts of a pack, in words."""
    if export.pack:
        offered = PACKS[export.pack].parts if export.pack in PACKS else ()
    else:
        offered = LISTS[export.list_key].columns if export.list_key in LISTS else ()
    return [one.label for one in offered if one.key in export.columns]


def export_state(export: Export) -> tuple[str, str]:
    """Kind and word of the status tag; a run that ended badly says so."""
    job = export.job
    if export.state == Export.State.GRANTED and job and job.can_be_retried:
        return ("off", "已取消") if job.state == Job.State.CANCELLED else ("bad", "失败")
    return KIND_OF_STATE[export.state], export.get_state_display()
