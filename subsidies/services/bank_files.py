"""The file of an approved batch: asked for, kept with the batch's seal, and handed out on the record."""

from collections.abc import Callable
from datetime import date, datetime

from django.db import transaction

from fpadmin import sealed
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.jobs import services as jobs
from fpadmin.jobs.models import Job
from households.services.scope import require_visible
from subsidies.bank_files import handing_out, writing
from subsidies.bank_files.handing_out import Packed
from subsidies.bank_files.kept import FOLDER
from subsidies.bank_files.layouts import Layout
from subsidies.models import BankFile, BatchState, PaymentBatch
from subsidies.services import payments

EVENT_TYPES = {
    "bank-file.made": "保存银行文件",
    "bank-file.password-shown": "查看银行文件的密码",
    "bank-file.downloaded": "下载银行文件",
    "bank-file.swept": "清理无主银行文件",
}
CHANGE_LABELS = {"layout": "格式", "lines": "笔数", "yuan": "金额（元）", "sha256": "文件摘要"}
KIND = "bank-file"
NOT_YOURS = "这一步不由您的岗位办理。"


@transaction.atomic
def request_file(*, by, batch: PaymentBatch, layout: Layout, today: date) -> Job:
    """Have the file written in the background; asked for twice it is one job.

    Refuses a batch that isn't approved, and names that the layout's encoding doesn't have.
    """
    _refuse_others(by, batch)
    batch.refresh_from_db(fields=["state"])
    if batch.state != BatchState.APPROVED:
        raise RuleViolation(payments.NOT_NOW.format(state=batch.get_state_display()))
    words = writing.words_of(batch, today)
    writing.check(batch, layout, words)
    return jobs.enqueue(
        kind=KIND,
        params={"batch": batch.pk, "file": writing.as_data(layout, words)},
        key=f"{KIND}:{batch.pk}",
        title=f"生成银行文件 {batch.number}",
        by=by,
        region=batch.office,
    )


@transaction.atomic
def seal_file(
    *,
    by,
    batch: PaymentBatch,
    row_version: int,
    made: writing.Made,
    file: dict,
    stored: str,
    now: datetime,
    before_commit: Callable[[], None],
) -> BankFile:
    """The batch is sealed with the file that was kept as `stored`, or nothing happens.

    `row_version` is the batch's when its lines were read: refuses where somebody held or released one
    since. `before_commit` raises where the run that wrote it was overtaken.
    """
    before_commit()
    batch = payments.locked(batch)
    if batch.row_version != row_version:
        raise RuleViolation("生成文件的时候名单有变动，请重新生成。")
    batch = payments.seal_batch(by=by, batch=batch, now=now)
    kept = BankFile.objects.create(
        batch=batch, layout=file, name=f"{batch.number}.{Layout.of_data(file).suffix}",
        file=stored, sha256=made.sha256, size=made.size, count=made.count, total=made.total,
        made_by=by, made_at=now,
    )  # fmt: skip
    _record("bank-file.made", kept, by, layout=file["name"])
    return kept


@transaction.atomic
def show_password(*, by, bank_file: BankFile, now: datetime) -> tuple[str, str]:
    """A fresh password, to be shown once, and the ticket by which one packed with it is fetched.

    Nothing keeps the password: the ticket, good for a quarter of an hour and for `by` alone, carries it.
    """
    _refuse_locked(by, bank_file)
    password, ticket = handing_out.make_ticket(by, bank_file, now)
    _record("bank-file.password-shown", bank_file, by)
    return password, ticket


@transaction.atomic
def open_file(*, by, bank_file: BankFile, ticket: str, now: datetime) -> Packed:
    """The file and its totals sheet in a zip under the ticket's password, counted and recorded.

    Refuses a ticket that is over or another's, and a file that is not what was sealed.
    """
    _refuse_locked(by, bank_file)
    password = handing_out.password_of(ticket, by, bank_file, now)
    packed = handing_out.pack(bank_file, password)
    _record("bank-file.downloaded", bank_file, by)
    return packed


@transaction.atomic
def sweep_files(*, before: datetime, by: log.SystemJob) -> int:
    """Remove stored files older than `before` that no batch knows; return how many."""
    known = set(BankFile.objects.values_list("file", flat=True))
    orphans = sealed.drop_orphans(FOLDER, known=known, before=before)
    log.record("bank-file.swept", by=by, count=orphans)
    return orphans


def _refuse_others(by, batch: PaymentBatch) -> None:
    require_visible(PaymentBatch.objects.visible_to(by), batch)
    if not by.may(Permission.PAYMENT_MAKE):
        raise RuleViolation(NOT_YOURS)


def _refuse_locked(by, bank_file: BankFile) -> None:
    _refuse_others(by, bank_file.batch)
    state = PaymentBatch.objects.values_list("state", flat=True).get(pk=bank_file.batch_id)
    if state not in handing_out.OPEN_STATES:
        raise RuleViolation("这个批次已经作废，文件不能再下载，请不要送银行。")


def _record(type_: str, bank_file: BankFile, by, **more) -> None:
    # The name and the sum are the office's; the policy stays out, as it may tell of a child's death.
    changes = {
        "lines": bank_file.count, "yuan": f"{bank_file.total:.2f}", "sha256": bank_file.sha256,
    }  # fmt: skip
    log.record(
        type_, by=by, target=bank_file, region_path=bank_file.batch.office.path,
        count=bank_file.count, changes=changes | more,
    )  # fmt: skip
