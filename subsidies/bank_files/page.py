"""What the pages of a batch's file show: choices and progress before it is made, its proof afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from fpadmin.audit.models import AuditEvent
from fpadmin.jobs.models import Job
from fpadmin.jobs.presenters import JobView, job_view
from fpadmin.money import capital_yuan
from subsidies.bank_files import layout_list, writing
from subsidies.bank_files.handing_out import OPEN_STATES
from subsidies.bank_files.layouts import Layout
from subsidies.models import BankFile, BatchState, PaymentBatch
from subsidies.services.bank_files import KIND


@dataclass(frozen=True)
class Choice:
    """A layout that may be chosen: its key, what it is called and made of, and its first lines."""

    key: str
    layout: Layout
    format: str
    columns: str
    lines: list[list[str]]


@dataclass(frozen=True)
class Download:
    """Somebody took the file."""

    at: datetime
    who: str
    address: str | None


def choices(layouts: Mapping[str, Layout]) -> list[Choice]:
    """Each with a preview of invented values."""
    return [
        Choice(
            key, layout, layout_list.form_words(layout), layout_list.column_words(layout),
            writing.preview(layout),
        )
        for key, layout in layouts.items()
    ]  # fmt: skip


def last_job(batch: PaymentBatch) -> Job | None:
    """The newest run that was to make the batch's file."""
    jobs = Job.objects.filter(kind=KIND, key=f"{KIND}:{batch.pk}")
    return jobs.select_related("requested_by").order_by("-pk").first()


def making_context(user, batch: PaymentBatch, layouts: Mapping[str, Layout]) -> dict:
    """Before the file is made: what it will hold, the choice, and how far a run has come."""
    job = last_job(batch)
    view: JobView | None = job_view(job, user) if job else None
    lines = writing.going(batch)
    return {
        "batch": batch,
        "count": lines.count(),
        "held": batch.lines.filter(is_agreed=True).exclude(hold_reason="").count(),
        "choices": choices(layouts),
        "job": job,
        "view": view,
        "can_make": batch.state == BatchState.APPROVED and not (view and view.is_open),
    }


def file_context(bank_file: BankFile) -> dict:
    """The made file: name, size, count, sums, digest, and everybody who took it."""
    return {
        "batch": bank_file.batch,
        "file": bank_file,
        "capital": capital_yuan(bank_file.total),
        "format": layout_list.form_words(Layout.of_data(bank_file.layout)),
        "downloads": downloads(bank_file),
        "can_download": bank_file.batch.state in OPEN_STATES,
    }


def downloads(bank_file: BankFile) -> list[Download]:
    """Everybody who took it, newest first, as the audit trail has it."""
    events: QuerySet = AuditEvent.objects.filter(
        type="bank-file.downloaded",
        target_type=bank_file._meta.label_lower,
        target_id=str(bank_file.pk),
    )
    return [
        Download(at, who, address)
        for at, who, address in events.order_by("-pk").values_list("at", "actor", "address")
    ]
