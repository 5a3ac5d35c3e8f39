"""What the bank's reasons mean for the office: whether the account is wrong, stopped, or neither.

Banks write them in words of their own; what tells them apart are a few words that all of them use.
"""

from enum import StrEnum
from functools import reduce
from operator import or_

from django.db.models import Q


class Fault(StrEnum):
    """What has to happen before the money can arrive."""

    WRONG = "wrong"  # the number, the name or the account itself: another account is needed
    STOPPED = "stopped"  # the account is the right one and takes no money now
    OTHER = "other"  # nothing that the person or the village can mend


_WORDS = {
    Fault.STOPPED: ("冻结", "止付", "挂失", "睡眠", "不动户", "长期不动", "未激活", "久悬"),
    Fault.WRONG: (
        "账号", "帐号", "账户", "帐户", "卡号", "户名", "姓名", "销户", "不存在", "无此户", "身份证",
    ),
}  # fmt: skip
PLAIN = {
    Fault.WRONG: "账号或户名不对，或者已经销户，要换成本人能用的账号。",
    Fault.STOPPED: "账户被冻结或长期没用，本人带身份证到银行办理后再报，也可以换一个账号。",
    Fault.OTHER: "银行的原因看不出是不是账户问题，请和本人核对户名和账号，没有错的告诉经办。",
}


def fault_of(reason: str) -> Fault:
    """What the bank's words mean; a stopped account is named before a wrong one."""
    for fault, words in _WORDS.items():
        if any(word in reason for word in words):
            return fault
    return Fault.OTHER


def about_account() -> Q:
    """Lines that failed for something that the village can mend."""
    words = [word for some in _WORDS.values() for word in some]
    return reduce(or_, (Q(failed_reason__contains=word) for word in words))
