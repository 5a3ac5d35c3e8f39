"""Whose turn a batch is: which step asks for which permission, who may not take it, and what to say of it."""

from collections.abc import Iterable

from django.db.models import Q

from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import ROLE_PERMISSIONS, Permission
from subsidies.models import BATCH_TRANSITIONS, BatchState, PaymentBatch, PaymentStep
from subsidies.payments.steps import makers
from subsidies.services.payments import NEEDED

State = BatchState
TAGS = {
    State.DRAFT: "wait", State.SUBMITTED: "run", State.CHECKED: "run", State.APPROVED: "run",
    State.SEALED: "run", State.SENT: "run", State.PARTLY_RETURNED: "run", State.RECONCILED: "run",
    State.CLOSED: "ok", State.VOID: "off",
}  # fmt: skip
# The step by which the batch goes on, where somebody of the offices takes it.
STEPS = {
    State.DRAFT: "submit", State.SUBMITTED: "check", State.CHECKED: "approve",
    State.APPROVED: "seal", State.SEALED: "send", State.RECONCILED: "close",
}  # fmt: skip
WAITING = {
    State.DRAFT: "等经办提交", State.SUBMITTED: "等核对", State.CHECKED: "等批准",
    State.APPROVED: "等经办生成银行文件", State.SEALED: "等经办送银行",
    State.SENT: "等银行回盘", State.PARTLY_RETURNED: "等银行其余回盘",
    State.RECONCILED: "等经办结清",
}  # fmt: skip
# Before the bank's other answers those that it gave and that fit no payment.
EXCEPTIONS = "等经办核实回盘异常"
WITH_BANK = (State.SENT, State.PARTLY_RETURNED)
DOINGS = {
    "submit": "提交", "check": "核对", "approve": "批准", "seal": "生成银行文件", "send": "送银行",
    "close": "结清",
}  # fmt: skip
# What stands in the record of steps.
ACTIONS = {
    "create": "编制", "recalculate": "重新计算", "submit": "提交核对", "return": "退回",
    "check": "核对", "approve": "批准", "seal": "生成银行文件", "send": "送银行", "post": "登记回盘",
    "reconcile": "回盘对平", "close": "结清", "void": "作废",
}  # fmt: skip
RETURN_PHRASES = (
    "金额或标准有疑问，请核对后重新计算。",
    "名单里有人已去世或已迁出，请核实后再报。",
    "有人户名或账号不对，请更正后重新计算。",
    "应该暂缓的没有暂缓，请处理后再报。",
    "有人遗漏，请核实后重新计算。",
)
MOST_NAMES = 4


def waits_for(user) -> Q:
    """Batches whose next step is this user's: by permission, and nobody else's own."""
    mine = Q(pk__in=[])
    for state, action in STEPS.items():
        if user.may(NEEDED[action]):
            mine |= Q(state=state) & _not_own(user, action)
    return mine


def may_take(user, batch: PaymentBatch, action: str) -> bool:
    """Whether the step leads on from here and the user is one who may take it."""
    if action not in BATCH_TRANSITIONS.get(batch.state, {}):
        return False
    if action == "return":
        needed = NEEDED["check" if batch.state == State.SUBMITTED else "approve"]
        return user.may(needed) or user.pk in makers(batch)
    return user.may(NEEDED[action]) and user.pk not in excluded(batch, action)


def excluded(batch: PaymentBatch, action: str) -> set[int]:
    """Who has had a part in it already and may not take this step too."""
    if action not in ("check", "approve"):
        return set()
    had = makers(batch)
    if action == "approve" and batch.persons > 2 and batch.checked_by_id:
        had.add(batch.checked_by_id)
    return had


def waiting_words(state: str, has_exceptions: bool = False) -> str:
    """Whom a batch waits for, in one phrase; "" once nobody. The office comes before the bank."""
    words = WAITING.get(state, "")
    return f"{EXCEPTIONS}，{words}" if has_exceptions and state in WITH_BANK else words


def who_is_next(batch: PaymentBatch, has_exceptions: bool = False) -> str:
    """The same with names where a person is waited for: 等普光华、杨建国核对."""
    action = STEPS.get(batch.state)
    if action is None:
        return waiting_words(batch.state, has_exceptions)
    names = list(_people(batch, action)[: MOST_NAMES + 1])
    if not names:
        needed = "、".join(sorted(_role_words(NEEDED[action])))
        return f"等{DOINGS[action]}，现在没有能办这一步的账号（{needed}）"
    several = "等" if len(names) > MOST_NAMES else ""
    return f"等{'、'.join(names[:MOST_NAMES])}{several}{DOINGS[action]}"


def _people(batch: PaymentBatch, action: str) -> Iterable[str]:
    roles = [role for role, granted in ROLE_PERMISSIONS.items() if NEEDED[action] in granted]
    above = Region.objects.filter(code__in=batch.office.path.strip(".").split("."))
    return (
        User.objects.filter(is_active=True, role__in=roles, region__in=above.values("pk"))
        .exclude(pk__in=excluded(batch, action))
        .order_by("-region__level", "pk")
        .values_list("name", flat=True)
    )


def _role_words(permission: Permission) -> set[str]:
    return {
        role.label for role, granted in ROLE_PERMISSIONS.items() if permission in granted
    }  # fmt: skip


def _not_own(user, action: str) -> Q:
    if action not in ("check", "approve"):
        return Q()
    anew = PaymentStep.objects.filter(by=user, action="recalculate").order_by().values("batch")
    theirs = ~Q(made_by=user) & ~Q(submitted_by=user) & ~Q(pk__in=anew)
    if action == "approve":
        theirs &= Q(persons=2) | ~Q(checked_by=user)
    return theirs
