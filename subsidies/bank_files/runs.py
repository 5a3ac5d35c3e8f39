"""What the job `bank-file` does: write the file of an approved batch, keep it, seal the batch with it.

Killed at any moment it leaves the batch approved and at most a sealed file that no row names, which
the nightly sweep takes away; run again it writes the same bytes, as layout, day, remark and names of
villages stand in the job. Of a copy that was overtaken nothing is kept.
"""

from django.urls import reverse

from fpadmin import dates, sealed
from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.jobs.kinds import JobContext, JobFailed, JobKind, LeaseLost, register
from subsidies.bank_files import writing
from subsidies.bank_files.kept import FOLDER
from subsidies.models import BankFile, BatchState, PaymentBatch
from subsidies.services import payments
from subsidies.services.bank_files import KIND, seal_file


def run(context: JobContext) -> dict:
    """Make the file of params["batch"]. Repeated, it changes nothing that is done."""
    visible = PaymentBatch.objects.visible_to(context.by).select_related("office")
    batch = visible.filter(pk=context.params["batch"]).first()
    if batch is None:
        raise JobFailed("没有这个批次，可能已不在您的管辖范围内。")
    if BankFile.objects.filter(batch=batch).exists():
        return {"batch": batch.pk}
    if batch.state != BatchState.APPROVED:
        raise JobFailed(payments.NOT_NOW.format(state=batch.get_state_display()))
    file = context.params["file"]
    made = writing.make(batch, *writing.of_data(file), context.progress)
    stored = sealed.keep_parts(FOLDER, made.content)
    try:
        seal_file(
            by=context.by, batch=batch, row_version=batch.row_version, made=made, file=file,
            stored=stored, now=dates.now(), before_commit=context.check_fence,
        )  # fmt: skip
    except (RuleViolation, LeaseLost):
        # Only where it is sure that no row names it; after any other fault the sweep decides.
        sealed.drop(stored)
        raise
    return {"batch": batch.pk, "lines": made.count}


def load() -> None:
    """Register the kind. Called once, by ready()."""
    register(
        JobKind(
            KIND, "生成银行文件", run, Permission.PAYMENT_MAKE,
            page=lambda params: reverse("subsidies:bank-file-make", args=[params["batch"]]),
        )
    )  # fmt: skip
