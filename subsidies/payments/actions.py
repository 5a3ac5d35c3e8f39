"""What a user may do with a batch on its page: buttons by state and permission, one of them the primary."""

from dataclasses import dataclass

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from subsidies.models import SENT_BATCHES, BatchState, PaymentBatch
from subsidies.payments.turns import may_take

_STATE = BatchState


@dataclass(frozen=True)
class Action:
    """One button. `is_post` ones carry the batch's version in a form of their own."""

    name: str
    label: str
    url: str
    is_primary: bool = False
    is_post: bool = False
    icon: str = ""


@dataclass(frozen=True)
class Actions:
    """The buttons in order, the primary one last."""

    buttons: tuple[Action, ...]

    def __iter__(self):
        return iter(self.buttons)

    @property
    def names(self) -> set[str]:
        """What may be done."""
        return {one.name for one in self.buttons}


def actions_of(batch: PaymentBatch, user, sums=None) -> Actions:
    """By state and permission; `sums` (see batch_page) tells what failed."""
    makes = user.may(Permission.PAYMENT_MAKE)
    found = []
    if batch.state == _STATE.DRAFT and makes and batch.kind == PaymentBatch.Kind.REGULAR:
        found.append(_action("recalculate", "重新计算", batch, is_post=True))
    for name, label in (("void", "作废"), ("return", "退回")):
        if may_take(user, batch, name):
            found.append(_action(name, label, batch))
    for name, label in (
        ("submit", "下一步：提交"), ("check", "核对"), ("approve", "批准"), ("send", "送银行"),
    ):  # fmt: skip
        if may_take(user, batch, name):
            found.append(_action(name, label, batch, is_primary=True))
    found += _with_the_bank(batch, makes)
    failed = sums["waits"].count if sums else 0
    if makes and batch.state in (_STATE.PARTLY_RETURNED, _STATE.RECONCILED) and failed:
        found.append(_linked("reissue", f"补发失败的{failed}笔", "subsidies:reissue-create", batch))
    if may_take(user, batch, "close"):
        found.append(_action("close", "结清", batch, is_primary=not failed))
    return Actions(tuple(found))


def _with_the_bank(batch: PaymentBatch, makes: bool) -> list[Action]:
    found = []
    if makes and batch.state == _STATE.APPROVED:
        found.append(_linked("file", "生成银行文件", "subsidies:bank-file-make", batch))
    if makes and batch.state in (_STATE.SEALED, _STATE.SENT):
        found.append(
            _linked("download", "下载银行文件", "subsidies:bank-file-download", batch, False)
        )
    if batch.state in SENT_BATCHES and batch.kind != PaymentBatch.Kind.HISTORY:
        waits = makes and batch.state in (_STATE.SENT, _STATE.PARTLY_RETURNED)
        found.append(_linked("answers", "银行回盘", "subsidies:batch-answers", batch, waits))
    return found


def _action(name: str, label: str, batch: PaymentBatch, **options) -> Action:
    return Action(name, label, reverse(f"subsidies:batch-{name}", args=[batch.pk]), **options)


def _linked(name, label, route, batch: PaymentBatch, is_primary: bool = True) -> Action:
    return Action(name, label, reverse(route, args=[batch.pk]), is_primary)
